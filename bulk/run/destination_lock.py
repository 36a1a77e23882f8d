"""Only one row of a person is in progress at a time if caps count them, so the second sees the first."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import anyio

from bulk.text.identity import identity

TOGETHER = nullcontext()


@dataclass(slots=True)
class DestinationLock:
    """The people under way. Where it is not `needed`, all rows go together."""

    needed: bool
    _under_way: Counter[str] = field(default_factory=Counter)
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    def with_(self, destination: str | None) -> AbstractAsyncContextManager[None]:
        """Wait until no other row of this person is under way."""
        return self._locked(identity(destination)) if self.needed and destination is not None else TOGETHER

    @asynccontextmanager
    async def _locked(self, person: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(person, anyio.Lock())
        self._under_way[person] += 1
        try:
            async with lock:
                yield
        finally:
            self._under_way[person] -= 1
            if not self._under_way[person]:
                del self._under_way[person], self._locks[person]
