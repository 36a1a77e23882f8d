"""The rows of a list by country, zone, or a column, with their outcomes; in little memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bulk.model import Status
from bulk.reports.figures import Breakdown, Group

SHOWN: Final = 25  # values, those of most rows
KEPT: Final = 10_000  # values that are told apart; rows of further ones are counted together
IN_FLIGHT: Final = "in flight"
EMPTY: Final = "(empty)"

_MEANS: Final = {
    Status.SENT: "accepted",
    Status.SKIPPED: "left_out",
    Status.REFUSED: "failed",
    Status.REJECTED: "failed",
    Status.UNKNOWN: "failed",
    Status.PENDING: "pending",
    IN_FLIGHT: "in_flight",
}
_NO_MORE = object()  # stands for all values beyond those that are told apart


@dataclass(slots=True)
class Grouping:
    """Counts rows by one thing, which is called `by`."""

    by: str
    _counts: dict[object, Counter[str]] = field(default_factory=dict)

    def note(self, values: Iterable[str | None], statuses: Iterable[str]) -> None:
        """Count some rows: each with its value and its status."""
        for (value, status), rows in Counter(zip(values, statuses, strict=True)).items():
            name: object = value or EMPTY
            if name not in self._counts and len(self._counts) >= KEPT:
                name = _NO_MORE
            self._counts.setdefault(name, Counter())[_MEANS[status]] += rows

    def breakdown(self) -> Breakdown:
        """Return the values, those of most rows first, and the others added up."""
        most = sorted(self._counts.items(), key=lambda item: (item[0] is _NO_MORE, -item[1].total(), str(item[0])))
        shown = most[:SHOWN] if _NO_MORE not in self._counts else most[: min(SHOWN, len(most) - 1)]
        rest = Counter[str]()
        for _, counts in most[len(shown) :]:
            rest.update(counts)
        others = _group("others", rest) if rest else None
        return Breakdown(
            self.by, tuple(_group(str(name), counts) for name, counts in shown), len(most) - len(shown), others
        )


def _group(value: str, counts: Counter[str]) -> Group:
    return Group(value, counts.total(), **counts)
