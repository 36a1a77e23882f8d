"""Folders made with mode 0700 and files with 0600, whatever the umask, and never through a link.

No link is followed to a file that we write, and none is written that somebody else owns or can reach by another name.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600
NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone. Raises `OSError`."""
    for one in reversed([folder, *folder.parents]):
        if not one.is_dir():
            with suppress(FileExistsError):  # another process was first, or a file stands there
                one.mkdir(mode=0o700)
                one.chmod(0o700)  # a strange umask takes even the owner's rights
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def open_private(path: Path, *, linked: bool = False) -> int:
    """Open a file to be read and written, and make it where there is none. Raises `OSError`.

    It is a regular file, ours, and known by no other name unless it may be `linked`: a planted link leads nowhere.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, PRIVATE)
    found = os.fstat(file)
    if not (stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and (linked or found.st_nlink == 1)):
        os.close(file)
        raise PermissionError(errno.EPERM, "no file of this program, but a link or somebody else's: remove it")
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        os.fchmod(file, PRIVATE)
    return file


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet. Raises `OSError`, `FileExistsError` among them."""
    private_folder(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | NEW, PRIVATE), "wb") as file:
        os.fchmod(file.fileno(), PRIVATE)
        file.write(content)
