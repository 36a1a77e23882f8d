"""The parts of a report besides the results: the message, the passes, what is left, what to type."""

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bulk.ledger import RunRecord
from bulk.model import Status
from bulk.operations import at
from bulk.reports import Command, Figures, Left, Message, Outcomes, Pass
from bulk.rules import Locality
from bulk.run.context import RunContext, RunRef, Source
from bulk.run.options import Options
from bulk.run.track_summary import tracking

_FLOW = "ContactFlowId"


def message_of(ref: RunRef, changed: tuple[str, ...] = ()) -> Message:
    """Return what was sent, as the campaign writes it: its own text, with nothing of a row in it."""
    request, channel = ref.campaign.request, ref.campaign.channel_facts
    found = {path: at(request, *path.split(".")) for path in channel.TEXTS}
    template = at(request, *channel.TEMPLATE.split(".")) if channel.TEMPLATE else None
    flow = at(request, _FLOW)
    sender = at(request, *channel.SENDER.split(".")) if channel.OUTBOUND else None
    return Message(
        sender=None if sender is None else str(sender),
        flow=None if flow is None else str(flow),
        texts={path: _text(value) for path, value in found.items() if value is not None},
        template=_flat(template) if isinstance(template, Mapping) else {},
        changed=changed,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(value: Any, path: str = "") -> dict[str, str]:
    """Return the members of a nested value by their dotted paths."""
    if not isinstance(value, Mapping):
        return {path: _text(value)}
    inner = (_flat(one, f"{path}.{name}" if path else str(name)) for name, one in value.items())
    return {name: text for members in inner for name, text in members.items()}


def passes_of(record: RunRecord) -> tuple[Pass, ...]:
    """Return who sent when; passes of before that was kept are not there."""
    return tuple(Pass(**asdict(one)) for one in record.passes())


def outcomes_of(ref: RunRef, record: RunRecord) -> Outcomes:
    """Return what became of the contacts of a run, as far as it was tracked."""
    told = tracking(ref, record)
    states = {"ended": told.ended, "open": told.open, "gone": told.gone, "not asked about": told.untracked}
    answers = {"answered": told.answered, "did not answer": told.silent}
    answers["not told"] = told.contacts - told.answered - told.silent
    feedback = {
        "said STOP": told.stops,
        "bounced for good": told.bounces,
        "bounced for now": told.soft_bounces,
        "complained": told.complaints,
    }
    known = [{name: number for name, number in one.items() if number} for one in (states, answers, feedback)]
    return Outcomes(told.contacts, known[0], told.reasons, known[1], known[2], told.note)


@dataclass(slots=True)
class Remaining:
    """Counts the rows that are pending by where they go."""

    places: Counter[Locality] = field(default_factory=Counter)

    def left(self, context: RunContext, now: datetime) -> Left | None:
        """Return how long they take and when that is over, if the sending goes on now; None where there are none."""
        rows = self.places.total()
        if not rows:
            return None
        channel, rates, tables = context.campaign.channel_facts, context.rates, context.campaign.tables
        operations = [name for table, name in channel.OPERATIONS.items() if table in tables]
        seconds = max(rates.limits(name).duration_of(rows, rows) for name in operations)
        room = rates.open_contacts()
        if room is not None:
            seconds = max(seconds, (rows - 1) // room * rates.open_for())
        per_second = rows / seconds if seconds > 0 else float(rows)
        rules = context.eligibility.rules
        ends_at = rules.finish_at(self.places, per_second=per_second, start=now.timestamp())
        return Left(rows, round(seconds, 3), datetime.fromtimestamp(ends_at, UTC))


@dataclass(frozen=True, slots=True)
class Typed:
    """Writes commands for a run, as they can be typed."""

    campaign: str
    options: Options

    @classmethod
    def of(cls, source: Source, options: Options) -> "Typed":
        """Return what writes commands for the run of a campaign."""
        return cls(str(source) if isinstance(source, str | Path) else "CAMPAIGN", options)

    def __call__(self, name: str, *more: str) -> str:
        """Return a command and what follows the options that say which run it is."""
        options = self.options
        named = {"--contacts": options.contacts, "--run": options.run_id, "--state-dir": options.state_dir}
        words = [
            word
            for option, value in named.items()
            if isinstance(value, str | Path) and (option, value) != ("--run", "default")
            for word in (option, str(value))
        ]
        sandbox = ["--sandbox"] if options.sandbox else []
        return shlex.join(["bulk", name, self.campaign, *words, *sandbox, *more])


def commands(figures: Figures, record: RunRecord, typed: Typed, *, sender: str | None) -> Iterator[Command]:
    """Yield what may be done now, the most urgent first."""
    counts = figures.counts
    if sender:
        yield Command("See how it goes on.", typed("status"))
    elif typed.options.sandbox and typed.options.state_dir is None:
        yield Command("It was a rehearsal. Send it for good:", Typed(typed.campaign, _for_good(typed.options))("send"))
    else:
        yield from _to_go_on(figures, record, typed)
    if any(counts[status] for status in (Status.REFUSED, Status.REJECTED, Status.UNKNOWN)):
        more = "-o", "failed.xlsx", "--only", "failed", "--join"
        yield Command("Write the rows that failed, beside the list's own columns.", typed("results", *more))


def _to_go_on(figures: Figures, record: RunRecord, typed: Typed) -> Iterator[Command]:
    counts, in_doubt = figures.counts, record.unanswered()
    if counts[Status.PENDING]:
        yield Command("Go on with the rows that are pending.", typed("send"))
    elif in_doubt:
        yield Command("Settle the rows in doubt: that makes no second message.", typed("send"))
    if counts[Status.UNKNOWN] > in_doubt:
        yield Command("See and decide about the rows that are unknown.", typed("resolve"))
    for status in (Status.REFUSED, Status.REJECTED):
        if counts[status]:
            yield Command(f"Once the cause is fixed, send the {status} rows.", typed("send", "--only", status.value))


def _for_good(options: Options) -> Options:
    return Options(contacts=options.contacts, run_id=options.run_id)
