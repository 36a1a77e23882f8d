"""How the contacts of a run ended: asked for, or read from contact events. It is no receipt of delivery.

What is told is kept at once, some contacts together, so a track that is cut short goes on where it stopped.
What has ended is not asked about again.

Source: Amazon Connect API Reference, "DescribeContact".
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Unpack

import anyio

from bulk.aws.lookups import fetch
from bulk.delivery.enquiry import Enquirer
from bulk.errors import CallFailed, CampaignError, Halted, LedgerError, unwrapped
from bulk.ledger import ContactEnd, Ledger, RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.loader import Scratch
from bulk.run.contact_events import ENDED, GONE, OPEN, ContactFacts, facts_of, read_events
from bulk.run.context import RunRef, Source, choose
from bulk.run.enquiries import check_remembered, enquirer
from bulk.run.environment import destination, endpoint_of
from bulk.run.options import Options
from bulk.run.results import found, recorded
from bulk.run.send_options import SendOptions, public
from bulk.run.state_place import claimed
from bulk.stop import Stop, Stopped
from bulk.threads import in_thread

NO_RECEIPT = "how contacts ended at Amazon Connect; whether a message reached the person, it does not tell"
OPERATION = "DescribeContact"
AT_ONCE = 8  # questions under way
TOGETHER = 10  # contacts that are recorded together: at the quota, those of a second


@dataclass(frozen=True, slots=True)
class Tracking:
    """How the contacts of a run ended, as far as is known.

    `contacts` were accepted. Of these `ended`, are `open` still, or are `gone` (Amazon Connect knows them no more);
    `untracked` were not asked about yet. `answered` are those whose person wrote back, `silent` those whose did not;
    of the rest that is not told. `reasons` counts the disconnect reasons, `asked` what this call asked or read.
    """

    campaign: str
    run: str
    contacts: int
    ended: int
    open: int
    gone: int
    untracked: int
    answered: int
    silent: int
    reasons: dict[str, int]
    asked: int
    rehearsal: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as `--json` prints it, with what it does not claim."""
        return {**asdict(self), "note": self.note}

    @property
    def note(self) -> str:
        """What it does not claim."""
        return NO_RECEIPT


@public
async def track(
    campaign: Source, *, events: Path | str | None = None, stop: Stop | None = None, **options: Unpack[SendOptions]
) -> Tracking:
    """Find out how the contacts of a run ended, and keep that in the ledger; return what is known by then.

    Amazon Connect is asked about each contact whose end is not known yet (DescribeContact, 10 a second), or `events`
    are read: a file or folder of contact events or contact records as NDJSON, also `s3://bucket/prefix/`. `stop` ends
    it early. `options` are those of `bulk.Options`. It may run while the run is being sent.

    It is no receipt of delivery: Amazon Connect tells how a contact ended, not whether a message reached the person.

    Raises `CampaignError` for events that cannot be read, `LedgerError` where nothing was sent, or to somewhere else,
    and `Halted` where Amazon Connect does not answer: what it told before is kept.
    """
    asked, halting = Options.of(options), stop or Stop()
    if asked.dry_run:
        raise CampaignError("track asks for real: leave --dry-run out")
    async with claimed(campaign, asked, halting) as place:
        told = await _tracked(found(await in_thread(choose, campaign, place.options)), events, halting)
    place.check()
    return told


async def _tracked(ref: RunRef, events: Path | str | None, stop: Stop) -> Tracking:
    with recorded(ref):  # or there is nothing to open
        pass
    with Ledger.open(ref.state_dir) as ledger:
        record = ledger.find(ref.campaign.name, ref.options.run_id)
        assert record is not None  # noqa: S101 - it was found a moment ago
        keeping = _Keeping(ledger, record)
        if events is None:
            await _ask_all(ref, keeping, stop)
        else:
            await _read_all(ref, keeping, events)
        return await in_thread(_told, ref, record, keeping.told)


@dataclass(slots=True)
class _Keeping:
    """What keeps in the ledger what was told. `told` counts it."""

    ledger: Ledger
    record: RunRecord
    told: int = 0

    def keep(self, ends: Sequence[ContactEnd]) -> None:
        self.ledger.write(self.record, lambda writing, _: ledger_ends.record(writing, ends))
        self.told += len(ends)


