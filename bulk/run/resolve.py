"""Lists the rows that may or may not have been accepted, and stores people's decisions about them.

By a person, or by what Amazon Connect knows of them (`ask`).
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Unpack

from bulk.errors import BulkError, CampaignError
from bulk.ledger import Decision, Ledger, RunRecord, Unknown
from bulk.ledger.lock import sole_sender
from bulk.run.ask import ask as asked_about
from bulk.run.context import RunRef, Source, choose
from bulk.run.doubt_search import Settlement
from bulk.run.environment import open_from
from bulk.run.list_reader import ListReader
from bulk.run.options import Options
from bulk.run.places import Place, places_of
from bulk.run.results import found, recorded
from bulk.run.send_options import AskedOptions, public
from bulk.run.state_place import claimed, looked_at
from bulk.stop import Stop
from bulk.text.html_table import facts_table, rows_table
from bulk.threads import in_thread


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A row that was tried, and nobody can tell whether it was accepted.

    `row` is its place in the list as it is now, None where it is not in it any more. `line` and `file` are those of
    `Recipient`; they and `key` are not known where the list cannot be read. `destination` is masked. `tried_at` is when
    its last call was announced. One that is `in_doubt` has a call without an answer, and the next `bulk.send` settles
    it.
    """

    row: int | None
    line: int | None
    file: str
    key: str | None
    destination: str | None
    in_doubt: bool
    error_code: str | None
    error_message: str | None
    tried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was decided, about how many rows, and the rows that are unknown still. `asked`: what came of asking."""

    campaign: str
    run: str
    decision: Decision | None
    decided: int
    unknown: list[UnknownRow]
    asked: Settlement | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it: times in ISO 8601."""
        rows = [{**asdict(one), "tried_at": one.tried_at and one.tried_at.isoformat()} for one in self.unknown]
        told = {**asdict(self), "unknown": rows}
        return told if self.asked else {name: value for name, value in told.items() if name != "asked"}

    def _repr_html_(self) -> str:
        facts = {"decision": self.decision, "rows decided about": self.decided, "rows still unknown": len(self.unknown)}
        columns = ("row", "line", "key", "destination", "in doubt", "error", "tried at")
        rows = [
            (
                one.row,
                one.line,
                one.key,
                one.destination,
                one.in_doubt,
                one.error_code,
                one.tried_at,
            )
            for one in self.unknown
        ]
        return facts_table(f"Unknown rows of {self.campaign}, run {self.run}", facts) + rows_table(columns, rows)


@public
async def resolve(
    campaign: Source,
    decision: Decision | str | None = None,
    *,
    rows: Collection[int] | None = None,
    lines: Collection[int] | None = None,
    ask: bool = False,
    wait: float | None = None,
    **options: Unpack[AskedOptions],
) -> Resolution:
    """List the unknown rows of a run, after taking a decision about them where one is given.

    `decision` is `"resend"` (the next `bulk.send` sends them again, under new tokens), `"mark-sent"` (they were
    accepted) or `"give-up"` (they are never sent again). `rows` and `lines` name those decided about, by their places
    in the list, from 0, and by the lines in which they begin; all of them where both are None. `options` are those of
    `bulk.Options`.

    `ask` looks them up at Amazon Connect instead, by the attribute that `[doubt]` of the campaign names: found is sent,
    and what is certainly not there is sent again by the next `bulk.send`. Absence counts `wait` seconds after the last
    try; None: as the campaign says.

    A row in doubt is not resent: the next `bulk.send` settles it under the token of before.

    Raises `CampaignError` where one of them is not unknown, or is in doubt and to be resent (then nothing is decided),
    `ListError` where a line holds no row, `LedgerError` where nothing was sent yet, `RunBusy` where another process
    sends this run, and `Halted` where Amazon Connect does not answer: what it told before is decided.
    """
    asked, taken = Options.of(options), _a_decision(decision)
    async with looked_at(campaign, asked) as place:
        ref = found(await in_thread(choose, campaign, place.options))
        if ask:
            _check_asking(ref, taken, wait)
        with recorded(ref):  # or there is no need to fetch a list
            pass
        reader = await _reader(campaign, ref.options)
        named = await in_thread(_named, reader, rows, lines)
        if asked.state_url is None or not (taken or ask):
            return await _settled(ref, reader, taken, named, ask=ask, wait=wait)
    async with claimed(campaign, replace(asked, sandbox=ref.options.sandbox), Stop()) as place:
        away = replace(ref, options=place.options)
        resolution = await _settled(away, reader, taken, named, ask=ask, wait=wait)
    place.check()
    return resolution


