"""What AWS is asked about those who said no, and what becomes of each of its answers: `bulk/run/opt_outs.py`."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from aiohttp import web
from aiohttp.web import BaseRequest, Response
from aws_services import pretending
from test_run_rules import campaign
from virtual import in_virtual_time

from bulk.errors import CampaignError
from bulk.loader.suppression import Suppression
from bulk.run.context import RunContext, RunRef
from bulk.run.opt_outs import are_asked, follow, put_in
from bulk.run.options import Options

ANN, BOB, CY = (f"+1415555012{last}" for last in (3, 4, 5))
MAIL, OTHER = "ann@example.com", "bob@example.com"
CONNECT = "arn:aws:connect:us-west-2:123456789012:phone-number/3333"
SOURCE = "arn:aws:sms-voice:us-west-2:123456789012:phone-number/phone-1"
CLAIMED = {"ClaimedPhoneNumberSummary": {"SourcePhoneNumberArn": SOURCE}}
MINE, OUT = {"PhoneNumber": CY, "OptOutListName": "Mine"}, {"OptedOutNumbers": [{"OptedOutNumber": ANN}]}
THEIRS = {"PhoneNumber": BOB, "OptOutListName": "Theirs"}
NUMBER, NUMBERS, OPTED_OUT = "DescribePhoneNumber", "DescribePhoneNumbers", "DescribeOptedOutNumbers"
SES = "ListSuppressedDestinations"
FOUND: dict[str, Any] = {NUMBER: CLAIMED, NUMBERS: {"PhoneNumbers": [MINE]}, OPTED_OUT: OUT}
SENDING = "the opt-out list of the sending number"
NOWHERE = '[list] opt_out_list = "auto" finds nothing: the campaign names no number that its texts come from'
UNKNOWN = f"{SENDING} is not known: AWS End User Messaging does not have the number"
Asked = tuple[str, dict[str, Any]]
BY_NUMBER: Asked = NUMBERS, {}
BY_SOURCE: Asked = NUMBERS, {"PhoneNumberIds": ["phone-1"]}
BY_CONNECT: Asked = NUMBER, {}
OF_MINE: Asked = OPTED_OUT, {"OptOutListName": "Mine"}


class Aws:
    """Answers what it is told to, an error where that is text, and keeps what it was asked."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.told, self.asked = told, list[Asked]()

    def answer(self, request: BaseRequest, body: str) -> Response:
        if request.path == "/v2/email/suppression/addresses":
            name, given = SES, dict(request.query)
        elif request.path == "/phone-number/3333":
            name, given = NUMBER, {}
        else:
            name, given = request.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body)
        self.asked.append((name, given))
        told = self.told[name]
        told = told[len([one for one, _ in self.asked if one == name]) - 1] if isinstance(told, list) else told
        if isinstance(told, str):
            return web.json_response({"message": "not you", "__type": told}, status=403)
        return web.json_response(told, content_type="application/x-amz-json-1.0")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")


def ref(folder: Path, *, url: str | None = None, sandbox: bool = False, sender: str = CONNECT, **listed: Any) -> RunRef:
    told = campaign(folder, **listed)
    source = {"SourceEndpoint": {"Type": "CONNECT_PHONENUMBER_ARN", "Address": sender}}
    told = told.model_copy(update={"request": {**told.request, **source}})
    return RunRef(told, Options(endpoint_url=url, region="us-west-2", sandbox=sandbox))


