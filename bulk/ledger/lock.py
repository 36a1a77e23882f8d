"""One sender per run: a lock that dies with its process.

The lock is the operating system's (`flock`) on a file of the state directory, never the file's presence: a process
that is killed leaves the file and loses the lock. The file is not removed afterwards, for a file removed while another
process opens it would let two in. Its text says who holds it, for people.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from bulk.errors import LedgerError, RunBusy
from bulk.files import hold, open_private, state_folder
from bulk.text.outside import outside_text

LOOKS, LOOK = 5, 0.02  # how often, and how many seconds apart, a lock is tried that may be held by a look alone


@contextmanager
def sole_sender(folder: Path, campaign: str, run: str) -> Iterator[None]:
    """Be the only process that sends this run, for as long as the block lasts.

    Raises `RunBusy`, which names the holder, where another process sends it already; `LedgerError` where the state
    directory cannot be written.
    """
    path = _path(folder, campaign, run)
    file = _open(path)
    try:
        _take(file, path, campaign, run)
        _sign(file)
        yield
    finally:
        os.close(file)


def sender(folder: Path, campaign: str, run: str) -> str | None:
    """Name the process that sends this run at the moment, None where none does."""
    path = _path(folder, campaign, run)
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        hold(file, path, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(file)
    finally:
        os.close(file)
    return None


def _path(folder: Path, campaign: str, run: str) -> Path:
    return folder / f"{quote(campaign, safe='')}.{quote(run, safe='')}.lock"


def _open(path: Path) -> int:
    state_folder(path.parent)
    try:
        return open_private(path)
    except OSError as error:
        raise LedgerError(
            f"{path}: {error.strerror}; make its folder writable, or name another with --state-dir"
        ) from error


def _take(file: int, path: Path, campaign: str, run: str) -> None:
    try:
        for _ in range(LOOKS):
            with suppress(BlockingIOError):  # perhaps only somebody who looks: see `sender`
                hold(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(LOOK)
        hold(file, path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunBusy(
            f"run {run!r} of campaign {campaign!r} is being sent by {_holder(file)}; "
            "wait until it ends, or send a run of another name with --run"
        ) from None


def _sign(file: int) -> None:
    """Write down who holds the lock. It holds without that, so a full disk does not matter here."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(holder).encode(), 0)
    except OSError:
        return


def _holder(file: int) -> str:
    try:
        holder = json.loads(os.pread(file, 4096, 0))
        return outside_text(f"process {holder['pid']} on {holder['host']} since {holder['since']}", limit=200)
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
