"""The compiled engine: hosts, resources, classes, domains and rows; it knows nothing of the layers above."""

import os.path


def get_include():
    """Folder of the C headers, for a compiler's include path."""
    return os.path.join(os.path.dirname(__file__), "include")  # pathlib would take 4 ms to import
