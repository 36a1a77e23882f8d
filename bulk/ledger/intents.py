"""The writes for a call that is announced, and for one that is withdrawn."""

from bulk.ledger import consents, dispatches, marks, statements
from bulk.model import Announcement


def announcing(one: Announcement) -> list[tuple[str, tuple[object, ...]]]:
    """Return what announces a call, once more where it renews."""
    if one.renews:
        renewing = (statements.RENEW, (one.attempts, one.doubtful, one.at, one.delivery))
        return [renewing, *([(dispatches.RENEW, (one.at, one.token, one.delivery))] if one.reaches else [])]
    intending = (statements.INTEND, (one.step, one.token, one.digest, one.at, one.attempts, one.delivery))
    recording = (dispatches.RECORD, (one.opens, one.writes, one.at, one.segments, one.token, one.delivery))
    reopening = (statements.REOPEN, (one.delivery,))
    marking = [] if one.attribute is None else [(marks.RECORD, (one.attribute, one.at, one.token, one.delivery))]
    noting = [(consents.RECORD, (*one.consent, one.at, one.token, one.delivery))] if one.consent else []
    return [*([reopening] if one.reopens else []), intending, *([recording] if one.reaches else []), *marking, *noting]


def taking_back(token: str | None, delivery: int) -> list[tuple[str, tuple[object, ...]]]:
    """Return what takes back a dispatch under a token: nothing where there is none."""
    return [] if token is None else [(dispatches.TAKE_BACK, (token, delivery))]
