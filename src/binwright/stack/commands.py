"""Commands of kubectl and openstack as text to paste. Nothing is ever run."""

import shlex

from binwright.stack.new_nodes import NewNode

WANTS = "# Each server wants --network, and the --user-data that joins it to its cluster, as yours do."
"""What no dump tells of a server."""
CREATE_WITH_HOST = ("--os-compute-api-version", "2.74")
"""The client refuses a host for a new server below this microversion, and its default is 2.1."""


def command(*words: str) -> str:
    """One command line; names come from files, so they are quoted and keep to the line."""
    return one_line(shlex.join(words))


def one_line(text: str) -> str:
    """Without what ends a line, or makes a terminal do or show something else when it is shown or pasted."""
    return "".join(char if char.isprintable() else " " for char in text)


def kubectl(cluster: str, *words: str) -> str:
    """One command line of kubectl for a source: its context is named after it."""
    return command("kubectl", "--context", cluster, *words)


def label_node(cluster: str, node: str, label: str, value: str) -> str:
    """Sets a label that a node has already."""
    return kubectl(cluster, "label", "node", "--overwrite", *named(node, f"{label}={value}"))


def comment(text: str) -> str:
    """A line that a shell passes over."""
    return f"# {one_line(text)}"


def named(*names: str) -> tuple[str, ...]:
    """Names as the last words of a command line: not options, even if they look so."""
    return ("--", *names) if any(name.startswith("-") for name in names) else names


def given(option: str, value: str) -> tuple[str, ...]:
    """An option with its value, in one word where the value looks like an option itself."""
    return (f"{option}={value}",) if value.startswith("-") else (option, value)


def create_server(one: NewNode) -> list[str]:
    """The server of a new node, and where Nova puts it."""
    wanted, grown = one.grown.server, one.grown
    words = ["openstack", *given("--os-cloud", one.pool.cloud), *(CREATE_WITH_HOST if grown.requested else ())]
    words += ["server", "create", *given("--flavor", one.pool.flavor.name)]
    words += given("--image", wanted.image) if wanted.image else []
    words += given("--availability-zone", wanted.zone) if wanted.zone else []
    words += ["--hint", f"group={one.pool.group}"] if one.pool.group else []
    words += given("--host", grown.host) if grown.requested else []
    where = f"Nova's best host is {grown.host}"
    if grown.requested:
        where = f"host {grown.host} is asked for, which Nova lets administrators only and judges by all its rules"
    return [comment(f"of project {wanted.project or '?'}; {where}"), command(*words, *named(one.name))]
