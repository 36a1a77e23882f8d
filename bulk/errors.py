"""The exceptions of the program, and its exit codes.

    BulkError                     anything this program says no to
    ├── CampaignError             the campaign file or an option is wrong        (exit 2)
    ├── ListError                 the contact list cannot be read                (exit 2)
    ├── LedgerError               the ledger cannot be used, or is another run's (exit 2)
    ├── RunBusy                   another process sends this run                 (exit 75)
    ├── Interrupted               the stop button of a notebook                  (exit 130)
    ├── Halted                    a cause that would fail every row              (exit 3)
    │   └── SetupError            credentials or certificates: no call can be made (exit 2)
    └── CallFailed                one call met its end without a reply
        ├── CallRejected          the service said no
        │   └── CallWithheld      we said no, before it went out
        ├── CallNotMade           it was certainly never sent, and nothing is wrong with it
        └── CallUnsettled         nobody can tell whether it was accepted

A refused *row* is data (`model.Refusal`), no exception. A `SetupError` after the first call halts the run (exit 3).
"""

import enum
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from bulk.model import Refusal
from bulk.text.outside import outside_text

_NAME = 200  # characters of an error's code or a request's id


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
    _is_shown = False

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the sentence, and the next time (`%tb`) the whole traceback."""
        if not self._is_shown:
            self._is_shown = True
            return [f"{type(self).__name__}: {self}"]
        return "".join(traceback.format_exception(self)).splitlines()

    def hide(self, values: Iterable[str]) -> None:
        """Mask the values of a row, which a service may have echoed."""
        self.args = (outside_text(self, values=values),)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the text and all that is known besides, whatever the constructor takes."""
        return Exception.__new__, (type(self), *self.args), vars(self)


class CampaignError(BulkError):
    """The campaign, or an option that overrides it, is wrong."""


class ListError(BulkError):
    """The contact list cannot be read as a whole."""


class LedgerError(BulkError):
    """The ledger cannot be used: damaged, not writable, or kept for something else."""


class RunBusy(BulkError):
    """Another process is sending this run."""

    exit_code = ExitCode.BUSY


class Interrupted(BulkError):
    """Somebody pressed the stop button of a notebook; the run can be resumed."""

    exit_code = ExitCode.INTERRUPTED


class Halted(BulkError):
    """A cause that would fail every row; the run can be resumed once it is fixed."""

    exit_code = ExitCode.HALTED


class SetupError(Halted):
    """Credentials, certificates or the proxy are wrong: no call can be made, and none was made for this row."""

    exit_code = ExitCode.NOT_STARTED


class CallFailed(BulkError):
    """One call met its end without a reply. `code` is AWS's error code, or a name for what the line did, or the status.

    `status` is HTTP's, None where no answer came. `went_out` tells whether the first byte of the request left.
    `foreign`: the answer is not the operation's own word on this row, but that of something between. `retry_after` are
    the seconds that the answer asked to wait. What the service said is bounded, and a line of text (`outside_text`).
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
        self.operation = operation
        self.code = outside_text(code, limit=_NAME)
        self.message = outside_text(message)
        super().__init__(f"{operation}: {self.code}: {self.message}")
        self.status = status
        self.request_id = None if request_id is None else outside_text(request_id, limit=_NAME)
        self.went_out = went_out
        self.foreign = foreign
        self.retry_after = retry_after

    def hide(self, values: Iterable[str]) -> None:
        """Mask the values of a row."""
        self.message = outside_text(self.message, values=values)
        self.args = (f"{self.operation}: {self.code}: {self.message}",)


class CallRejected(CallFailed):
    """The service refuses for good."""


class CallWithheld(CallRejected):
    """The rules leave a call's recipient out, for good. A channel treats it like a rejection by the service."""

    def __init__(self, operation: str, refusal: Refusal) -> None:
        super().__init__(operation, refusal.code, refusal.message, went_out=False)
        self.refusal = refusal


class CallNotMade(CallFailed):
    """Nobody got to make the call: it was certainly never sent, and counts as no try."""


class CallUnsettled(CallFailed):
    """The tries ran out, and one of them may have been accepted."""


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise what task groups have wrapped, where it is one of ours; of several that are all ours, the first."""
    try:
        yield
    except ExceptionGroup as group:
        found = list(_leaves(group))
        if all(isinstance(error, BulkError) for error in found):
            raise found[0] from group
        raise


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
