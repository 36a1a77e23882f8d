"""Objects as S3 keeps them, in memory, and what is asked of them by which clock: time is virtual where these are."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Self

import anyio
import pytest

from bulk.aws.objects import Objects, Replaced, Version

PLACE = "s3://bucket/x"


async def _no_trouble(act: str, name: str) -> None:
    """Let a request through."""


@dataclass
class Store:
    """All objects. `trouble` comes before each request, and raises; `lost` answers of writes never arrive."""

    kept: dict[str, tuple[bytes, Version]] = field(default_factory=dict)
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    trouble: Callable[[str, str], Awaitable[None]] = _no_trouble
    lost: int = 0
    written: int = 0

    def put(self, url: str, body: bytes, *, holder: str = "another", age: float = 0.0) -> str:
        """Keep an object, whatever was there, and return its ETag."""
        self.written += 1
        self.kept[url] = body, Version(f"etag {self.written}", holder, age)
        return f"etag {self.written}"

    def grow_old(self, url: str, age: float) -> None:
        """Have an object be written so many seconds ago."""
        body, version = self.kept[url]
        self.kept[url] = body, replace(version, age=age)

    def times(self, act: str, name: str) -> list[float]:
        """Return when an object was asked for in this way."""
        return [at for at, *what in self.asked if what == [act, name]]


class MemoryObjects(Objects):
    """The objects of a store under a URL."""

    def __init__(self, store: Any, url: str = PLACE) -> None:
        super().__init__(store, url)
        self.store: Store = store

    async def read(self, name: str) -> tuple[bytes, Version] | None:
        await self._ask("read", name)
        return self.store.kept.get(f"{self.url}/{name}")

    async def fetch(self, name: str, path: Path) -> Version | None:
        await self._ask("fetch", name)
        found = self.store.kept.get(f"{self.url}/{name}")
        if found is None:
            return None
        await done_at_once(path.write_bytes, found[0])
        return found[1]

    async def look(self, name: str) -> Version | None:
        await self._ask("look", name)
        found = self.store.kept.get(f"{self.url}/{name}")
        return None if found is None else found[1]

    async def write(self, name: str, body: bytes | IO[bytes], *, over: str | None, holder: str) -> str:
        await self._ask("write", name)
        content = body if isinstance(body, bytes) else body.read()
        found = self.store.kept.get(f"{self.url}/{name}")
        if over != (None if found is None else found[1].etag):
            raise Replaced(name)
        etag = self.store.put(f"{self.url}/{name}", content, holder=holder)
        if self.store.lost:
            self.store.lost -= 1
            raise Replaced(name)  # the answer was lost, and the second try met the first
        return etag

    def under(self, name: str) -> Self:
        return type(self)(self.store, f"{self.url}/{name}")

    async def _ask(self, act: str, name: str) -> None:
        await anyio.lowlevel.checkpoint()
        self.store.asked.append((anyio.current_time(), act, name))
        await self.store.trouble(act, name)


async def done_at_once(work: Callable[..., Any], *args: Any) -> Any:
    """Do in the event loop what is done in a thread else: in virtual time nothing waits for a thread."""
    await anyio.lowlevel.checkpoint()
    return work(*args)


@contextmanager
def in_memory(*modules: str) -> Iterator[Store]:
    """Have these modules work without threads, and claims be as old as virtual time has it; yield a store."""
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            patch.setattr(f"{module}.in_thread", done_at_once)
        patch.setattr("bulk.run.lease._clock", anyio.current_time)
        yield Store()
