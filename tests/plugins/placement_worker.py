"""One worker of a Placement deployment: its WSGI application over a database that others use too.

    python -m tests.plugins.placement_worker URL stock|plugin

Reads one call a line, [method, path, body, microversion], and answers with [status, body, counts of the plug-in].
"""

import json
import logging
import sys
import warnings

warnings.simplefilter("ignore")

from oslo_config import cfg  # noqa: E402
from placement import conf, db_api, deploy  # noqa: E402

from bench.peers.openstack.real_placement import RealPlacement  # noqa: E402
from binwright.openstack import placement_plugin  # noqa: E402


def service(url):
    """The service over a database, which is made where it is empty."""
    logging.disable(logging.CRITICAL)
    config = cfg.ConfigOpts()
    conf.register_opts(config)
    config.set_override("connection", url, group="placement_database")
    config.set_override("sync_on_startup", True, group="placement_database")
    config.set_override("auth_strategy", "noauth2", group="api")
    config([], project="placement", default_config_files=[], default_config_dirs=[])
    db_api.configure(config)
    made = RealPlacement.__new__(RealPlacement)
    made.config, made.application = config, as_service(deploy.loadapp(config))
    return made


def as_service(application):
    """An application that takes every caller for a service, which may reshape, too."""
    return lambda environ, start: application(environ | {"HTTP_X_ROLES": "admin,service"}, start)


def main():
    url, kind = sys.argv[1:]
    if kind == "plugin":
        placement_plugin.install()
    worker = service(url)
    print("ready", flush=True)
    for line in sys.stdin:
        status, body = worker.call(*json.loads(line))
        print(json.dumps([status, json.loads(body) if body else None, placement_plugin.statistics()]), flush=True)


if __name__ == "__main__":
    main()
