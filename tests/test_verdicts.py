"""The verdict on a failed call, entry by entry and boundary by boundary: it …"""

import pytest

from bulk.errors import CallFailed, CallNotMade
from bulk.model import Verdict
from bulk.operations.verdicts import FAULTS, THROTTLES, TOO_LARGE, VERDICTS, is_of_transport, verdict

BY_VERDICT = {
    Verdict.THROTTLE: "ThrottlingException Throttling TooManyRequestsException RequestLimitExceeded",
    Verdict.RETRY: "InternalServiceException InternalFailure ServiceUnavailable ResourceNotReadyException",
    Verdict.HOLD: "LimitExceededException ServiceQuotaExceededException",
    Verdict.DOUBT: "IdempotencyException",
    Verdict.HALT: """AccessDeniedException ResourceNotFoundException UserNotFoundException InvalidActiveRegionException
        ContactFlowNotPublishedException InvalidContactFlowException InvalidContactFlowModuleException
        ExpiredTokenException ExpiredToken UnrecognizedClientException InvalidClientTokenId InvalidSignatureException
        SignatureDoesNotMatch IncompleteSignature MissingAuthenticationToken MissingAuthenticationTokenException
        RequestExpired NotAuthorized OptInRequired ProxyRefused""",
    Verdict.REJECT: """InvalidRequestException InvalidParameterException ValidationException ValidationError
        SerializationException PropertyValidationException InvalidTestCaseException MaximumResultReturnedException
        ConditionalOperationFailedException ConflictException DuplicateResourceException ResourceConflictException
        ResourceInUseException ContactNotFoundException ContactNotTerminatedException OutputTypeNotFoundException
        DestinationNotAllowedException OutboundContactNotPermittedException""",
}
"""The same table once more, by hand: a code that is mistyped in one of them is found by the other."""

SDK = """ThrottlingException Throttling ThrottledException RequestThrottled RequestThrottledException
TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded SlowDown EC2ThrottledException
ProvisionedThroughputExceededException TransactionInProgressException PriorRequestNotComplete"""


def failed(code: str, status: int | None, *, foreign: bool = False) -> CallFailed:
    return CallFailed("CreateContact", code, "words", status=status, foreign=foreign)


def test_the_table_is_this_one() -> None:
    assert {code: judged for judged, codes in BY_VERDICT.items() for code in codes.split()} == VERDICTS


def test_the_lists_of_the_sdk_are_these() -> None:
    assert set(SDK.split()) == THROTTLES
    assert {"RequestTimeout", "RequestTimeoutException"} == FAULTS
    assert {413, 414, 431} == TOO_LARGE


@pytest.mark.parametrize("code", sorted(VERDICTS))
@pytest.mark.parametrize("status", [None, 200, 403, 408, 429, 500])
def test_a_code_that_is_known_is_judged_by_nothing_else(code: str, status: int | None) -> None:
    assert verdict(failed(code, status)) is VERDICTS[code]


@pytest.mark.parametrize("status", [None, 403, 429, 500])
def test_a_call_that_was_not_made_is_no_try_whatever_its_code_says(status: int | None) -> None:
    for code in ("NotMade", "ThrottlingException", "AccessDeniedException"):
        assert verdict(CallNotMade("CreateContact", code, "words", status=status)) is Verdict.NOT_MADE


@pytest.mark.parametrize(
    "status, expected",
    [
        (None, Verdict.RETRY),
        (100, Verdict.HALT),
        (399, Verdict.HALT),
        (400, Verdict.REJECT),
        (401, Verdict.HALT),
        (402, Verdict.REJECT),
        (403, Verdict.HALT),
        (404, Verdict.REJECT),
        (406, Verdict.REJECT),
        (407, Verdict.HALT),
        (408, Verdict.RETRY),
        (409, Verdict.REJECT),
        (413, Verdict.REJECT),
        (428, Verdict.REJECT),
        (429, Verdict.THROTTLE),
        (430, Verdict.REJECT),
        (499, Verdict.REJECT),
        (500, Verdict.RETRY),
        (501, Verdict.RETRY),
        (599, Verdict.RETRY),
    ],
)
def test_a_code_that_nobody_knows_is_judged_by_its_status(status: int | None, expected: Verdict) -> None:
    assert verdict(failed("NeverHeardOf", status)) is expected


@pytest.mark.parametrize("status", [400, 402, 404, 409, 412, 415, 430, 432, 499])
def test_an_answer_without_a_code_of_the_service_rejects_no_row(status: int) -> None:
    assert verdict(failed(str(status), status)) is Verdict.HALT
    assert verdict(failed("NeverHeardOf", status, foreign=True)) is Verdict.HALT


@pytest.mark.parametrize("status", [413, 414, 431])
def test_whoever_says_that_a_request_is_too_large_says_it_of_this_row(status: int) -> None:
    assert verdict(failed(str(status), status)) is Verdict.REJECT
    assert verdict(failed("NeverHeardOf", status, foreign=True)) is Verdict.REJECT


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_a_request_that_never_arrived_as_a_whole_is_made_again_whatever_its_status(code: str) -> None:
    for status in (None, 400, 403, 500):
        assert verdict(failed(code, status)) is Verdict.RETRY


@pytest.mark.parametrize("code", ["InvalidToken", "AccountProblem", "AuthFailure", "UnknownOperation"])
def test_a_no_to_the_account_comes_before_the_status(code: str) -> None:
    assert verdict(failed(code, 500)) is Verdict.HALT
    assert verdict(failed(code, None)) is Verdict.RETRY  # nothing answered: it is no word of the service
    assert verdict(failed(code, 429)) is Verdict.THROTTLE


@pytest.mark.parametrize(
    "code", ["ExpiredToken", "InvalidClientTokenId", "RequestExpired", "UnrecognizedClientException", "ProxyRefused"]
)
def test_the_signature_and_the_line_are_refused_for_every_operation_alike(code: str) -> None:
    assert is_of_transport(failed(code, 403)) is True


def test_a_foreign_answer_is_of_the_line_whatever_its_code() -> None:
    assert is_of_transport(failed("NeverHeardOf", 400, foreign=True)) is True


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "InvalidClientTokenFormat"])
def test_what_is_refused_of_one_operation_is_not_of_the_line(code: str) -> None:
    assert is_of_transport(failed(code, 403)) is False
