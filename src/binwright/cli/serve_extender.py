"""`binwright serve extender`: reads the options, brings the state, serves until it is told to stop."""

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from binwright.cli import exits
from binwright.cli.arguments import Parser
from binwright.cli.inputs import add_nova_conf
from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.kubernetes.configuration import SchedulerProfile, read_file
from binwright.kubernetes.live import LiveCluster
from binwright.kubernetes.reader import read_blobs
from binwright.openstack.nova.conf import read_conf
from binwright.units import nanos, whole

if TYPE_CHECKING:
    from binwright.serve.run import Listening

DESCRIPTION = """\
Serves kube-scheduler's HTTP extender: POST /v1/filter, /v1/prioritize, /v1/preempt, /v1/bind. What it answers is what
`binwright place` would say of the cluster as it is now.

The state comes from a cluster (--kubeconfig), from a file (--state), or from clients: PUT /v1/state with what
`kubectl get nodes,pods,... -A -o json` prints, POST /v1/events with watch events. A filter answer reserves nothing; a
bind, or the event that shows the pod on its node, does; a bound pod that no event shows within 30 s is dropped.
With --cloud it also answers POST /scheduler/nova/external, the external scheduler that SAP's Nova asks.
GET / is a page about it, /metrics for Prometheus, /healthz and /readyz for probes. Stops on SIGTERM or Ctrl-C.
"""


def configure(parser: Parser) -> None:
    """The options of `serve extender`."""
    state = parser.add_mutually_exclusive_group()
    state.add_argument("--kubeconfig", metavar="FILE", help="watch this cluster; '' for $KUBECONFIG or in-cluster")
    state.add_argument("--state", metavar="PATH", help="begin with the objects of a dump, as `place` reads them")
    parser.add_argument("--context", metavar="NAME", help="the context of the kubeconfig")
    parser.add_argument("--config", metavar="FILE", help="a KubeSchedulerConfiguration: plugins, weights, arguments")
    parser.add_argument("--complete", action="store_true", help="kinds of objects that the state lacks do not exist")
    parser.add_argument("--cloud", metavar="PATH", help="answer for Nova by this dump, read again when it changes")
    add_nova_conf(parser)
    parser.add_argument("--single", action="store_true", help="filter returns only the chosen node")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="a name that clients call this service by"
    )
    parser.add_argument("--port", type=int, default=8890, help="port to listen on (default: 8890; 0: any)")
    parser.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS with this certificate chain")
    parser.add_argument("--tls-key", metavar="FILE", help="its key")
    parser.add_argument("--client-ca", metavar="FILE", help="clients must show a certificate of this authority")
    parser.add_argument("--token-file", metavar="FILE", help="clients must show this bearer token")
    parser.add_argument("--insecure", action="store_true", help="listen beyond loopback without TLS or token")
    parser.add_argument("--max-body", default="64Mi", metavar="SIZE", help="the largest body (default: 64Mi)")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every decision")


def run(options: argparse.Namespace) -> int:
    """Serve. 0: stopped by a signal."""
    from binwright.serve.app import make_app
    from binwright.serve.extender import ExtenderService
    from binwright.serve.logs import set_up
    from binwright.serve.nova import NovaService
    from binwright.serve.requests import Limits
    from binwright.serve.run import Listening, serve

    where = Listening(options.host, options.port, options.tls_cert, options.tls_key, options.client_ca)
    limits = Limits(
        body_bytes=whole(nanos(options.max_body, "--max-body")),
        token=read_token(options.token_file),
        hosts=names_of(options.allow_host, where) if where.is_local or options.allow_host else None,
    )
    if not where.is_local and not options.insecure and limits.token is None and where.client_ca is None:
        raise InputError(
            f"--host {where.host}: is not loopback; add --token-file or --client-ca, or --insecure if that is meant"
        )
    if options.context is not None and options.kubeconfig is None:
        raise InputError("--context: wants --kubeconfig as well")
    if options.nova_conf is not None and options.cloud is None:
        raise InputError("--nova-conf: wants --cloud as well")
    set_up(options.verbose)
    profiles = [SchedulerProfile()] if options.config is None else read_file(options.config)
    live = LiveCluster(profiles, complete=options.complete)
    background = None
    if options.kubeconfig is None:
        service = ExtenderService(live, single=options.single)
    else:
        from binwright.kubernetes.api_server import ApiServer
        from binwright.serve.follow import Follower

        server = ApiServer(options.kubeconfig or None, options.context)
        service = ExtenderService(live, single=options.single, source=server.url, binder=server.bind)
        follower = Follower(live, server, service.metrics.restarted)
        service.ready, background = lambda: follower.ready, follower.run
    if options.state is not None:
        live.replace(read_blobs(read_path(options.state), stored=True))
        service.source = f"file {os.fspath(options.state)}, then events"
    nova = None
    if options.cloud is not None:
        nova = NovaService(options.cloud, read_conf(options.nova_conf), service.journal, service.metrics)
    serve(make_app(service, limits, background, nova), where)
    return exits.YES


def names_of(names: list[str], where: "Listening") -> frozenset[str]:
    """By which clients may call the service, in lower case. Raises InputError for what is no name."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", name):
            raise InputError(f"--allow-host {name}: is not a name without a port, as in a URL")
    return frozenset(name.lower() for name in (*names, where.host))


def read_token(path: str | None) -> str | None:
    """The token of a file. Raises InputError for one that is empty, or that no header could carry."""
    if path is None:
        return None
    token = Path(path).read_text(encoding="ascii", errors="replace").strip()
    if not token:
        raise InputError(f"{path}: holds no token")
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise InputError(f"{path}: the token is not one word of printable ASCII")
    return token