async def _settled(
    ref: RunRef,
    reader: ListReader | BulkError,
    decision: Decision | None,
    named: Mapping[int, str] | None,
    *,
    ask: bool,
    wait: float | None,
) -> Resolution:
    """Take a decision, or ask, and list what is unknown then."""
    asked = await asked_about(ref, lambda record: _meant(reader, record, named), wait=wait) if ask else None
    told = await in_thread(_resolved, ref, reader, decision, named)
    return replace(told, decided=asked.decided, asked=asked) if asked else told


async def _reader(campaign: Source, options: Options) -> ListReader | BulkError:
    """Open the list, fetched first where it is in S3, or return why it cannot be read."""
    try:
        return (await open_from(campaign, options, to_send=False)).reader
    except BulkError as error:
        return error


def _named(
    reader: ListReader | BulkError, rows: Collection[int] | None, lines: Collection[int] | None
) -> dict[int, str] | None:
    """Return the rows that are decided about, each as it was named; None for all. Raise `ListError`."""
    if rows is None and lines is None:
        return None
    named = {row: f"row {row}" for row in rows or ()}
    if lines:
        if isinstance(reader, BulkError):
            raise reader
        named |= {row: f"line {line}" for line, row in reader.contacts.rows_at(lines).items()}
    return named


def _check_asking(ref: RunRef, decision: Decision | None, wait: float | None) -> None:
    """Raise `CampaignError` where nobody can be asked, or a decision stands beside the question."""
    if decision is not None:
        raise CampaignError("to ask is a decision of its own: leave the other one out")
    if ref.campaign.doubt.attribute is None:
        raise CampaignError(
            'to ask Amazon Connect, contacts need a mark: set [doubt] attribute = "bulk_row" in the campaign before it '
            "is sent"
        )
    if wait is not None and not 0 <= wait < math.inf:
        raise CampaignError(f"wait is {wait}, and must be seconds, 0 or more")


def _meant(reader: ListReader | BulkError, record: RunRecord, named: Mapping[int, str] | None) -> set[int] | None:
    return None if named is None else _deliveries(reader, record, Decision.MARK_SENT, named)


def _a_decision(given: Decision | str | None) -> Decision | None:
    try:
        return None if given is None else Decision(given)
    except ValueError:
        raise CampaignError(f"no decision {given!r}; there are {', '.join(Decision)}") from None


def _resolved(
    ref: RunRef, reader: ListReader | BulkError, decision: Decision | None, named: Mapping[int, str] | None
) -> Resolution:
    decided = 0 if decision is None else _decide(ref, reader, decision, named)
    with recorded(ref) as record:
        left = record.unknown()
        places = places_of(reader, record, left)
    told = sorted((_told(one, places.get(one.id)) for one in left), key=lambda one: (one.row is None, one.row or 0))
    return Resolution(ref.campaign.name, ref.options.run_id, decision, decided, told)


def _decide(ref: RunRef, reader: ListReader | BulkError, decision: Decision, named: Mapping[int, str] | None) -> int:
    """Decide as the run's only sender. The run's own facts stay as they are."""
    with sole_sender(ref.state_dir, ref.campaign.name, ref.options.run_id):
        with recorded(ref) as record:
            chosen_ones = None if named is None else _deliveries(reader, record, decision, named)
            facts = record.facts
        with Ledger.open(ref.state_dir) as ledger:
            run = ledger.begin(facts.identity, facts.digests)
            decided = run.resolve(decision, chosen_ones)
            run.close_pass(rows=facts.rows, halted=facts.halted)
    return decided


def _deliveries(
    reader: ListReader | BulkError, record: RunRecord, decision: Decision, named: Mapping[int, str]
) -> set[int]:
    """Return which rows of the ledger are meant by places in the list as it is now. Raise `CampaignError`."""
    left = record.unknown()
    unknown = {one.id: one for one in left}
    numbers = {place.row: id_ for id_, place in places_of(reader, record, left).items()}
    if foreign := sorted(named.keys() - numbers.keys()):
        told = ", ".join(named[row] for row in foreign)
        raise CampaignError(f"not unknown, so there is nothing to decide: {told}. Nothing was changed")
    meant = {numbers[row] for row in named}
    doubtful = sorted(row for row in named if unknown[numbers[row]].in_doubt)
    if decision is Decision.RESEND and doubtful:
        told = ", ".join(named[row] for row in doubtful)
        raise CampaignError(
            f"in doubt, and settled by the next `bulk send` under the token of before: {told}. To resend would "
            "make a second message of it. Nothing was changed"
        )
    return meant


def _told(one: Unknown, place: Place | None) -> UnknownRow:
    end = one.outcome
    row, line, file, key = (place.row, place.line, place.file, place.key) if place else (None, None, "", None)
    tried_at = one.intended_at or end.finished_at
    return UnknownRow(row, line, file, key, one.destination, one.in_doubt, end.error_code, end.error_message, tried_at)
