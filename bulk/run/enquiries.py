"""Makes the enquirer that asks Amazon Connect about contacts of a run, within the quotas of those operations."""

from collections.abc import Iterable

from bulk.aws.connect import Connect
from bulk.delivery.enquiry import Enquirer
from bulk.errors import CampaignError
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Limits, with_headroom
from bulk.pacing.queue import LocalStore, RateLimitQueue
from bulk.run.context import RunRef
from bulk.stop import Stop

# "Amazon Connect service quotas", API throttling: calls a second, and burst.
QUOTAS = {"SearchContacts": (0.5, 1), "GetContactAttributes": (10.0, 15), "DescribeContact": (10.0, 15)}


def check_remembered(ref: RunRef) -> None:
    """Raise `CampaignError` where the contacts were a rehearsal's, whose sandbox has forgotten them."""
    if ref.options.sandbox and ref.options.state_dir is None:
        raise CampaignError(
            "a rehearsal's sandbox forgets its contacts when it ends: rehearse with --state-dir DIR, or send to a "
            "`bulk sandbox` that stays, to ask about them afterwards"
        )


def enquirer(ref: RunRef, transport: Connect, operations: Iterable[str], stop: Stop) -> Enquirer:
    """Return who asks. `rate` and `burst` of the options take the place of the quotas, `rate_share` takes its part."""
    retry = ref.campaign.retry
    queues = {name: RateLimitQueue(LocalStore(_limiter(ref, name)), stop) for name in operations}
    return Enquirer(transport, queues, stop, attempts=retry.attempts, longest_wait=retry.longest_wait)


def _limiter(ref: RunRef, operation: str) -> AdaptiveLimiter:
    options, (documented, usual) = ref.options, QUOTAS[operation]
    said = options.rate if isinstance(options.rate, int | float) else documented
    bucket = with_headroom(said * options.rate_share, max(1, int((options.burst or usual) * options.rate_share)))
    return AdaptiveLimiter(bucket, RateEstimator(bucket.per_second, bucket.per_second), Limits())
