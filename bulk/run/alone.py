"""One row of a destination under way at a time, where caps count them: the second sees what the first was sent."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import anyio

TOGETHER = nullcontext()


@dataclass(slots=True)
class Alone:
    """The destinations under way. Where it is not `needed`, all rows go together."""

    needed: bool
    _under_way: Counter[str] = field(default_factory=Counter)
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    def with_(self, destination: str | None) -> AbstractAsyncContextManager[None]:
        """Wait until no other row of this destination is under way."""
        return self._locked(destination) if self.needed and destination is not None else TOGETHER

    @asynccontextmanager
    async def _locked(self, destination: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(destination, anyio.Lock())
        self._under_way[destination] += 1
        try:
            async with lock:
                yield
        finally:
            self._under_way[destination] -= 1
            if not self._under_way[destination]:
                del self._under_way[destination], self._locks[destination]
