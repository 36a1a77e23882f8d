"""The outcome of a run in numbers."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from bulk.text.html_table import facts_table


@dataclass(frozen=True, slots=True)
class VirtualTime:
    """When a rehearsal in virtual time began and ended by its clock (ISO 8601); it took `real_seconds`.

    `planned_at` is when the plan had promised the end, None where it promised nothing, or not of this run as a whole;
    `late` is by which part of the planned time it took longer: 0.01 is 1 %, below 0 it was sooner.
    """

    began_at: str
    ended_at: str
    planned_at: str | None
    late: float | None
    real_seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a run. `seconds` are those of this sending; `halted` is the cause that would fail every row.

    `sent_before` rows were sent by earlier sendings, of which `differs` would get something else now. `rehearsal`: it
    went to a sandbox. In a notebook it shows as a table.

    Of the unknown rows, those `in_doubt` have a call without an answer, and the next sending settles them. `last_sent`
    is when the last row was sent, in ISO 8601. Neither is in `as_dict`. `virtual_time` is that of a rehearsal with one;
    elsewhere it is not in `as_dict` either, and `seconds` are real.
    """

    campaign: str
    run: str
    channel: str
    rows: int
    sent: int
    skipped: int
    refused: int
    rejected: int
    unknown: int
    pending: int
    calls: int
    throttled: int
    seconds: float
    results: str | None
    halted: str | None
    sent_before: int = 0
    differs: int = 0
    rehearsal: bool = False
    in_doubt: int = 0
    last_sent: str | None = None
    virtual_time: VirtualTime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        hidden = {"in_doubt", "last_sent"} | ({"virtual_time"} if self.virtual_time is None else set())
        return {name: value for name, value in asdict(self).items() if name not in hidden}

    def _repr_html_(self) -> str:
        return facts_table("REHEARSAL: nobody was written to" if self.rehearsal else "Run", self.as_dict())


@dataclass(frozen=True, slots=True)
class Waiting:
    """One reason for which rows wait, and until when (`until`: Unix seconds, None where nobody can tell).

    `reason` is `open_contacts` (`open` of `limit` contacts are open), `full` (the service says so, for `operation`),
    `hours` (`rows` rows wait for a window that opens in `zone`), `rate` (the next call is far off) or `start`.
    """

    reason: str
    until: float | None = None
    operation: str | None = None
    open: int | None = None
    limit: int | None = None
    rows: int | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a sending stands, and what it waits for. It counts what this pass does: rows of earlier ones are `before`.

    Of `total` rows that this pass goes over (None until they are counted), `done` have an end: sent, skipped, refused,
    rejected (by the service), unknown; `failed` are the last three. `in_flight` are calls without an answer,
    `full` operations that the service has no room for. `per_second` are rows sent a second over the last half minute,
    `permitted` what the limits allow, `granted` what the service takes where that is less: None where nobody can tell.
    `seconds_left` is what the rest takes by pace, holds and sending hours, and `ends_at` (Unix seconds) its end.
    """

    total: int | None
    done: int
    sent: int
    failed: int
    calls: int
    throttled: int
    seconds: float
    full: tuple[str, ...] = ()
    per_second: float = 0.0
    seconds_left: float | None = None
    skipped: int = 0
    refused: int = 0
    rejected: int = 0
    unknown: int = 0
    before: int = 0
    in_flight: int = 0
    permitted: float | None = None
    granted: float | None = None
    ends_at: float | None = None
    waits: tuple[Waiting, ...] = ()
    campaign: str = ""
    run: str = ""

    @property
    def percent(self) -> int | None:
        """How much of this pass is done, in whole per cent, rounded down: 100 only at the end."""
        return None if self.total is None else 100 * self.done // self.total if self.total else 100

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON log prints it: times in ISO 8601."""
        told = asdict(self) | {"percent": self.percent, "ends_at": _iso(self.ends_at)}
        told["waits"] = [_known(asdict(one) | {"until": _iso(one.until)}) for one in self.waits]
        return told

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Progress":
        """Return the progress that `as_dict` told."""
        given = {name: value for name, value in told.items() if name in {field.name for field in fields(cls)}}
        waits = [Waiting(**one | {"until": _unix(one.get("until"))}) for one in told["waits"]]
        return cls(**given | {"full": tuple(told["full"]), "ends_at": _unix(told["ends_at"]), "waits": tuple(waits)})


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _unix(at: str | None) -> float | None:
    return None if at is None else datetime.fromisoformat(at).timestamp()
