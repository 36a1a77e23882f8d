"""How the contacts of a run ended, by questions or events. It does not prove that a message arrived.

What is told is kept at once, so a track that is cut short goes on where it stopped. What has ended is not asked about
again. Who asked for no more messages, in a reply that an event holds, is put on the suppression list.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import anyio

from bulk.errors import BulkError, CampaignError
from bulk.ledger import Ledger
from bulk.ledger import feedback as ledger_feedback
from bulk.run.addressees import destinations_of
from bulk.run.contact_enquiry import Keeping, ask_all
from bulk.run.context import RunRef, Source, choose
from bulk.run.environment import open_from
from bulk.run.event_intake import EventIntake, complaint
from bulk.run.options import Options
from bulk.run.own_list_place import OwnListPlace
from bulk.run.results import found, recorded
from bulk.run.send_options import SendOptions, public
from bulk.run.state_place import claimed
from bulk.run.track_summary import Tracking, tracking
from bulk.stop import Stop
from bulk.threads import in_thread

log = logging.getLogger("bulk")


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
            return await in_thread(tracking, ref, record, keeping.told)
        intake = EventIntake(ref, ledger, record, own)
        try:
            await intake.read(source, stop)
        finally:
            with anyio.CancelScope(shield=True):
                await _list_rest(ref, intake)
        if intake.malformed:
            log.warning("%s\nwhat is no event was left where it is", complaint(intake.malformed))
        told = await in_thread(tracking, ref, record, intake.told)
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
    await in_thread(
        lambda: intake.ledger.write(intake.record, lambda writing, _: ledger_feedback.mark_listed(writing, named))
    )
