"""The compiled engine: hosts, resources, classes, domains and rows; it knows nothing of the layers above."""

from pathlib import Path


def get_include():
    """Folder of the C headers, for a compiler's include path."""
    return str(Path(__file__).parent / "include")