@contextmanager
def environment(url: str) -> Iterator[None]:
    """A list that is named is asked for at AWS itself, unless the environment says otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2", url)
        yield


async def asked(
    folder: Path, told: Mapping[str, Any], kind: Any = "phone", **changed: Any
) -> tuple[list[Asked], list[str], Suppression]:
    """Return what AWS was asked, the warnings, and whom nobody writes to."""
    aws, suppression = Aws(told), Suppression.open([], kind=kind)
    async with pretending(aws.answer) as service:
        with environment(service.url):
            said = await put_in(ref(folder, url=service.url, **changed), suppression)
    return aws.asked, said, suppression


def named(suppression: Suppression, destination: str) -> str | None:
    found = suppression.refusal(destination)
    return None if found is None else found.message


@pytest.mark.parametrize("sandbox", [False, True])
@pytest.mark.parametrize("ses", [False, True])
@pytest.mark.parametrize("name", [None, "auto", "Mine"])
def test_aws_is_asked_where_a_list_is_named_and_the_run_is_no_rehearsal(
    tmp_path: Path, name: str | None, *, ses: bool, sandbox: bool
) -> None:
    run = ref(tmp_path, sandbox=sandbox, opt_out_list=name, ses_suppression=ses)
    assert are_asked(run) is (not sandbox and (ses or name is not None))


@pytest.mark.parametrize(
    "sender, exchange",
    [
        (CONNECT, [BY_CONNECT, BY_SOURCE, OF_MINE]),
        (SOURCE, [BY_SOURCE, OF_MINE]),
        (CY, [BY_NUMBER, OF_MINE]),
    ],
)
async def test_the_list_of_the_sending_number_is_found_however_the_number_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, sender: str, exchange: list[Asked]
) -> None:
    phones = [THEIRS, MINE] if sender == CY else [MINE]
    told = {**FOUND, NUMBERS: {"PhoneNumbers": phones}}
    with caplog.at_level(logging.INFO, logger="bulk"):
        found = await asked(tmp_path, told, sender=sender, opt_out_list="auto")
    assert found[:2] == (exchange, [])
    assert (named(found[2], ANN), named(found[2], BOB)) == (f"named in {SENDING}", None)
    assert caplog.messages == [f"{SENDING} is 'Mine': 1 numbers"]


@pytest.mark.parametrize(
    "changed, exchange, said",
    [
        ({NUMBER: {"ClaimedPhoneNumberSummary": {}}}, [BY_CONNECT], UNKNOWN),
        ({NUMBER: {}}, [BY_CONNECT], UNKNOWN),
        ({NUMBERS: {"PhoneNumbers": []}}, [BY_CONNECT, BY_SOURCE], UNKNOWN),
        ({NUMBERS: {"PhoneNumbers": [{"PhoneNumber": CY}]}}, [BY_CONNECT, BY_SOURCE], UNKNOWN),
    ],
)
async def test_a_number_that_aws_does_not_have_is_a_warning(
    tmp_path: Path, changed: dict[str, Any], exchange: list[Asked], said: str
) -> None:
    found = await asked(tmp_path, FOUND | changed, opt_out_list="auto")
    assert (*found[:2], len(found[2])) == (exchange, [said], 0)


async def test_another_number_of_the_account_is_not_the_sending_one(tmp_path: Path) -> None:
    found = await asked(tmp_path, {**FOUND, NUMBERS: {"PhoneNumbers": [THEIRS]}}, sender=CY, opt_out_list="auto")
    assert (*found[:2], len(found[2])) == ([BY_NUMBER], [UNKNOWN], 0)


@pytest.mark.parametrize(
    "operation, action",
    [
        (NUMBER, "connect:DescribePhoneNumber"),
        (NUMBERS, "sms-voice:DescribePhoneNumbers"),
        (OPTED_OUT, "sms-voice:DescribeOptedOutNumbers"),
    ],
)
async def test_a_question_that_is_denied_is_a_warning_with_its_permission(
    tmp_path: Path, operation: str, action: str
) -> None:
    _, said, suppression = await asked(tmp_path, {**FOUND, operation: "AccessDeniedException"}, opt_out_list="auto")
    assert (said, len(suppression)) == ([denied(SENDING, action)], 0)


def denied(what: str, action: str) -> str:
    return (
        f"{what} cannot be read (AccessDeniedException: not you), so nobody on it is left out by it: check that these "
        f"credentials may use {action}"
    )


@pytest.mark.parametrize("sender", ["{{ number }}", ""])
async def test_a_campaign_that_names_no_number_is_a_warning(tmp_path: Path, sender: str) -> None:
    found = await asked(tmp_path, {}, sender=sender, opt_out_list="auto")
    assert found[:2] == ([], [NOWHERE])


async def test_a_campaign_without_texts_has_no_such_list(tmp_path: Path) -> None:
    run = ref(tmp_path, opt_out_list="auto")
    subtype = {"SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:WhatsApp"}}}
    told = run.campaign.model_copy(update={"request": {**run.campaign.request, **subtype}})
    assert await put_in(RunRef(told, run.options), Suppression.open([], kind="phone")) == [NOWHERE]


async def test_a_list_that_is_named_is_read_by_its_name_alone(tmp_path: Path) -> None:
    exchange, said, suppression = await asked(tmp_path, FOUND, opt_out_list="Mine")
    assert (exchange, said) == ([OF_MINE], [])
    assert (named(suppression, ANN), named(suppression, BOB)) == ("named in the opt-out list 'Mine'", None)


async def test_a_list_that_is_named_and_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="the opt-out list 'Mine' cannot be read"):
        await asked(tmp_path, {OPTED_OUT: "AccessDeniedException"}, opt_out_list="Mine")


async def test_the_addresses_of_ses_are_read_page_by_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, other = ({"SuppressedDestinationSummaries": [{"EmailAddress": mail}]} for mail in (MAIL, OTHER))
    pages = [one | {"NextToken": "more"}, {"NextToken": "still more"}, other]
    with caplog.at_level(logging.INFO, logger="bulk"):
        exchange, said, suppression = await asked(tmp_path, {SES: pages}, "email", ses_suppression=True)
    first, size = (SES, {"PageSize": "1000"}), {"PageSize": "1000"}
    assert exchange == [first, (SES, {**size, "NextToken": "more"}), (SES, {**size, "NextToken": "still more"})]
    assert (said, len(suppression)) == ([], 2)
    assert named(suppression, MAIL) == "named in the suppression list of Amazon SES"
    assert caplog.messages == ["the suppression list of Amazon SES: 2 addresses"]


async def test_what_cannot_be_read_keeps_nothing_else_from_being_read(tmp_path: Path) -> None:
    both = {"opt_out_list": "auto", "ses_suppression": True}
    told = {**FOUND, SES: "AccessDeniedException", NUMBERS: {"PhoneNumbers": []}}
    _, said, _ = await asked(tmp_path, told, **both)
    ses = denied("the suppression list of Amazon SES", "ses:ListSuppressedDestinations")
    assert said == [UNKNOWN, ses]
    _, said, suppression = await asked(tmp_path, {**told, **FOUND}, **both)
    assert (said, len(suppression)) == ([ses], 1)


async def test_a_campaign_that_asks_for_nothing_asks_nothing(tmp_path: Path) -> None:
    found = await asked(tmp_path, {})
    assert (*found[:2], len(found[2])) == ([], [], 0)


@in_virtual_time
async def test_the_lists_are_read_every_five_minutes_whatever_becomes_of_one_reading(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    readings: list[tuple[float, Any]] = []

    async def put(_: RunRef, suppression: Suppression) -> list[str]:
        readings.append((anyio.current_time(), suppression))
        if len(readings) == 2:
            raise CampaignError("the second cannot be read")
        return ["one", "another"] if len(readings) == 1 else []

    monkeypatch.setattr("bulk.run.opt_outs.put_in", put)
    suppression = Suppression.open([], kind="phone")
    context = SimpleNamespace(eligibility=SimpleNamespace(suppression=suppression))
    with anyio.move_on_after(1000):
        await follow(cast("RunContext", context))
    assert readings == [(300.0, suppression), (600.0, suppression), (900.0, suppression)]
    assert [(one.levelname, one.message) for one in caplog.records] == [
        ("WARNING", "one"),
        ("WARNING", "another"),
        ("WARNING", "the second cannot be read"),
    ]
