"""`--limit`: at most so many rows are called over all readings of the list; rows without a call do not count."""

import math

import anyio


class Allotment:
    """The rows that may still be called. Without a limit there is always one more."""

    def __init__(self, limit: int | None) -> None:
        self._left = math.inf if limit is None else limit
        self._under_way = 0
        self._changed = anyio.Event()

    @property
    def is_used_up(self) -> bool:
        """Whether no further row may be called."""
        return not self._left

    async def take(self) -> bool:
        """Wait until it is known whether one more row may be called, and return that. Follow it by `give_back`."""
        while self._left <= self._under_way:
            if self.is_used_up:
                return False
            await self._changed.wait()
        self._under_way += 1
        return True

    def give_back(self, *, called: bool) -> None:
        """Record that a row has ended, and whether it was called."""
        self._under_way -= 1
        self._left -= called
        self._changed.set()
        self._changed = anyio.Event()
