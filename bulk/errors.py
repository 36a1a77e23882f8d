"""Our exceptions, and what each error of the service means.

    BulkError                     anything this program says no to
    ├── CampaignError             the campaign file or an option is wrong        (exit 2)
    ├── ListError                 the contact list cannot be read                (exit 2)
    ├── LedgerError               the ledger cannot be used, or is another run's (exit 2)
    ├── RunBusy                   another process sends this run                 (exit 75)
    ├── Halted                    a cause that would fail every row              (exit 3)
    │   └── SetupError            credentials or certificates: no call can be made (exit 2)
    └── CallFailed                one call met its end without a reply
        ├── CallRejected          the service said no
        │   └── CallWithheld      we said no, before it went out
        └── CallUnsettled         nobody can tell whether it was accepted

A refused *row* is data (`model.Refusal`), no exception. A `SetupError` after the first call halts the run (exit 3).
"""

import enum
import re
from collections.abc import Iterator
from contextlib import contextmanager

from bulk.model import Refusal, Verdict


class ExitCode(enum.IntEnum):
    """How a command ended. A script reads no more than this."""

    DONE = 0  # every row was sent, or skipped on purpose
    ROWS_FAILED = 1  # finished; some rows were refused, rejected or are unknown
    NOT_STARTED = 2  # campaign, list, options or credentials are wrong; no call was made
    HALTED = 3  # a cause that would fail every row; resumable
    ROWS_LEFT = 4  # ended with rows left, as asked or because the list changed meanwhile; resumable
    BUSY = 75  # another process sends this run
    INTERRUPTED = 130  # SIGINT
    TERMINATED = 143  # SIGTERM, SIGHUP


class BulkError(Exception):
    """Anything this program says no to. Its text names place, value and remedy, and is fit for a terminal."""

    exit_code = ExitCode.NOT_STARTED


class CampaignError(BulkError):
    """The campaign, or an option that overrides it, is wrong."""


class ListError(BulkError):
    """The contact list cannot be read as a whole."""


class LedgerError(BulkError):
    """The ledger cannot be used: damaged, not writable, or kept for something else."""


class RunBusy(BulkError):
    """Another process is sending this run."""

    exit_code = ExitCode.BUSY


class Halted(BulkError):
    """A cause that would fail every row; the run can be resumed once it is mended."""

    exit_code = ExitCode.HALTED


class SetupError(Halted):
    """Credentials, certificates or the proxy are wrong: no call can be made, and none was made for this row."""

    exit_code = ExitCode.NOT_STARTED


class CallFailed(BulkError):
    """One call met its end without a reply. `code` is AWS's error code, or a name for what the line did, or the status.

    `status` is HTTP's, None where no answer came. `went_out` tells whether the first byte of the request left.
    `foreign`: the answer is not the operation's own word on this row, but that of something between. `retry_after` are
    the seconds that the answer asked to wait.
    """

    def __init__(  # noqa: PLR0913 - so much is known of an answer
        self,
        operation: str,
        code: str,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        went_out: bool = True,
        foreign: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id
        self.went_out = went_out
        self.foreign = foreign
        self.retry_after = retry_after


class CallRejected(CallFailed):
    """The service's final no."""


class CallWithheld(CallRejected):
    """Our own final no to a call: the rules leave its recipient out. To a channel it is a no like the service's."""

    def __init__(self, operation: str, refusal: Refusal) -> None:
        super().__init__(operation, refusal.code, refusal.message, went_out=False)
        self.refusal = refusal


class CallUnsettled(CallFailed):
    """The tries ran out, and one of them may have been accepted."""


# Amazon Connect's errors. "Amazon Connect Service API Reference", Errors of each operation and "Common Errors";
# a test holds this table complete against the service's own model.
VERDICTS: dict[str, Verdict] = {
    "ThrottlingException": Verdict.RETRY,
    "Throttling": Verdict.RETRY,
    "TooManyRequestsException": Verdict.RETRY,
    "RequestLimitExceeded": Verdict.RETRY,
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

# AWS's noes to an account, a key, a signature or an endpoint, never to a row ("Common Errors" of its services).
_OF_THE_ACCOUNT = re.compile(
    r"(?<!Client)Token|TokenId|Signature|Credential|[Aa]uth(?!or(?!iz))|AccessKey|AccessDenied|Account|Forbidden|Subscription"
    r"|SignUp|SignedUp|Skew|InTheFuture|UnknownOperation|InvalidAction|MissingAction|InvalidEndpoint|MalformedQuery"
    r"|UnsupportedOperation|InvalidVersion"
)


def is_throttle(failure: CallFailed) -> bool:
    """Whether the service said that the rate was too high: nothing was accepted, and it counts as no failure."""
    return failure.code in THROTTLES or (failure.status == 429 and failure.code not in VERDICTS)


TOO_LARGE = {413, 414, 431}  # statuses that say what is wrong with this request, whoever says it


def verdict(failure: CallFailed, *, varies: bool = False) -> Verdict:
    """Return the verdict on a failed call, by its code, else by its HTTP status.

    An answer without a code is not the service's word on a row: a proxy gave it, or something else at a wrong endpoint.
    It halts, unless it says that this one request is too large (RFC 9110, 15.5).

    Where the row itself names a resource (`varies`: a flow, user or contact id that is a template), a resource that is
    not found is that row's trouble and not everybody's.
    """
    judged = VERDICTS.get(failure.code)
    if judged is Verdict.HALT and varies and failure.code in {"ResourceNotFoundException", "UserNotFoundException"}:
        return Verdict.REJECT
    if judged is not None:
        return judged
    if failure.code in THROTTLES | FAULTS or failure.status is None or failure.status in {408, 429}:
        return Verdict.RETRY
    if _OF_THE_ACCOUNT.search(failure.code):
        return Verdict.HALT
    if failure.status >= 500:
        return Verdict.RETRY
    foreign = (failure.foreign or failure.code.isdigit()) and failure.status not in TOO_LARGE
    denied = failure.status in {401, 403, 407} or failure.status < 400  # below 400: sent on to somewhere else
    return Verdict.HALT if foreign or denied else Verdict.REJECT


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise what task groups have wrapped, where it is one of ours."""
    try:
        yield
    except ExceptionGroup as group:
        error: Exception = group
        while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        if isinstance(error, BulkError):
            raise error from group
        raise
