"""Commands of kubectl and openstack as text to paste. Nothing is ever run."""

import re
import shlex

from binwright.stack.new_nodes import NewNode

WANTS = "# Each server wants --network, and the --user-data that joins it to its cluster, as yours do."
"""What no dump tells of a server."""
CREATE_WITH_HOST = ("--os-compute-api-version", "2.74")
"""The client refuses a host for a new server below this microversion, and its default is 2.1."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What ends a line, or makes a terminal do something when it is shown or pasted."""


def command(*words: str) -> str:
    """One command line; names come from files, so they are quoted and keep to the line."""
    return _CONTROL.sub(" ", shlex.join(words))


def comment(text: str) -> str:
    """A line that a shell passes over."""
    return f"# {' '.join(_CONTROL.sub(' ', text).split())}"


def create_server(one: NewNode) -> list[str]:
    """The server of a new node, and where Nova puts it."""
    wanted, grown = one.grown.server, one.grown
    words = [
        "openstack",
        "--os-cloud",
        one.pool.cloud,
        *(CREATE_WITH_HOST if grown.requested else ()),
        "server",
        "create",
    ]
    words += ["--flavor", one.pool.flavor.name]
    words += ["--image", wanted.image] if wanted.image else []
    words += ["--availability-zone", wanted.zone] if wanted.zone else []
    words += ["--hint", f"group={one.pool.group}"] if one.pool.group else []
    words += ["--host", grown.host] if grown.requested else []
    where = f"Nova's best host is {grown.host}"
    if grown.requested:
        where = f"host {grown.host} is asked for, which Nova lets administrators only and judges by all its rules"
    return [comment(f"of project {wanted.project or '?'}; {where}"), command(*words, one.name)]
