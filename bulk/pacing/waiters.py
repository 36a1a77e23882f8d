"""Counts who waits for a turn or for room. The counts decide how many deliveries are in progress."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class WaiterCount:
    """Counts the deliveries that wait in any queue of a run. While there are none, more deliveries could be under way.

    So as many are under way as rate and latency need. `when_nobody` is called when the last that waited goes on.

    Where contacts that are open leave no room for another, one delivery waits for it, and the other rows wait in the
    list. But while rows are `unsettled`, whose tokens grow old, others are taken meanwhile: those may come after it.
    """

    def __init__(self, unsettled: int = 0) -> None:
        self.unsettled = unsettled
        self.when_nobody: Callable[[], None] = lambda: None
        self._number = self._for_room = 0

    @property
    def nobody(self) -> bool:
        """Whether nobody waits who keeps others from being taken."""
        return self._number == (self._for_room if self.unsettled > 0 else 0)

    @property
    def is_full(self) -> bool:
        """Whether a delivery waits for room, and no other is to be taken meanwhile."""
        return self._for_room > 0 and self.unsettled <= 0

    def __enter__(self) -> None:
        self._number += 1

    def __exit__(self, *_: object) -> None:
        self._number -= 1
        if self.nobody:
            self.when_nobody()

    @contextmanager
    def for_room(self) -> Iterator[None]:
        """Wait for room."""
        self._for_room += 1
        with self:
            try:
                yield
            finally:
                self._for_room -= 1
