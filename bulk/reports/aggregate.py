"""Adds results up, batch by batch. It stores no more than the report shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from bulk.model import Status, mask, place_of
from bulk.reports.breakdown import IN_FLIGHT, Grouping
from bulk.reports.figures import LOOKED_AT, MOST_ATTEMPTS, TRIED, Figures, ReasonCount, Row
from bulk.reports.intervals import TimeHistogram
from bulk.reports.reasons import FileOf, Reason, Reasons, in_one_file

UNANSWERED = "unanswered"  # the code of a row whose call was announced and not answered
SHOWN = 100  # rows that need a look
_DIGITS = 7  # of a phone number without its country; what has fewer is not taken for one


@dataclass(slots=True)
class Fold:
    """Takes note of results (tables as `results.table` makes them). `private`: the keys are destinations.

    `file_of` tells in which file of the list a row is. While it is `sending`, a row without an answer is in flight.
    """

    private: bool = False
    file_of: FileOf = in_one_file
    sending: bool = False
    _in_flight: int = 0
    _groupings: dict[str, Grouping] = field(default_factory=dict)
    _counts: Counter[Status] = field(default_factory=Counter)
    _attempts: Counter[int] = field(default_factory=Counter)
    _histogram: TimeHistogram = field(default_factory=TimeHistogram)
    _reasons: Reasons = field(default_factory=Reasons)
    _look: dict[Status, list[Row]] = field(default_factory=lambda: {status: [] for status in LOOKED_AT})

    def note(self, results: pl.DataFrame, values: Mapping[str, Iterable[str | None]] | None = None) -> None:
        """Note some rows, which follow those noted before in the list, and their `values` by what they are called."""
        flying = pl.col("status").eq(Status.UNKNOWN) & pl.col("error_code").eq_missing(UNANSWERED) & self.sending
        statuses = results.select(pl.when(flying).then(pl.lit(IN_FLIGHT)).otherwise("status")).to_series()
        for name, of_rows in (values or {}).items():
            self._groupings.setdefault(name, Grouping(name)).note(of_rows, statuses)
        self._in_flight += int((statuses == IN_FLIGHT).sum())
        self._note_ended(results.filter(statuses != IN_FLIGHT))

    def _note_ended(self, results: pl.DataFrame) -> None:
        """Note rows that are not in flight."""
        self._counts.update({Status(status): rows for status, rows in _counted(results, "status")})
        tried = results.filter(pl.col("status").is_in(TRIED), pl.col("attempts") > 0)
        self._attempts.update(dict(_counted(tried, pl.col("attempts").clip(upper_bound=MOST_ATTEMPTS))))
        second = pl.col("finished_at").dt.epoch("s") // self._histogram.width * self._histogram.width
        for at, status, rows in _counted(results.filter(pl.col("finished_at").is_not_null()), second, "status"):
            self._histogram.add(at, Status(status), rows)
        unsent = results.filter(~pl.col("status").is_in([Status.SENT, Status.PENDING]))
        unsent = unsent.with_columns(key=self._keys(unsent))
        self._reasons.note(unsent, self.file_of)
        for status, rows in self._look.items():
            found = unsent.filter(pl.col("status") == status).head(SHOWN - len(rows))
            rows += [_row(one, self.file_of(one["row"])) for one in found.to_dicts()]

    def figures(self) -> Figures:
        """Add up."""
        return Figures(
            counts={status: self._counts[status] for status in Status},
            whys=tuple(map(_why, self._reasons.sorted())),
            look=tuple(row for status in LOOKED_AT for row in self._look[status])[:SHOWN],
            attempts=tuple(self._attempts[times] for times in range(1, MOST_ATTEMPTS + 1)),
            timeline=self._histogram.timeline(),
            throughput=self._histogram.throughput(),
            in_flight=self._in_flight,
            breakdowns=tuple(grouping.breakdown() for grouping in self._groupings.values()),
        )

    def _keys(self, rows: pl.DataFrame) -> pl.Series:
        """Return the keys of some rows, masked where they would tell whom to write to."""
        pairs = zip(rows["key"], rows["destination"], strict=True)
        shown = [mask(key) if self.private or _tells(key, to) else key for key, to in pairs]
        return pl.Series("key", shown, pl.String)


def _counted(rows: pl.DataFrame, *by: str | pl.Expr) -> list[tuple[Any, ...]]:
    return rows.group_by(*by, maintain_order=True).len().rows()


def _tells(key: str, destination: str | None) -> bool:
    """Whether a key is the destination, perhaps written otherwise."""
    if destination is None or key == destination:
        return key == destination
    digits = "".join(filter(str.isdigit, key))
    return key.casefold() == destination.casefold() or (len(digits) >= _DIGITS and destination.endswith(digits))


def _row(one: dict[str, Any], file: str) -> Row:
    destination = one["destination"]
    return Row(
        place=place_of(one["row"], one["line"], file),
        key=one["key"],
        destination=destination and mask(destination),
        status=Status(one["status"]),
        code=one["error_code"],
        message=one["error_message"],
        attempts=one["attempts"],
        at=one["finished_at"],
    )


def _why(reason: Reason) -> ReasonCount:
    example = reason.examples[0]
    return ReasonCount(reason.status, reason.code, reason.rows, example.place, example.key, example.message)
