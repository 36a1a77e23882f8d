"""The message that a row would get, sent to somebody else: it …"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes import SMS as CHAT
from fakes import fault, ok, wire
from sandbox_runs import DRAFT, EMAIL, SMS

from bulk.campaign import Campaign
from bulk.delivery.attempts import CallCounts
from bulk.errors import CampaignError, Halted, ListError, SetupError
from bulk.model import Delivery, Outcome, Recipient, Status
from bulk.run import test_message as module
from bulk.run.context import RunContext, open_campaign
from bulk.run.options import Options
from bulk.run.test_message import SampleRow, Unrecorded, delivery_for, tried

NUMBERS = ["+12065550100", "+12065550101", "", "+12065550103"]
ME = "+12065559999"


def opened(contacts: Any = None, *, channel: str = "sms", **settings: Any) -> RunContext:
    request = EMAIL if channel == "email" else SMS
    tables = {"create_contact": DRAFT} if channel == "email" else {}
    source = Campaign(name="c", channel=channel, request=request, **{"list": {"key": "key"}, **tables, **settings})
    frame = pl.DataFrame({"phone": NUMBERS, "email": "", "name": ["Ann", "Bo", "Cy", "Di"], "key": list("abcd")})
    return open_campaign(source, Options(contacts=frame if contacts is None else contacts))


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_is_all_that_the_row_would_get_but_its_destination(row: int) -> None:
    made = delivery_for(opened(), SampleRow(row), "+1 206 555 9999")
    name, key = ("Ann", "Bo", "Cy", "Di")[row], "abcd"[row]
    cells = {"phone": NUMBERS[row], "name": name, "key": key}
    assert made.recipient == Recipient(row, key, ME, cells, made.recipient.refusal)
    assert (made.id, made.parameters["request"]["InitialSystemMessage"]["Content"]) == (0, f"Hi {name}.")
    assert made.parameters["request"]["DestinationEndpoint"]["Address"] == ME
    assert made.parameters["request"]["Attributes"] == {"key": key}


def test_goes_to_an_address_where_the_campaign_writes_to_addresses() -> None:
    made = delivery_for(opened(channel="email"), SampleRow(1), "me@example.com")
    assert made.parameters["request"]["DestinationEmailAddress"]["EmailAddress"] == "me@example.com"
    with pytest.raises(CampaignError, match=r"^--to: "):
        delivery_for(opened(channel="email"), SampleRow(1), ME)


def test_names_a_row_by_the_line_in_which_it_begins(tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text('phone,name,key\n+12065550100,"A\nnn",a\n+12065550101,Bo,b\n')
    made = delivery_for(opened(listed), SampleRow(line=4), ME)
    assert (made.recipient.row, made.recipient.key, made.recipient.line) == (1, "b", 4)
    with pytest.raises(ListError, match="line 3 holds no row of the list"):
        delivery_for(opened(listed), SampleRow(line=3), ME)


@pytest.mark.parametrize("row, line", [(None, None), (0, 0), (1, 2)])
def test_is_of_a_row_or_of_a_line(row: int | None, line: int | None) -> None:
    with pytest.raises(CampaignError, match="whose message is it"):
        SampleRow(row, line)


@pytest.mark.parametrize(
    "listed, to, said",
    [
        ({}, "206 555 9999", r"^--to: "),
        ({"country": "US"}, "+447400123456", r"^--to: .*GB"),
        ({"country": "US", "allow_countries": ("FR",)}, "+447400123456", r"^--to: .*GB"),
        ({}, "+442079460018", r"^--to: .* is a fixed line, which takes no SMS"),
        ({"suppress": ("stop.txt",)}, ME, r"^--to: .*, so nothing is sent to it, not even a test message$"),
    ],
)
def test_goes_to_nobody_to_whom_the_campaign_may_not_write(
    tmp_path: Path, listed: dict[str, Any], to: str, said: str
) -> None:
    (tmp_path / "stop.txt").write_text(f"{ME}\n")
    with pytest.raises(CampaignError, match=said):
        delivery_for(opened(list={"key": "key", **listed}, folder=tmp_path), SampleRow(0), to)


@pytest.mark.parametrize(
    "listed, to",
    [
        ({"country": "US"}, "206 555 9999"),
        ({"country": "US", "allow_countries": ("GB",)}, "+447400123456"),
        ({"allow_countries": ("GB",)}, "+447400123456"),
    ],
)
def test_goes_to_whom_the_campaign_may_write(listed: dict[str, Any], to: str) -> None:
    made = delivery_for(opened(list={"key": "key", **listed}), SampleRow(0), to)
    assert made.recipient.destination in {ME, "+447400123456"}


def test_goes_to_a_fixed_line_where_the_channel_reaches_those() -> None:
    made = delivery_for(opened(channel="whatsapp"), SampleRow(0), "+442079460018")
    assert made.recipient.destination == "+442079460018"


def test_is_not_sent_where_the_row_makes_no_message() -> None:
    frame = pl.DataFrame({"phone": NUMBERS[:1], "name": ["x" * 2000], "key": ["a"]})
    with pytest.raises(CampaignError, match=r"^row 0 cannot be sent: \[request\] InitialSystemMessage.Content"):
        delivery_for(opened(frame), SampleRow(0), ME)


def test_is_of_no_row_that_is_not_there() -> None:
    for row in (4, -1):
        with pytest.raises(CampaignError, match=f"^--row {row}: the list has no such row; rows count from 0$"):
            delivery_for(opened(), SampleRow(row), ME)


async def test_carries_tokens_that_no_run_has_and_other_ones_each_time() -> None:
    context, transport = opened(), wire(ok("c-1"), ok("c-2"))
    for contact in ("c-1", "c-2"):
        deliverer = module.test_deliverer(context.campaign, context.rates, transport)
        ended = await deliverer.deliver(delivery_for(context, SampleRow(1), ME))
        assert (ended.status, ended.contact_id, ended.attempts) == (Status.SENT, contact, 1)
    assert len(transport.tokens) == 2
    assert all(token.startswith("test-") and token.endswith(f"-{CHAT}-0") for token in transport.tokens)
    assert transport.operations == [CHAT, CHAT]


async def test_is_tried_as_often_as_the_campaign_says() -> None:
    context, transport = opened(retry={"attempts": 1}), wire(fault())
    deliverer = module.test_deliverer(context.campaign, context.rates, transport)
    ended = await deliverer.deliver(delivery_for(context, SampleRow(1), ME))
    assert (ended.status, ended.attempts, len(transport.requests)) == (Status.UNKNOWN, 1, 1)


async def test_is_recorded_nowhere() -> None:
    journal = Unrecorded()
    assert await journal.intend(None) is None  # type: ignore[arg-type]  # what is not looked at
    await journal.finish(1, Outcome(Status.SENT))


async def test_is_sent_for_good_or_not_at_all() -> None:
    with pytest.raises(CampaignError, match="a test message is sent for real: leave --dry-run out, or use --sandbox"):
        await tried(opened().campaign, SampleRow(0), ME, Options(contacts=_frame(), dry_run=True))


def _frame() -> pl.DataFrame:
    return pl.DataFrame({"phone": NUMBERS[:1], "name": ["Ann"], "key": ["a"]})


async def test_tells_of_what_campaign_and_row_it_was() -> None:
    source = opened().campaign
    told = await tried(source, SampleRow(0), ME, Options(contacts=_frame(), sandbox=True))
    assert (told.campaign, told.recipient.destination, told.recipient.key) == (source, ME, "a")
    assert told.outcome.status is Status.SENT


class Unprepared:
    """A deliverer whose credentials fail, before its first call or after it."""

    def __init__(self, calls: int) -> None:
        self.call_counts = CallCounts(calls)

    async def deliver(self, _delivery: Delivery) -> Outcome:
        raise SetupError("no credentials")


@pytest.mark.parametrize("calls, kind", [(0, SetupError), (1, Halted)])
async def test_says_whether_something_may_have_been_sent_where_credentials_fail(
    monkeypatch: pytest.MonkeyPatch, calls: int, kind: type[Exception]
) -> None:
    monkeypatch.setattr(module, "test_deliverer", lambda *_: Unprepared(calls))
    with pytest.raises(kind, match="no credentials") as raised:
        await tried(opened().campaign, SampleRow(0), ME, Options(contacts=_frame(), sandbox=True))
    assert type(raised.value) is kind
