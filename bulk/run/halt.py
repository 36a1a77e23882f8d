"""Errors that end a run early: before its first call it could not start, after that it is halted.

Both are told in the words of the error. Which of the two it is makes the exit code, 2 or 3 (`errors`), and whether
there is a summary.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bulk.delivery.attempts import CallCounts
from bulk.errors import BulkError, Halted, LedgerError
from bulk.stop import Stop

log = logging.getLogger("bulk")


@dataclass(slots=True)
class Halt:
    """The halt of one run. `call_counts` tells whether a call was made."""

    stop: Stop
    call_counts: CallCounts
    _cause: BulkError | None = None

    @property
    def reason(self) -> str | None:
        """The cause that would fail every row, where there is one."""
        return self.stop.reason if self.stop.exit_code == Halted.exit_code else None

    def note(self, error: BulkError) -> None:
        """Keep the first error, on its way to who stops the run."""
        self._cause = self._cause or error

    def check(self) -> None:
        """Raise what kept the run from starting: `ListError`, `LedgerError`."""
        if self._cause is not None and self._is_no_start(self._cause):
            raise self._cause

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Halt the run where its end cannot be recorded. Raises `LedgerError` where it never started."""
        try:
            yield
        except LedgerError as error:
            if self._is_no_start(error):
                raise
            if self.stop.asked and self.stop.reason != str(error):
                log.error(str(error))  # noqa: TRY400 - the sentence says it all
            self.stop.ask(str(error), Halted.exit_code)

    def _is_no_start(self, error: BulkError) -> bool:
        return error.exit_code != Halted.exit_code and not self.call_counts.calls