async def _read_all(ref: RunRef, keeping: _Keeping, events: Path | str) -> None:
    """Keep what events tell of this run's contacts; those of others are passed over."""
    if not str(events).startswith("s3://"):
        await in_thread(_read, keeping, Path(events))
        return
    scratch = Scratch()
    try:
        await in_thread(_read, keeping, await fetch(str(events), endpoint_of(ref), scratch.path))
    finally:
        scratch.close()


def _read(keeping: _Keeping, path: Path) -> None:
    known, now = keeping.record.read(ledger_ends.contacts), time.time()
    ours = (
        _end(known[facts.contact_id], facts, "event", now) for facts in read_events(path) if facts.contact_id in known
    )
    while some := list(islice(ours, 1000)):
        keeping.keep(some)


async def _ask_all(ref: RunRef, keeping: _Keeping, stop: Stop) -> None:
    """Ask about each contact whose end is not known, and keep what is told, whatever ends it."""
    waiting = await in_thread(keeping.record.read, ledger_ends.still_open)
    if not waiting:
        return
    check_remembered(ref)
    async with destination(ref) as (transport, place):
        assert transport is not None  # noqa: S101 - only a dry run has none
        _check_place(ref, keeping.record, place)
        asking = enquirer(ref, transport, (OPERATION,), stop)
        left, told = iter(waiting), list[ContactEnd]()
        try:
            with unwrapped():
                async with anyio.create_task_group() as group:
                    for _ in range(min(AT_ONCE, len(waiting))):
                        group.start_soon(partial(_ask, asking, left, told, keeping, instance=ref.instance))
        except Stopped:
            pass
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(keeping.keep, told)


async def _ask(
    asking: Enquirer, left: Iterator[tuple[int, str]], told: list[ContactEnd], keeping: _Keeping, *, instance: str
) -> None:
    for delivery, contact in left:
        told.append(await _end_of(asking, delivery, contact, instance=instance))
        if len(told) >= TOGETHER:
            some = told.copy()
            told.clear()
            await in_thread(keeping.keep, some)


async def _end_of(asking: Enquirer, delivery: int, contact: str, *, instance: str) -> ContactEnd:
    try:
        answer = await asking.ask(OPERATION, {"InstanceId": instance, "ContactId": contact}, of_one=True)
    except CallFailed as failure:
        if "NotFound" not in failure.code:
            raise Halted(str(failure)) from failure
        return ContactEnd(delivery, contact, GONE, None, None, None, None, "asked", time.time())
    facts = facts_of(answer.members.get("Contact") or {}) or ContactFacts(contact, None, None, None, None)
    return _end(delivery, facts, "asked", time.time())._replace(contact_id=contact)


def _end(delivery: int, facts: ContactFacts, source: str, now: float) -> ContactEnd:
    about = facts.initiated_at, facts.disconnected_at, facts.reason, facts.messages
    return ContactEnd(delivery, facts.contact_id, facts.state, *about, source, now)


def _check_place(ref: RunRef, record: RunRecord, place: tuple[str, str]) -> None:
    """Raise `LedgerError` where another instance would be asked than the one that was sent to."""
    known, asked = record.facts.identity, ref.identity(*place)
    if known != asked:
        raise LedgerError(
            f"run {known.run!r} belongs to {known.endpoint}, {known.region}, instance {known.instance}, and this would "
            f"ask {asked.endpoint}, {asked.region}, instance {asked.instance}. Ask where it was sent"
        )


def _told(ref: RunRef, record: RunRecord, asked: int) -> Tracking:
    ends = list(record.read(lambda reader, run: list(ledger_ends.ends(reader, run))))
    states, contacts = Counter(end.state for end in ends), len(record.read(ledger_ends.contacts))
    answers = Counter(end.messages > 0 for end in ends if end.messages is not None)
    reasons = Counter(end.reason or "not told" for end in ends if end.state == ENDED)
    return Tracking(
        ref.campaign.name,
        ref.options.run_id,
        contacts,
        states[ENDED],
        states[OPEN],
        states[GONE],
        contacts - len(ends),
        answers[True],
        answers[False],
        dict(reasons.most_common()),
        asked,
        ref.options.sandbox,
    )
