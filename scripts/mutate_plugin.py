"""Given to pytest while faults are tried: property tests draw the same examples each time, and shrink none."""

import hypothesis
import pytest
from hypothesis import Phase


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Change the settings after `conftest.py` has made its own, and before a test takes them."""
    phases = [Phase.explicit, Phase.generate]
    hypothesis.settings.register_profile("mutate", derandomize=True, database=None, phases=phases, deadline=None)
    hypothesis.settings.load_profile("mutate")
