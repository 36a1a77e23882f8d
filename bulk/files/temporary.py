"""Temporary files and folders: new files beside those that they will replace, and scratch folders.

Nobody can predict their names. A process holds a lock on what it made, so what a killed process left is recognised by
its free lock, and is removed when the next one is made.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from bulk.files.private import NEW, PRIVATE

_OLD = 24 * 3600.0  # seconds after which what cannot be locked is taken to be left behind
_YOUNG = 10.0  # seconds
_SCRATCH = ".bulk-scratch-"


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield a new file beside a path, which vanishes at the end where nothing has taken it. Raises `OSError`."""
    clear(path)
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    file = os.open(new, os.O_RDWR | NEW, PRIVATE)
    try:
        os.fchmod(file, PRIVATE)
        with suppress(OSError):  # without locks, its age must tell
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield new
    finally:
        with suppress(OSError):
            new.unlink()
        os.close(file)


def clear(path: Path) -> None:
    """Remove what killed processes have left beside a path: new files that nobody holds."""
    start, end = f".{path.name}.", ".new"
    for entry in _entries(path.parent):
        token = entry.name[len(start) : -len(end)]
        named = entry.name.startswith(start) and entry.name.endswith(end) and len(token) == 16
        if named and set(token) <= set("0123456789abcdef") and entry.is_file(follow_symlinks=False):
            _clear_file(Path(entry.path))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _clear_file(path: Path) -> None:
    """Remove a file that nobody holds; what another process has removed in the meantime is no error."""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            except OSError:
                if time.time() - os.fstat(file).st_mtime < _OLD:
                    return
            path.unlink()
        finally:
            os.close(file)


def scratch(parent: Path | None = None) -> tuple[Path, Callable[[], None]]:
    """Make a folder for things of the moment, in `parent` or the system's own place, and say how it is removed.

    A process that is killed removes nothing: what such ones left goes when the next folder is made. Raises `OSError`.
    """
    home = parent or Path(tempfile.gettempdir())
    for entry in _entries(home):
        if entry.name.startswith(_SCRATCH):
            _clear_folder(Path(entry.path))
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=home))
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with suppress(OSError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder, partial(_remove, folder, held)


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


def _clear_folder(folder: Path) -> None:
    """Remove a folder that nobody holds; one that was made just now may be held in a moment."""
    with suppress(OSError):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = os.fstat(held)
            if found.st_uid == os.geteuid() and time.time() - found.st_ctime > _YOUNG:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(held)
