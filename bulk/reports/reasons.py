"""Why rows ended as they did, counted over the results, with the first rows of each reason."""

from dataclasses import dataclass, field

import polars as pl

from bulk.model import Status

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A row, by its place in the list and its key, and what is said of it."""

    row: int
    key: str
    message: str | None


@dataclass(slots=True)
class Reason:
    """So many rows ended so, for this reason, and the first of them."""

    status: Status
    code: str | None
    rows: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Reasons:
    """The reasons met so far."""

    _reasons: dict[tuple[str, str | None], Reason] = field(default_factory=dict)

    def note(self, results: pl.DataFrame) -> None:
        """Take note of some rows of the results."""
        for (status, code), rows in results.group_by("status", "error_code", maintain_order=True):
            reason = self._reasons.setdefault((status, code), Reason(Status(status), code))
            reason.rows += rows.height
            examples = rows.head(EXAMPLES - len(reason.examples)) if status != Status.PENDING else rows.clear()
            reason.examples += map(Example, *(examples[name] for name in ("row", "key", "error_message")))

    def count(self, status: Status, code: str | None, rows: int = 1) -> Reason:
        """Count rows of one reason, and return it for an example to be added."""
        reason = self._reasons.setdefault((status, code), Reason(status, code))
        reason.rows += rows
        return reason

    def sorted(self) -> list[Reason]:
        """Return them, that of most rows first."""
        return sorted(self._reasons.values(), key=lambda reason: -reason.rows)
