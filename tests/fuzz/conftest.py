"""The command line as tests/cli calls it."""

from tests.cli.conftest import command  # noqa: F401 - a fixture
