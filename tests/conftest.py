"""What every test stands on: a clean environment, and virtual time for those that ask for it."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from cli_runs import Service, contact_list, service
from clocks import Clock
from disks import disk
from virtual import VirtualLoop

from bulk.ledger import Ledger
from bulk.sandbox import Sandbox

if TYPE_CHECKING:
    from sandbox_runs import Runs

hypothesis.settings.register_profile("bulk", deadline=None)  # how long an example takes is the machine's affair
hypothesis.settings.load_profile("bulk")


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """Strip what the developer's machine would whisper to the program: its account, its settings, its proxies.

    For the session, so that it is done before any fixture of a module; what a test sets, its `monkeypatch` undoes.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("AWS_", "BULK_")) or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="module")
def running() -> Iterator[Service]:
    with service() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Service) -> Service:
    """A sandbox in a process of its own, as good as new."""
    running.reset()
    return running


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path, gather=0.0, now=lambda: 1.8e9) as ledger:
        yield ledger


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    try:
        return Clock(tmp_path)
    except OSError:
        pytest.skip("no C compiler is there")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a ledger of some dozen rows."""
    with disk(tmp_path / "disk", "512k") as folder:
        yield folder


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run a test on the usual event loop, unless its mark names the virtual one."""
    mark = item.get_closest_marker("asyncio")
    named = mark.kwargs.get("loop_factories", ()) if mark else ()
    return {"virtual": VirtualLoop} if "virtual" in named else {"real": asyncio.new_event_loop}


@pytest.fixture
async def standing_sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    async with Sandbox(rate=10_000, burst=10_000) as running:
        yield running


@pytest.fixture
def runs(standing_sandbox: Sandbox, tmp_path: Path) -> "Runs":
    from sandbox_runs import Runs  # noqa: PLC0415 - polars takes a moment, and few tests need it

    return Runs(standing_sandbox, tmp_path)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """An S3 server with a bucket: one for all, for moto keeps the buckets of a process together."""
    from buckets import client, serving  # noqa: PLC0415 - moto takes a second, and few tests need it

    with serving() as url:
        client(url).create_bucket(Bucket="campaigns", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        yield url


@pytest.fixture
def s3(s3_server: str) -> str:
    """The server, with a list of three rows at s3://campaigns/today.csv."""
    from buckets import client  # noqa: PLC0415 - likewise

    client(s3_server).put_object(Bucket="campaigns", Key="today.csv", Body=contact_list(3).encode())
    return s3_server


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[int, str]]]:
    """What the program logged since, with its level."""
    caplog.set_level(logging.INFO, "bulk")
    return lambda: [(level, text) for name, level, text in caplog.record_tuples if name == "bulk"]
