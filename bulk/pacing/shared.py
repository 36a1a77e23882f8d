"""One limit for all processes of a host that share a state directory, kept from one run to the next.

The state of a limiter is a handful of numbers in a small file of its own, changed under the operating system's lock. It
costs a few microseconds where a database would cost a commit for each call, outlives a killed process, and a burst once
spent is not there again after a restart.

The file begins with a line of text, which says its version and names its fields. Those of version 1 had no such line,
and are read. One of a later version is left alone: to take it for empty would be to send at a rate that is used up.
"""

import fcntl
import os
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bulk.errors import LedgerError
from bulk.files import hold, open_private, private_folder
from bulk.model import digest
from bulk.pacing import virtual_time
from bulk.pacing.limiter import FORMAT, AdaptiveLimiter

T = TypeVar("T")

MOST = 1 << 16  # bytes of a file

VERSION, FIELDS = FORMAT
MAGIC = b"bulk pace "
HEADER = MAGIC + f"{VERSION}: {' '.join(FIELDS)}; then of each limit its number, how many follow, and these\n".encode()

# `time.monotonic` leaves out the time for which the machine was suspended. Linux has another, to macOS it is this one.
_SINCE_START = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class FileStore:
    """The pace of an operation of an account, in a file that others change too."""

    def __init__(self, folder: Path, place: tuple[str, ...], pace: AdaptiveLimiter) -> None:
        """Open it. `place` names whose pace it is: account, endpoint, Region, operation. Raises `LedgerError`."""
        path = folder / "pace" / f"{place[-1]}-{digest(place).hex()[:12]}"
        self._pace = pace
        self._path = path
        try:
            private_folder(path.parent)
            self._file = open_private(path)
        except OSError as error:
            raise self._failed(error, "make it writable, or name another --state-dir") from error
        try:
            self.change(lambda pace: (pace.for_new_run(time.time()), None))
        except BaseException:
            self.close()
            raise

    def change(self, change: Callable[[AdaptiveLimiter], tuple[AdaptiveLimiter, T]]) -> T:
        """Change the pace, nobody else meanwhile; return what the change returns. Raises `LedgerError`."""
        hold(self._file, self._path, fcntl.LOCK_EX)
        try:
            kept = self._numbers(os.pread(self._file, MOST, 0))
            pace, given = change(self._pace.with_state(kept))
            os.pwrite(self._file, HEADER + array("d", pace.state).tobytes(), 0)
        except OSError as error:
            raise self._failed(error, "make room and send again, or name another --state-dir") from error
        finally:
            hold(self._file, self._path, fcntl.LOCK_UN)
        return given

    def look(self) -> AdaptiveLimiter:
        """Return the limiter as it is now, without a change to it. Raises `LedgerError`."""
        hold(self._file, self._path, fcntl.LOCK_SH)
        try:
            return self._pace.with_state(self._numbers(os.pread(self._file, MOST, 0)))
        except OSError as error:
            raise self._failed(error, "name another --state-dir") from error
        finally:
            hold(self._file, self._path, fcntl.LOCK_UN)

    def _numbers(self, content: bytes) -> "array[float]":
        """Read the numbers of a file. Raise `LedgerError` where a later version wrote it."""
        numbers = array("d")
        if content.startswith(HEADER):
            numbers.frombytes(_whole(content[len(HEADER) :]))
        elif not content.startswith(MAGIC):
            numbers.frombytes(_whole(content))
        elif b"\n" in content:
            raise LedgerError(f"{self._path} was written by another version of bulk: use that, or another --state-dir")
        return numbers

    def _failed(self, error: OSError, remedy: str) -> LedgerError:
        return LedgerError(f"{self._path}: {error.strerror}; {remedy}")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _whole(content: bytes) -> bytes:
    """Leave out what is no whole number: a file cut short says nothing."""
    return content[: len(content) // 8 * 8]


def steady_clock() -> Callable[[], float]:
    """Return Unix seconds that never jump while the process lasts, and mean the same to all processes of the host.

    In a rehearsal in virtual time these are its own.
    """
    if virtual_time.current() is not None:
        return virtual_time.clock()
    offset = time.time() - time.clock_gettime(_SINCE_START)
    return lambda: offset + time.clock_gettime(_SINCE_START)
