"""Our exceptions, and what each error of the service means.

    BulkError                     anything this program says no to
    ├── CampaignError             the campaign file or an option is wrong        (exit 2)
    ├── ListError                 the contact list cannot be read                (exit 2)
    ├── LedgerError               the ledger cannot be used, or is another run's (exit 2)
    ├── RunBusy                   another process sends this run                 (exit 75)
    ├── Halted                    a cause that would fail every row              (exit 3)
    └── CallFailed                one call met its end without a reply
        ├── CallRejected          the service said no
        └── CallUnsettled         nobody can tell whether it was accepted

A refused *row* is data (`model.Refusal`), not an exception.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from bulk.model import Verdict
from bulk.outside import outside_text

_NAME = 200  # characters of an error's code or a request's id


class BulkError(Exception):
    """Anything this program says no to. Its text names place, value and remedy, and is fit for a terminal."""

    exit_code = 2

    def hide(self, values: Iterable[str]) -> None:
        """Mask the values of a row, which a service may have echoed."""
        self.args = (outside_text(self, values=values),)


class CampaignError(BulkError):
    """The campaign, or an option that overrides it, is wrong."""


class ListError(BulkError):
    """The contact list cannot be read as a whole."""


class LedgerError(BulkError):
    """The ledger cannot be used: damaged, not writable, or kept for something else."""


class RunBusy(BulkError):
    """Another process is sending this run."""

    exit_code = 75


class Halted(BulkError):
    """A cause that would fail every row; the run can be resumed once it is mended."""

    exit_code = 3


class CallFailed(BulkError):
    """One call met its end without a reply.

    `code` is AWS's error code, or a name for what the line did, or the status where an answer names no error. `status`
    is HTTP's, None where no answer came.
    `went_out` tells whether the service may have seen the request. What the service said is bounded, and no more than
    a line of text (`outside_text`).
    """

    def __init__(
        self,
        operation: str,
        code: str,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        went_out: bool = True,
    ) -> None:
        self.operation = operation
        self.code = outside_text(code, limit=_NAME)
        self.message = outside_text(message)
        super().__init__(f"{operation}: {self.code}: {self.message}")
        self.status = status
        self.request_id = None if request_id is None else outside_text(request_id, limit=_NAME)
        self.went_out = went_out

    def hide(self, values: Iterable[str]) -> None:
        """Mask the values of a row."""
        self.message = outside_text(self.message, values=values)
        self.args = (f"{self.operation}: {self.code}: {self.message}",)


class CallRejected(CallFailed):
    """The service's final no."""


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
}

THROTTLES = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})


def is_throttle(failure: CallFailed) -> bool:
    """Tell whether the service said that the rate was too high: nothing was accepted, and it counts as no failure."""
    return failure.code in THROTTLES or (failure.status == 429 and failure.code not in VERDICTS)


ABOUT_ONE_REQUEST = {400, 413, 414, 422, 431}  # statuses that say what is wrong with this request, not with all


def verdict(failure: CallFailed, *, varies: bool = False) -> Verdict:
    """Judge a failed call by its code, else by its HTTP status.

    An answer without a code is not the service's word on a row: a proxy gave it, or something else at a wrong endpoint.
    It halts, unless its status is about that one request (RFC 9110, 15.5).

    Where the row itself names a resource (`varies`: a flow, user or contact id that is a template), a resource that is
    not found is that row's trouble and not everybody's.
    """
    judged = VERDICTS.get(failure.code)
    if judged is Verdict.HALT and varies and failure.code in {"ResourceNotFoundException", "UserNotFoundException"}:
        return Verdict.REJECT
    if judged is not None:
        return judged
    if failure.status is None or failure.status in {408, 429} or failure.status >= 500:
        return Verdict.RETRY
    foreign = failure.code.isdigit() and failure.status not in ABOUT_ONE_REQUEST
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
