"""Why rows ended as they did, counted over the results, with the first rows for each reason."""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from bulk.model import Status, place_of

EXAMPLES = 3

FileOf = Callable[[int], str]
"""In which file of the list a row is; empty where there is one."""


def in_one_file(_: int) -> str:
    """Return the file of a row of a list that is in one."""
    return ""


@dataclass(frozen=True, slots=True)
class Example:
    """A row, by where it stands in the list (see `Recipient`) and its key, and what is said of it."""

    row: int
    key: str
    message: str | None
    line: int | None = None
    file: str = ""

    @property
    def place(self) -> str:
        """Where the row stands, in words."""
        return place_of(self.row, self.line, self.file)


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

    def note(self, results: pl.DataFrame, file_of: FileOf = in_one_file) -> None:
        """Note some rows of the results; `file_of` tells in which file of the list a row is."""
        for (status, code), rows in results.group_by("status", "error_code", maintain_order=True):
            reason = self._reasons.setdefault((status, code), Reason(Status(status), code))
            reason.rows += rows.height
            examples = rows.head(EXAMPLES - len(reason.examples)) if status != Status.PENDING else rows.clear()
            for row, key, message, line in examples.select("row", "key", "error_message", "line").rows():
                reason.examples.append(Example(row, key, message, line, file_of(row)))

    def count(self, status: Status, code: str | None, rows: int = 1) -> Reason:
        """Count rows of one reason, and return it for an example to be added."""
        reason = self._reasons.setdefault((status, code), Reason(status, code))
        reason.rows += rows
        return reason

    def sorted(self) -> list[Reason]:
        """Return them, that of most rows first."""
        return sorted(self._reasons.values(), key=lambda reason: -reason.rows)
