"""Hypothesis profiles, chosen by HYPOTHESIS_PROFILE, and one seed a run, printed in the header."""

import os
import random

import pytest

try:
    import hypothesis
except ImportError:  # the tests that need it say so themselves
    hypothesis = None

PROFILES = {
    "dev": {"max_examples": 40, "stateful_step_count": 25},
    "ci": {"max_examples": 120, "stateful_step_count": 40},
    "debug": {"max_examples": 10, "stateful_step_count": 15},
    "long": {"max_examples": 3000, "stateful_step_count": 60},
}


def profile_name() -> str:
    return os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if hypothesis is None:
        return
    for name, settings in PROFILES.items():
        verbosity = hypothesis.Verbosity.verbose if name == "debug" else hypothesis.Verbosity.normal
        hypothesis.settings.register_profile(
            name,
            deadline=None,
            print_blob=True,
            verbosity=verbosity,
            suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
            **settings,
        )
    hypothesis.settings.load_profile(profile_name())
    if not config.getoption("--hypothesis-seed"):
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


def pytest_report_header(config):
    if hypothesis is None:
        return "hypothesis: not installed"
    seed = config.getoption("--hypothesis-seed")
    return f"hypothesis profile: {profile_name()}; to repeat the random tests: --hypothesis-seed={seed}"


def pytest_collection_modifyitems(config, items):
    if "slow" not in config.getoption("-m"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: minutes; pytest -m slow runs it"))
