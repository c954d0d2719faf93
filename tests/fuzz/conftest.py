"""The command line as tests/cli calls it, and how many damaged inputs were tried."""

import os
from pathlib import Path

from tests.cli.conftest import command  # noqa: F401 - a fixture
from tests.fuzz import mutations


def pytest_sessionfinish():
    """Tell `python -m tests.fuzz`."""
    if os.environ.get("BINWRIGHT_FUZZ_COUNT"):
        Path(os.environ["BINWRIGHT_FUZZ_COUNT"]).write_text(str(mutations.executions))
