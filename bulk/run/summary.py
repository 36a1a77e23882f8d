"""What became of a run, in numbers."""

import html
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a run. `seconds` are those of this sending; `halted` is the cause that would fail every row.

    `sent_before` rows were sent by earlier sendings, of which `differs` would get something else now. `rehearsal`: it
    went to a sandbox. In a notebook it shows as a table.

    Of the unknown rows, those `in_doubt` have a call without an answer, and the next sending settles them. `last_sent`
    is when the last row was sent, in ISO 8601. Neither is in `as_dict`.
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

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {name: value for name, value in asdict(self).items() if name not in {"in_doubt", "last_sent"}}

    def _repr_html_(self) -> str:
        cells = [(name, html.escape(str(value))) for name, value in self.as_dict().items() if value is not None]
        rows = "".join(f"<tr><th style='text-align:left'>{name}</th><td>{value}</td></tr>" for name, value in cells)
        return f"<table>{rows}</table>"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands while it runs. `done` counts rows with an end, `full` names operations that must wait.

    `per_second` are rows that this sending sends now, `seconds_left` what the rest takes; None where nobody can tell.
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

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON log prints it."""
        return asdict(self)
