"""How the contacts of a run ended: asked for, or read from events. It is no receipt of delivery.

What is told is kept at once, so a track that is cut short goes on where it stopped. What has ended is not asked about
again. Who asked for no more messages, in a reply that an event holds, is put on the suppression list.
"""

import logging
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import anyio

from bulk.errors import BulkError, CampaignError
from bulk.ledger import Ledger, RunRecord
from bulk.ledger import ends as ledger_ends
from bulk.ledger import feedback as ledger_feedback
from bulk.run.addressees import destinations_of
from bulk.run.contact_enquiry import Keeping, ask_all
from bulk.run.contact_events import ENDED, GONE, OPEN
from bulk.run.context import RunRef, Source, choose
from bulk.run.environment import open_from
from bulk.run.event_intake import EventIntake, complaint
from bulk.run.options import Options
from bulk.run.own_list_place import OwnListPlace
from bulk.run.results import found, recorded
from bulk.run.send_options import SendOptions, public
from bulk.run.state_place import claimed
from bulk.stop import Stop
from bulk.threads import in_thread

log = logging.getLogger("bulk")

NO_RECEIPT = "how contacts ended at Amazon Connect; whether a message reached the person, it does not tell"


@dataclass(frozen=True, slots=True)
class Tracking:
    """How the contacts of a run ended, as far as is known.

    `contacts` were accepted. Of these `ended`, are `open` still, or are `gone` (Amazon Connect knows them no more);
    `untracked` were not asked about yet. `answered` are those whose person wrote back, `silent` those whose did not;
    of the rest that is not told. `reasons` counts the disconnect reasons, `asked` what this call asked or read.

    `stops`, `bounces` (for good), `soft_bounces` and `complaints` came back, as far as events told. `listed` were put
    on the suppression list by this call, `unlisted` should be and their destinations are not known. `malformed` is how
    many things were no events; they stay where they are.
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
    stops: int = 0
    bounces: int = 0
    soft_bounces: int = 0
    complaints: int = 0
    listed: int = 0
    unlisted: int = 0
    malformed: int = 0

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
    are read, by default those that the campaign names under `[track]`: a file or folder of events as NDJSON,
    `s3://bucket/prefix/`, or the URL or ARN of an SQS queue. People who asked for no more messages go on the
    suppression list. `stop` ends it early. `options` are those of `bulk.Options`. It may run while the run is being
    sent.

    It is no receipt of delivery: Amazon Connect tells how a contact ended, not whether a message reached the person.

    Raises `CampaignError` for events that cannot be read, `LedgerError` where nothing was sent, or to somewhere else,
    and `Halted` where Amazon Connect does not answer: what it told before is kept.
    """
    asked, halting = Options.of(options), stop or Stop()
    if asked.dry_run:
        raise CampaignError("track asks for real: leave --dry-run out")
    async with claimed(campaign, asked, halting) as place:
        ref = found(await in_thread(choose, campaign, place.options))
        told = await _tracked(ref, _source(ref, events), place.own_list(ref), halting)
    place.check()
    return told


def _source(ref: RunRef, events: Path | str | None) -> str | None:
    """Return where events are: those that the campaign names are relative to it."""
    if events is not None or (named := ref.campaign.track.events) is None:
        return None if events is None else str(events)
    return named if "://" in named or named.startswith("arn:") else str(ref.campaign.folder / named)


async def _tracked(ref: RunRef, source: str | None, own: OwnListPlace, stop: Stop) -> Tracking:
    with recorded(ref):  # or there is nothing to open
        pass
    with Ledger.open(ref.state_dir) as ledger:
        record = ledger.find(ref.campaign.name, ref.options.run_id)
        assert record is not None  # noqa: S101 - it was found a moment ago
        if source is None:
            keeping = Keeping(ledger, record)
            await ask_all(ref, keeping, stop)
            return await in_thread(_told, ref, record, keeping.told)
        intake = EventIntake(ref, ledger, record, own)
        try:
            await intake.read(source, stop)
        finally:
            with anyio.CancelScope(shield=True):
                await _list_rest(ref, intake)
        if intake.malformed:
            log.warning("%s\nwhat is no event was left where it is", complaint(intake.malformed))
        told = await in_thread(_told, ref, record, intake.told)
        return replace(told, listed=intake.listed, malformed=len(intake.malformed))


async def _list_rest(ref: RunRef, intake: EventIntake) -> None:
    """Put on the suppression list whom an event named by the contact alone: the list knows their destinations."""
    left = intake.record.read(lambda reader, run: ledger_feedback.unlisted(reader, run, ref.campaign.track.suppress))
    if not left:
        return
    try:
        context = await open_from(ref.campaign, ref.options, to_send=False)
        wanted = {delivery for delivery, _ in left}
        known = await in_thread(destinations_of, context.reader, intake.record, wanted)
    except BulkError as error:
        log.warning("%d people are not on the suppression list yet, as the list cannot be read: %s", len(left), error)
        return
    named = [(delivery, kind) for delivery, kind in left if delivery in known]
    await intake.put([(kind, known[delivery]) for delivery, kind in named])
    mark = lambda writing, _: ledger_feedback.mark_listed(writing, named)  # noqa: E731 - one use
    await in_thread(intake.ledger.write, intake.record, mark)


def _feedback(ref: RunRef, record: RunRecord) -> tuple[int, ...]:
    """Return how many stops, bounces, soft bounces and complaints there are, how many were listed, and were not."""
    counts = Counter(kind for kinds in record.read(ledger_feedback.kinds_of).values() for kind in kinds)
    left = record.read(lambda reader, run: ledger_feedback.unlisted(reader, run, ref.campaign.track.suppress))
    return *(counts[kind] for kind in ledger_feedback.KINDS), 0, len(left)


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
        *_feedback(ref, record),
    )
