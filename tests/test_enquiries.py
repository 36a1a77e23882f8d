"""At which quotas Amazon Connect is asked about contacts, and when nobody is left to ask."""

from pathlib import Path
from typing import Any

import pytest
from sandbox_runs import SMS

import bulk
from bulk.pacing.estimator import RateEstimator
from bulk.pacing.limiter import AdaptiveLimiter
from bulk.pacing.limits import Limits, with_headroom
from bulk.run.context import RunRef
from bulk.run.enquiries import _limiter, check_remembered, enquirer
from bulk.run.options import Options
from bulk.stop import Stop


def ref(**options: Any) -> RunRef:
    campaign = bulk.Campaign(
        name="reminders",
        channel="sms",
        list={"key": "key"},
        request=SMS,
        retry={"attempts": 7, "longest_wait": "11s"},
    )
    return RunRef(campaign, Options(**options))


@pytest.mark.parametrize(
    "operation, options, per_second, burst",
    [
        ("SearchContacts", {}, 0.5, 1),
        ("GetContactAttributes", {}, 10.0, 15),
        ("DescribeContact", {}, 10.0, 15),
        ("DescribeContact", {"rate": "auto"}, 10.0, 15),
        ("DescribeContact", {"rate": 4, "burst": 20}, 4, 20),
        ("DescribeContact", {"rate": 2.5}, 2.5, 15),
        ("DescribeContact", {"rate_share": 0.5}, 5.0, 7),
        ("DescribeContact", {"burst": 40, "rate_share": 0.25}, 2.5, 10),
        ("SearchContacts", {"rate_share": 0.25}, 0.125, 1),
    ],
)
def test_it_asks_at_the_documented_quota_or_what_the_options_say_of_it(
    operation: str, options: dict[str, Any], per_second: float, burst: int
) -> None:
    bucket = with_headroom(per_second, burst)
    assert _limiter(ref(**options), operation) == AdaptiveLimiter(
        bucket, RateEstimator(per_second, per_second), Limits()
    )


def test_who_asks_has_a_queue_for_each_operation_and_the_patience_of_the_campaign() -> None:
    stop: Any = Stop()
    transport: Any = object()
    asking = enquirer(ref(), transport, ("DescribeContact", "SearchContacts"), stop)
    assert set(asking._queues) == {"DescribeContact", "SearchContacts"}
    assert (asking._transport, asking._stop, asking._attempts, asking._longest_wait) == (transport, stop, 7, 11.0)


def test_contacts_of_a_rehearsal_are_forgotten_unless_its_state_is_kept(tmp_path: Path) -> None:
    with pytest.raises(bulk.CampaignError, match=r"^a rehearsal's sandbox forgets its contacts when it ends"):
        check_remembered(ref(sandbox=True))
    for options in ({}, {"sandbox": True, "state_dir": tmp_path}, {"state_dir": tmp_path}):
        check_remembered(ref(**options))
