"""Fixtures of the unit tests."""

import pytest

from tests.unit.sample_files import SEEDS, Sample


@pytest.fixture(scope="session", params=SEEDS, ids=lambda seed: f"seed{seed}")
def sample(request, tmp_path_factory) -> Sample:
    """The sample of one seed, written and read back."""
    from binwright.sample import write_club_sandwich

    root = tmp_path_factory.mktemp("sample")
    write_club_sandwich(root, seed=request.param)
    return Sample(root, request.param)
