"""What a campaign says once for all its rows, and each row for itself: expiry, and how long a contact stays open."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import bulk
from bulk.campaign import Campaign
from bulk.run.context import RunContext, open_campaign
from bulk.run.options import Options

ID = "11111111-1111-4111-8111-111111111111"
FROM = {"EmailAddress": "shop@example.com"}
MESSAGE = {"RawMessage": {"Subject": "Hi", "Body": "Hi", "ContentType": "text/plain"}}
SMS = {
    "InstanceId": ID,
    "ContactFlowId": ID,
    "SourceEndpoint": {"Address": "arn:aws:connect:us-west-2:123456789012:phone-number/1"},
    "InitialSystemMessage": {"Content": "Hi"},
}
MAIL = {"InstanceId": ID, "FromEmailAddress": FROM, "EmailMessage": MESSAGE}
INBOUND = {"InstanceId": ID, "ContactFlowId": ID, "DestinationEmailAddress": "a@example.com", "EmailMessage": MESSAGE}
HOUR, DAY = 3600.0, 86400.0


USER = {"UserInfo": {"UserId": ID}}


def opened(channel: str, **tables: Any) -> RunContext:
    frame = pl.DataFrame({"phone": ["+12065550100"], "email": ["ann@example.com"], "minutes": ["90"]})
    return open_campaign(Campaign(name="terms", channel=channel, **tables), Options(contacts=frame))


@pytest.mark.parametrize(
    "channel, tables, seconds",
    [
        pytest.param("sms", {"request": SMS}, 25 * HOUR, id="as AWS has it for a chat"),
        pytest.param("sms", {"request": SMS | {"ChatDurationInMinutes": 60}}, HOUR, id="as the request says"),
        pytest.param("sms", {"request": SMS | {"ChatDurationInMinutes": "60"}}, HOUR, id="as it says in a text"),
        pytest.param(
            "sms",
            {"request": SMS | {"ChatDurationInMinutes": 60}, "hold": {"open_for": "90s"}},
            90.0,
            id="as [hold] says, whatever the request does",
        ),
        pytest.param(
            "sms",
            {"request": SMS | {"ChatDurationInMinutes": "{{ minutes }}"}},
            7 * DAY,
            id="the longest where each row says it",
        ),
        pytest.param("email", {"request": MAIL, "create_contact": USER}, 14 * DAY, id="as AWS has it for an email"),
        pytest.param(
            "email",
            {"request": MAIL, "create_contact": USER | {"ExpiryDurationInMinutes": 120}},
            2 * HOUR,
            id="as the contact is created to expire",
        ),
        pytest.param("inbound-email", {"request": INBOUND}, 14 * DAY, id="as AWS has it for an inbound email"),
    ],
)
def test_a_contact_stays_open_as_said_else_as_requested_else_as_documented(
    channel: str, tables: dict[str, Any], seconds: float
) -> None:
    assert opened(channel, **tables).rates.open_for() == seconds


# Expiry by row

UNTIL = ["2020-01-01", "", "2099-12-31", "soon", "1h", "2020-01-01T00:00:00+01:00"]


async def test_each_row_expires_as_its_own_cell_says(tmp_path: Path) -> None:
    people = pl.DataFrame({"phone": [f"+1206555010{row}" for row in range(len(UNTIL))], "until": UNTIL})
    campaign = Campaign(
        name="terms", channel="sms", request=SMS, expires="{{ until }}", pacing={"rate": 500}, folder=tmp_path
    )
    run = await bulk.send(campaign, contacts=people, sandbox=True)
    found = run.results()
    assert list(zip(found["status"], found["error_code"], strict=True)) == [
        ("skipped", "expired"),
        ("sent", None),
        ("sent", None),
        ("refused", "invalid_expiry"),
        ("sent", None),
        ("skipped", "expired"),
    ]
    assert "what the row says is no time" in found["error_message"][3]


async def test_a_row_on_which_the_template_of_expires_fails_is_refused_and_the_rest_is_sent(tmp_path: Path) -> None:
    people = pl.DataFrame({"phone": ["+12065550100", "+12065550101"], "hours": ["0", "2"]})
    campaign = Campaign(
        name="terms",
        channel="sms",
        request=SMS,
        expires="{{ 48 // (hours | int) }}h",
        pacing={"rate": 9},
        folder=tmp_path,
    )
    run = await bulk.send(campaign, contacts=people, sandbox=True)
    found = run.results()
    assert list(zip(found["status"], found["error_code"], strict=True)) == [
        ("refused", "template_error"),
        ("sent", None),
    ]
    assert found["error_message"][0].startswith("expires: the template failed: ")


async def test_a_column_that_expiry_names_and_the_list_lacks_is_an_error_of_the_campaign(tmp_path: Path) -> None:
    campaign = Campaign(name="terms", channel="sms", request=SMS, expires="{{ untl }}", folder=tmp_path)
    people = pl.DataFrame({"phone": ["+12065550100"], "until": ["1h"]})
    with pytest.raises(bulk.CampaignError, match=r"(?s)expires.*untl.*until"):
        await bulk.check(campaign, contacts=people)
