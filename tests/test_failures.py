"""What the SDK raises, in our words: whose error it is, whether anything left, how long to wait. It …"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aws_services import Answer, Pretended, accepted, pretending, refused
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from cli_runs import campaign
from hypothesis import given
from hypothesis import strategies as st

import bulk
from bulk.aws.connect import Connect, Endpoint
from bulk.aws.failures import LONGEST_WAIT, clock_skew, is_foreign, retry_after, safe
from bulk.errors import CallFailed
from bulk.model import Call, Verdict
from bulk.operations.verdicts import verdict

CHAT = Call("StartOutboundChatContact", {"InstanceId": "i", "ContactFlowId": "f"})
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

Standing = tuple[Pretended, Connect]
on_a_standing_line = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing() -> AsyncIterator[Standing]:
    """A service and a client of it that last for the module: a client costs more than the calls of a test."""
    async with pretending() as service:
        endpoint = Endpoint(service.url, "us-west-2", credentials=("AKIDEXAMPLE", "dummy"))
        async with Connect(endpoint, at_once=2) as connect:
            yield service, connect


async def failing(standing: Standing, answer: Answer, call: Call = CHAT) -> CallFailed:
    service, connect = standing
    service.answer = answer
    with pytest.raises(CallFailed) as raised:
        await connect.call(call, "token-1")
    return raised.value


def page(status: int) -> Answer:
    text = "<html><body>Hello +12065550100, I am a proxy</body></html>"
    return lambda _request, _body: web.Response(status=status, text=text, content_type="text/html")


# SampleRow error it is


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 418, 421, 422, 451])
@on_a_standing_line
async def test_a_page_is_never_a_rows_rejection(standing: Standing, status: int) -> None:
    failure = await failing(standing, page(status))
    assert verdict(failure) is Verdict.HALT
    assert failure.message.startswith(f"not an answer of AWS (HTTP {status}). Check the endpoint")


@pytest.mark.parametrize("status", [200, 500, 502, 503, 504])
@on_a_standing_line
async def test_a_page_that_may_hide_an_acceptance_is_tried_again_and_is_foreign(
    standing: Standing, status: int
) -> None:
    failure = await failing(standing, page(status))
    assert verdict(failure) is Verdict.RETRY
    assert (failure.went_out, failure.foreign) == (True, True)
    assert "1206" not in str(failure)


@on_a_standing_line
async def test_a_page_ends_no_contact(standing: Standing) -> None:
    failure = await failing(standing, page(200), Call("StopContact", {"InstanceId": "i", "ContactId": "c"}))
    assert failure.foreign


@pytest.mark.parametrize("status", [500, 503, 429])
@on_a_standing_line
async def test_a_numbered_answer_without_a_code_is_the_services_own(standing: Standing, status: int) -> None:
    def busy(_request: web.BaseRequest, _body: str) -> web.Response:
        return web.json_response({}, status=status, headers={"x-amzn-RequestId": "r-1"})

    failure = await failing(standing, busy)
    expected = Verdict.THROTTLE if status == 429 else Verdict.RETRY
    assert (verdict(failure), failure.foreign) == (expected, False)


ACCOUNT = """InvalidToken InvalidAccessKeyId InvalidClientTokenId IncompleteSignature IncompleteSignatureException
UnrecognizedClientException UnknownOperation UnknownOperationException MissingAuthenticationToken
MissingAuthenticationTokenException AccessDenied AccessDeniedException UnauthorizedOperation NotAuthorizedException
AuthFailure InvalidAction MissingAction MalformedQueryString RequestTimeTooSkewed RequestInTheFuture RequestExpired
SubscriptionRequiredException OptInRequired AccountProblem NotSignedUp ForbiddenException UnauthorizedException
TokenRefreshRequired ExpiredToken ExpiredTokenException InvalidSignatureException SignatureDoesNotMatch
InvalidEndpointException UnsupportedOperationException InvalidIdentityToken"""


@pytest.mark.parametrize("code", ACCOUNT.split())
@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_no_to_the_account_halts_whatever_its_status(code: str, status: int) -> None:
    assert verdict(CallFailed("o", code, "no", status=status)) is Verdict.HALT


@pytest.mark.parametrize("code", ["InvalidRequestException", "NeverHeardOf", "InvalidClientTokenFormat", "BadAuthor"])
def test_a_no_to_a_row_stays_one(code: str) -> None:
    assert verdict(CallFailed("o", code, "no", status=400)) is Verdict.REJECT


SDKS = {*TransientRetryableChecker._TRANSIENT_ERROR_CODES, *ThrottledRetryableChecker._THROTTLED_ERROR_CODES}


@pytest.mark.parametrize("code", sorted(SDKS))
@pytest.mark.parametrize("status", [400, 409, 503])
def test_what_the_sdk_would_try_again_is_tried_again(code: str, status: int) -> None:
    expected = {Verdict.HOLD} if code == "LimitExceededException" else {Verdict.RETRY, Verdict.THROTTLE}
    assert verdict(CallFailed("o", code, "no", status=status)) in expected


@pytest.mark.parametrize("code", ["SlowDown", "RequestThrottled", "BandwidthLimitExceeded", "PriorRequestNotComplete"])
def test_a_rate_that_is_too_high_has_many_names(code: str) -> None:
    assert verdict(CallFailed("o", code, "no", status=400)) is Verdict.THROTTLE


@pytest.mark.parametrize("end", ["", "."])
@on_a_standing_line
async def test_an_expired_token_names_the_remedy(standing: Standing, end: str) -> None:
    failure = await failing(standing, refused("ExpiredTokenException", 403, f"The security token is expired{end}"))
    assert failure.message == (
        "The security token is expired. Log in again or renew the credentials, then run it again"
    )


@pytest.mark.parametrize(
    "echo",
    [
        "no: The Canonical String for this request should have been 'PUT /contact x-amz-security-token:SECRET'",
        "no. Authorization=AWS4-HMAC-SHA256 Credential=SECRET/20261120, SignedHeaders=host, Signature=SECRET",
    ],
)
def test_what_aws_echoes_of_a_request_is_left_out(echo: str) -> None:
    assert safe(echo).startswith("no")
    assert "SECRET" not in safe(echo)


# A wrong clock


@pytest.mark.parametrize(
    "code, message",
    [
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
        ("RequestInTheFuture", "x"),
        ("RequestExpired", "Request has expired."),
        ("InvalidSignatureException", "Signature expired: 20261120T000000Z is now earlier than 20261120T001000Z"),
        ("InvalidSignatureException", "Signature not yet current: 20261120T002000Z is still later than …"),
        ("SignatureDoesNotMatch", "Signature expired: …"),
    ],
)
@on_a_standing_line
async def test_a_wrong_clock_is_called_that(standing: Standing, code: str, message: str) -> None:
    failure = await failing(standing, refused(code, 403, message))
    assert failure.message.startswith("clock skew: this machine's clock ")
    assert failure.message.endswith("Set the clock (NTP), then run it again")
    assert verdict(failure) is Verdict.HALT


@pytest.mark.parametrize("seconds, said", [(900, "900 s ahead of AWS's"), (-3600, "3600 s behind AWS's")])
def test_a_wrong_clock_is_measured_by_the_answers_date(seconds: int, said: str) -> None:
    headers = {"date": format_datetime(NOW, usegmt=True)}
    assert said in str(clock_skew("RequestTimeTooSkewed", "no", headers, NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("date", [{}, {"date": ""}, {"date": "soon"}, {"date": "Fri, 31 Dec 9999 23:59:59 -2359"}])
def test_a_wrong_clock_is_called_that_where_the_answer_has_no_good_date(date: dict[str, str]) -> None:
    skew = clock_skew("SignatureDoesNotMatch", "Signature expired: it is too late", date)
    assert str(skew).startswith("clock skew: this machine's clock ")


def test_a_wrong_signature_is_not_a_wrong_clock() -> None:
    assert clock_skew("InvalidSignatureException", "The request signature does not match", {}) is None


# Retry-After


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "86400"}, LONGEST_WAIT),
        ({"retry-after": "1e400"}, LONGEST_WAIT),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=7), usegmt=True)}, 7.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=7), usegmt=True)}, 0.0),
        ({"retry-after": "Fri, 99 Nov 2026 12:00:00 GMT"}, None),
        (
            {
                "retry-after": format_datetime(NOW + timedelta(hours=1, seconds=7), usegmt=True),
                "date": format_datetime(NOW + timedelta(hours=1), usegmt=True),
            },
            7.0,
        ),
        ({"x-amz-retry-after": "1500"}, 1.5),
        ({"x-amz-retry-after": "1500", "retry-after": "9"}, 1.5),
        ({"x-amz-retry-after": "inf"}, LONGEST_WAIT),
        ({"x-amz-retry-after": "no", "retry-after": "9"}, 9.0),
    ],
)
def test_an_answer_may_ask_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(), st.sampled_from(["retry-after", "x-amz-retry-after"]), st.text())
def test_no_answer_makes_the_wait_anything_but_a_few_seconds(told: str, name: str, date: str) -> None:
    wait = retry_after({name: told, "date": date}, NOW)
    assert wait is None or 0 <= wait <= LONGEST_WAIT


@pytest.mark.parametrize("name, told", [("Retry-After", "2"), ("x-amz-retry-after", "2000")])
@on_a_standing_line
async def test_a_failure_carries_what_the_answer_asked_for(standing: Standing, name: str, told: str) -> None:
    failure = await failing(standing, refused("ThrottlingException", 429, "slow down", **{name: told}))
    assert failure.retry_after == 2.0


def test_an_answer_without_a_number_is_not_of_aws() -> None:
    assert is_foreign({"content-type": "application/json"})
    assert is_foreign({"content-type": "text/HTML", "x-amzn-requestid": "r"})
    assert not is_foreign({"content-type": "application/json", "x-amzn-requestid": "r"})


# What never left


@pytest.mark.parametrize("parameters", [{"Attributes": 5}, {"ChatDurationInMinutes": object()}])
@on_a_standing_line
async def test_what_cannot_be_written_has_not_left(standing: Standing, parameters: dict[str, Any]) -> None:
    service, connect = standing
    service.requests.clear()
    with pytest.raises(CallFailed) as raised:
        await connect.call(Call(CHAT.operation, {**CHAT.parameters, **parameters}), "token-1")
    assert (raised.value.went_out, service.requests) == (False, [])
    assert verdict(raised.value) is Verdict.REJECT


# In a run


def paced(folder: Path) -> Path:
    """Write a campaign of forty rows that takes two seconds."""
    path = campaign(folder, rows=40)
    path.write_text(path.read_text().replace("rate = 500\nburst = 500", "rate = 20\nburst = 1"))
    return path


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("answer", [page(400), page(403), page(404), refused("InvalidToken", 400)])
async def test_what_is_no_rows_trouble_halts_the_run_and_rejects_nobody(tmp_path: Path, answer: Answer) -> None:
    async with pretending(answer) as service:
        run = await bulk.send(paced(tmp_path), endpoint_url=service.url, region="us-west-2")
    assert run.exit_code == 3
    assert (run.summary.rejected, run.summary.unknown, run.summary.pending) == (0, 0, 40)
    assert len(service.requests) < 10


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("status", [200, 502])
async def test_a_page_that_may_hide_an_acceptance_halts_and_its_rows_go_again_under_their_tokens(
    tmp_path: Path, status: int
) -> None:
    path = paced(tmp_path)
    async with pretending(page(status)) as service:
        run = await bulk.send(path, endpoint_url=service.url, region="us-west-2")
        assert (run.exit_code, run.summary.rejected, run.summary.sent) == (3, 0, 0)
        tokens = {json.loads(body)["ClientToken"] for *_, body in service.requests}
        service.requests.clear()
        service.answer = accepted
        again = await bulk.send(path, endpoint_url=service.url, region="us-west-2")
        assert (again.exit_code, again.summary.sent, len(service.requests)) == (0, 40, 40)
        assert tokens <= {json.loads(body)["ClientToken"] for *_, body in service.requests}
