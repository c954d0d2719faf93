"""Commands of kubectl and openstack as text to paste. Nothing is ever run."""

import shlex


def command(*words: str) -> str:
    """One command line; names come from files, so they are quoted and keep to the line."""
    return shlex.join(words).replace("\r", " ").replace("\n", " ")
