"""Of which parts the least policy of a campaign is made, by what it is for: it …"""

from typing import Any

import pytest
from accounts import SMS

import bulk
from bulk.account import policy, to_ask, to_check, to_keep, to_send, to_track
from bulk.errors import CampaignError
from bulk.run.context import RunRef
from bulk.run.options import Options
from bulk.run.preflight import references

STATE, LIST, QUEUE, BUCKET = (
    "s3://bucket/state",
    "s3://bucket/list.csv",
    "https://sqs.us-west-2.amazonaws.com/1/q",
    ("s3://bucket/events"),
)
CAMPAIGN = bulk.Campaign(**SMS, track={"events": QUEUE})
NAMED = references(RunRef(CAMPAIGN, Options(region="us-west-2")))
SEND, KEEP, ASK = [*to_send(NAMED, LIST)], [*to_keep(STATE)], [*to_ask(NAMED, LIST)]


@pytest.mark.parametrize(
    "options, parts",
    [
        ({}, [*SEND, *to_keep(None)]),
        ({"uses": "send"}, [*SEND, *to_keep(None)]),
        ({"state_dir": STATE}, [*SEND, *KEEP]),
        ({"account": True}, [*SEND, *to_check(NAMED)]),
        ({"uses": ["resolve"]}, ASK),
        ({"uses": ("resolve", "send")}, [*ASK, *SEND]),
        ({"uses": "suppress", "state_dir": STATE}, KEEP),
        ({"uses": "track"}, [*to_track(NAMED, QUEUE, LIST)]),
        ({"uses": "track", "events": BUCKET}, [*to_track(NAMED, BUCKET, LIST)]),
    ],
)
async def test_has_the_permissions_of_each_use_once(options: dict[str, Any], parts: list[Any]) -> None:
    expected = policy({one.name: one for one in parts}.values())
    assert await bulk.iam(CAMPAIGN, region="us-west-2", contacts=LIST, **options) == expected


async def test_is_for_no_use_that_is_not_there() -> None:
    with pytest.raises(CampaignError, match=r"^a policy is for send, track, resolve, suppress, not 'report'$"):
        await bulk.iam(CAMPAIGN, uses=["send", "report"])


def test_differs_from_use_to_use() -> None:
    made = [to_send(NAMED, LIST), to_ask(NAMED, LIST), to_keep(STATE), to_check(NAMED)]
    made += [to_track(NAMED, events, LIST) for events in (QUEUE, BUCKET)]
    assert len({str(policy(one)) for one in made}) == len(made)
