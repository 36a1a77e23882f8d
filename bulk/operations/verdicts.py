"""What each error of the service means for its call."""

import re

from bulk.errors import CallFailed, CallNotMade
from bulk.model import Verdict

# Amazon Connect's errors. "Amazon Connect Service API Reference", Errors of each operation and "Common Errors";
# a test holds this table complete against the service's own model.
VERDICTS: dict[str, Verdict] = {
    "ThrottlingException": Verdict.THROTTLE,
    "Throttling": Verdict.THROTTLE,
    "TooManyRequestsException": Verdict.THROTTLE,
    "RequestLimitExceeded": Verdict.THROTTLE,
    "InternalServiceException": Verdict.RETRY,
    "InternalFailure": Verdict.RETRY,
    "ServiceUnavailable": Verdict.RETRY,
    "ResourceNotReadyException": Verdict.RETRY,
    "LimitExceededException": Verdict.HOLD,
    "ServiceQuotaExceededException": Verdict.HOLD,
    "IdempotencyException": Verdict.DOUBT,
    "AccessDeniedException": Verdict.HALT,
    "ResourceNotFoundException": Verdict.HALT,
    "UserNotFoundException": Verdict.HALT,
    "InvalidActiveRegionException": Verdict.HALT,
    "ContactFlowNotPublishedException": Verdict.HALT,
    "InvalidContactFlowException": Verdict.HALT,
    "InvalidContactFlowModuleException": Verdict.HALT,
    "ExpiredTokenException": Verdict.HALT,
    "ExpiredToken": Verdict.HALT,
    "UnrecognizedClientException": Verdict.HALT,
    "InvalidClientTokenId": Verdict.HALT,
    "InvalidSignatureException": Verdict.HALT,
    "SignatureDoesNotMatch": Verdict.HALT,
    "IncompleteSignature": Verdict.HALT,
    "MissingAuthenticationToken": Verdict.HALT,
    "MissingAuthenticationTokenException": Verdict.HALT,
    "RequestExpired": Verdict.HALT,
    "NotAuthorized": Verdict.HALT,
    "OptInRequired": Verdict.HALT,
    "InvalidRequestException": Verdict.REJECT,
    "InvalidParameterException": Verdict.REJECT,
    "ValidationException": Verdict.REJECT,
    "ValidationError": Verdict.REJECT,
    "SerializationException": Verdict.REJECT,
    "PropertyValidationException": Verdict.REJECT,
    "InvalidTestCaseException": Verdict.REJECT,
    "MaximumResultReturnedException": Verdict.REJECT,
    "ConditionalOperationFailedException": Verdict.REJECT,
    "ConflictException": Verdict.REJECT,
    "DuplicateResourceException": Verdict.REJECT,
    "ResourceConflictException": Verdict.REJECT,
    "ResourceInUseException": Verdict.REJECT,
    "ContactNotFoundException": Verdict.REJECT,
    "ContactNotTerminatedException": Verdict.REJECT,
    "OutputTypeNotFoundException": Verdict.REJECT,
    "DestinationNotAllowedException": Verdict.REJECT,
    "OutboundContactNotPermittedException": Verdict.REJECT,
    # Ours, of the line
    "ProxyRefused": Verdict.HALT,
}

# The SDK's own list (botocore, `retries/standard.py`), but for LimitExceededException, which is Amazon Connect's HOLD.
THROTTLES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "EC2ThrottledException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "PriorRequestNotComplete",
    }
)
FAULTS = frozenset({"RequestTimeout", "RequestTimeoutException"})  # likewise: the service never had the whole request

# How AWS refuses an account, a key, a signature or an endpoint, but never a row ("Common Errors" of its services).
_OF_THE_ACCOUNT = re.compile(
    r"(?<!Client)Token|TokenId|Signature|Credential|[Aa]uth(?!or(?!iz))|AccessKey|AccessDenied|Account|Forbidden|Subscription"
    r"|SignUp|SignedUp|Skew|InTheFuture|UnknownOperation|InvalidAction|MissingAction|InvalidEndpoint|MalformedQuery"
    r"|UnsupportedOperation|InvalidVersion"
)

_OF_THE_SIGNATURE = re.compile(r"(?<!Client)Token|TokenId|Signature|RequestExpired|UnrecognizedClient|Skew|InTheFuture")


def is_of_transport(failure: CallFailed) -> bool:
    """Whether the credentials, the clock or the connection of a request was refused, whatever its operation."""
    return failure.foreign or failure.code == "ProxyRefused" or bool(_OF_THE_SIGNATURE.search(failure.code))


TOO_LARGE = {413, 414, 431}  # statuses that say what is wrong with this request, whoever says it


def verdict(failure: CallFailed, *, varies: bool = False) -> Verdict:
    """Return the verdict on a failed call, by its code, else by its HTTP status.

    An answer without a code is not the service's word on a row: a proxy gave it, or something else at a wrong endpoint.
    It halts, unless it says that this one request is too large (RFC 9110, 15.5).

    Where the row itself names a resource (`varies`: a flow, user or contact id that is a template), a resource that is
    not found is that row's trouble and not everybody's.
    """
    judged = Verdict.NOT_MADE if isinstance(failure, CallNotMade) else VERDICTS.get(failure.code)
    if judged is Verdict.HALT and varies and failure.code in {"ResourceNotFoundException", "UserNotFoundException"}:
        return Verdict.REJECT
    if judged is not None:
        return judged
    transient = _transient(failure)
    if transient is not None or failure.status is None:
        return transient or Verdict.RETRY
    if _OF_THE_ACCOUNT.search(failure.code):
        return Verdict.HALT
    if failure.status >= 500:
        return Verdict.RETRY
    foreign = (failure.foreign or failure.code.isdigit()) and failure.status not in TOO_LARGE
    denied = failure.status in {401, 403, 407} or failure.status < 400  # below 400: sent on to somewhere else
    return Verdict.HALT if foreign or denied else Verdict.REJECT


def _transient(failure: CallFailed) -> Verdict | None:
    """Return the verdict on what passes by itself, by the SDK's own lists and RFC 9110; None for all else."""
    if failure.code in THROTTLES or failure.status == 429:
        return Verdict.THROTTLE
    return Verdict.RETRY if failure.code in FAULTS or failure.status == 408 else None
