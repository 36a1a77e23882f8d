"""Do so many rows fail that the rest would fail too? Arithmetic only.

The same error many times in a row is the campaign's or the account's, not the rows'.
"""

import re
from dataclasses import dataclass

from bulk.model import Outcome, Status

FEWEST = 50  # outcomes before a share says anything

_WORD = re.compile(r"\S+")
_VARIES = re.compile(r"[\d@]")
_FAILED = frozenset({Status.REJECTED, Status.UNKNOWN})


@dataclass(slots=True)
class Breaker:
    """Watches the outcomes of tried rows; says when to halt.

    `same_error_in_a_row` rows that fail alike, one after the other, or more than `failure_share` of all, are the limit.
    """

    same_error_in_a_row: int
    failure_share: float
    tried: int = 0
    failed: int = 0
    in_a_row: int = 0
    last: tuple[str | None, str] | None = None

    def after(self, outcome: Outcome) -> str | None:
        """Take an outcome into account; give the reason to halt, or None."""
        if outcome.status not in _FAILED:
            self.tried += outcome.status is Status.SENT
            self.in_a_row, self.last = 0, None
            return None
        self.tried += 1
        self.failed += 1
        error = outcome.error_code, _alike(outcome.error_message or "")
        self.in_a_row, self.last = (self.in_a_row + 1 if error == self.last else 1), error
        if self.in_a_row >= self.same_error_in_a_row:
            return f"{self.in_a_row} rows in a row failed alike ([stop] same_error_in_a_row): {_told(outcome)}"
        if self.tried >= FEWEST and self.failed > self.failure_share * self.tried:
            return f"{self.failed} of {self.tried} rows failed ([stop] failure_share), the last: {_told(outcome)}"
        return None


def _alike(message: str) -> str:
    """Leave out what differs between the same error of two rows: ids, numbers and addresses."""
    return _WORD.sub(lambda found: "…" if _VARIES.search(found[0]) else found[0], message)


def _told(outcome: Outcome) -> str:
    return f"{outcome.error_code}: {outcome.error_message}"
