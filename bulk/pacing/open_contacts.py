"""How many contacts may be open at once. Arithmetic only: time is an argument."""

from collections import deque
from collections.abc import Iterable

_NOTHING = 1e-6  # seconds: what the rounding of numbers leaves


class OpenContactLimit:
    """The contacts that may be open at once: `limit` of them, each for `open_for` seconds.

    `opened` are the times at which those opened that are open already, the oldest first.
    """

    def __init__(self, limit: int, open_for: float, opened: Iterable[float] = ()) -> None:
        self.limit = limit
        self._open_for = open_for
        self._opened = deque(opened, maxlen=limit)

    def wait(self, now: float) -> float:
        """Return how long until there is room for one more, in seconds."""
        return self.wait_for(1, now)

    def wait_for(self, contacts: int, now: float) -> float:
        """Return how long until the last of so many has room, in seconds, where each stays open for its whole time."""
        place = contacts - 1 - (self.limit - len(self._opened))
        if place < 0:
            return 0.0
        rounds, place = divmod(place, self.limit)
        ends = self._opened[place] if place < len(self._opened) else now  # those that are yet to open
        wait = ends + (rounds + 1) * self._open_for - now
        return wait if wait > _NOTHING else 0.0

    def count(self, now: float) -> int:
        """Return how many are open."""
        return sum(opened + self._open_for > now for opened in self._opened)

    def take(self, now: float) -> None:
        """Count a contact that opens now: of more than the limit, the oldest has ended."""
        self._opened.append(now)

    def give_back(self) -> None:
        """Count one contact less: it did not open after all, or has ended."""
        if self._opened:
            self._opened.pop()

    def refill(self, opened: Iterable[float]) -> None:
        """Replace what is known of open contacts; the times come oldest first."""
        self._opened = deque(opened, maxlen=self.limit)
