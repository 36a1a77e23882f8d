"""Given to pytest while it is watched: tells the `sitecustomize` of `mutate_coverage` which test runs, how long."""

import time
from collections.abc import Generator

import pytest
import sitecustomize  # type: ignore[import-not-found]  # written for the watched process alone

_test = ""
_shared = 0.0  # seconds of the test that fixtures took that others share


def _begin(test: str) -> None:
    global _test  # noqa: PLW0603 - a plugin that is a module has its state there
    _test = test
    sitecustomize.begin(test)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid: str) -> None:
    """Note that a test begins."""
    _begin(nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
    """Note what a fixture runs for the whole file, where tests share it."""
    global _shared  # noqa: PLW0603 - likewise
    if fixturedef.scope == "function":
        return (yield)
    test, began = _test, time.monotonic()
    file = test.partition("::")[0]
    _begin(file)
    try:
        return (yield)
    finally:
        _begin(test)
        if "::" in test:  # else it is within another that is noted already
            _shared += time.monotonic() - began
            sitecustomize.say("seconds", f"{time.monotonic() - began:.3f}", file)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how long a test took."""
    global _shared  # noqa: PLW0603 - likewise
    sitecustomize.say("seconds", f"{report.duration - _shared:.3f}", report.nodeid)
    _shared = 0.0
