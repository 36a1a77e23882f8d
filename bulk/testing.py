"""A sandbox for the tests of other programs, as a pytest fixture: `pytest_plugins = ["bulk.testing"]` in a conftest.

```python
def test_a_reminder_goes_out(sandbox):
    boto3.client("connect", **sandbox.client_options).start_outbound_chat_contact(...)
    (contact,) = sandbox.contacts
    assert contact["Destination"] == "+14155550123"


def test_a_lost_answer_is_survived(sandbox):
    sandbox.faults = {"rules": [{"fault": "drop_after", "first": 1}]}
```

The sandbox runs in a thread of its own, so tests need not be asynchronous, and what they test may be a process.
Settings are given by a mark: `@pytest.mark.sandbox(rate=2, burst=5)`; without one no rate is limited.
"""

import asyncio
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from bulk.sandbox import Sandbox

T = TypeVar("T")


class RunningSandbox:
    """A sandbox that runs in a thread of its own."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        self._sandbox = sandbox
        self._loop = loop

    @property
    def url(self) -> str:
        """Where it listens, as an SDK takes it for its endpoint."""
        return self._sandbox.url

    @property
    def page(self) -> str:
        """The address of its page."""
        return self._sandbox.page

    @property
    def contacts(self) -> list[dict[str, Any]]:
        """What it accepted, oldest first: see `Sandbox.contacts`."""
        return self._do(lambda: self._sandbox.contacts)

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """What was called, by operation: see `Sandbox.calls`."""
        return self._do(lambda: self._sandbox.calls)

    @property
    def faults(self) -> Mapping[str, Any]:
        """The faults declared. They can be set; an empty mapping clears them."""
        return self._do(lambda: self._sandbox.faults)

    @faults.setter
    def faults(self, declared: Mapping[str, Any]) -> None:
        self.set_faults(declared)

    def set_faults(self, declared: Mapping[str, Any]) -> None:
        """Replace the faults. Raises `ValueError`."""
        self._do(lambda: self._sandbox.set_faults(declared))

    def set_quotas(self, **changed: Any) -> None:
        """Change quotas: see `Sandbox.set_quotas`. Raises `ValueError`."""
        self._do(lambda: self._sandbox.set_quotas(**changed))

    def reset(self) -> None:
        """Forget contacts, tokens and calls."""
        self._do(self._sandbox.reset)

    @property
    def client_options(self) -> dict[str, str]:
        """The options with which boto3 makes a client for it: credentials of no account, a Region, the endpoint."""
        keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
        return {"endpoint_url": self.url, "region_name": "us-west-2", **keys}

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a process of any AWS SDK goes to it for Amazon Connect."""
        return {
            "AWS_ENDPOINT_URL_CONNECT": self.url,
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",  # boto3 and the AWS CLI 1 read this one
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        }

    def _do(self, work: Callable[[], T]) -> T:
        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()


@contextmanager
def running(**settings: Any) -> Iterator[RunningSandbox]:
    """Run a sandbox for as long as the block lasts; `settings` are those of `Sandbox`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        sandbox = Sandbox(**{"rate": math.inf, **settings})
        asyncio.run_coroutine_threadsafe(sandbox.__aenter__(), loop).result()
        try:
            yield RunningSandbox(sandbox, loop)
        finally:
            asyncio.run_coroutine_threadsafe(sandbox.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", "sandbox(**settings): the settings of the fixture `sandbox`")


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    """Yield a local Amazon Connect: its `url`, its `contacts`, its `faults`."""
    mark = request.node.get_closest_marker("sandbox")
    with running(**(mark.kwargs if mark else {})) as found:
        yield found
