"""The state directory: owned by the user, closed to others, and on a file system where locks work."""

import fcntl
import os
import stat
from pathlib import Path

from bulk.errors import LedgerError
from bulk.files.private import private_folder

# File systems on which locks, or SQLite's log, do not hold what they promise ("SQLite", How To Corrupt, 2.1 and 2.3).
_REMOTE = frozenset(
    {
        *("nfs", "nfs4", "efs", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "beegfs"),
        *("davfs", "ncpfs", "coda", "9p", "virtiofs", "gpfs", "gfs2", "ocfs2", "orangefs", "pvfs2", "vboxsf", "prl_fs"),
    }
)
# What is mounted by FUSE is mostly somewhere else (sshfs, s3fs, mount-s3, gcsfuse, rclone, …); these are on a disk.
_LOCAL_FUSE = frozenset(
    {
        *("fuse-overlayfs", "overlayfs", "unionfs", "unionfs-fuse", "mergerfs", "bindfs", "lxcfs", "ntfs-3g", "exfat"),
        *("encfs", "gocryptfs", "cryfs", "securefs", "veracrypt", "zfs", "zfs-fuse", "ext4", "apfs", "dislocker"),
    }
)
ELSEWHERE = "a disk of this machine, or s3://BUCKET/PREFIX"


def state_folder(folder: Path) -> None:
    """Make the state directory, and see that nobody else can write to it, and that locks hold there.

    Raises `LedgerError` with the remedy.
    """
    try:
        private_folder(folder)
        check_state(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise LedgerError(f"{folder}: a file stands where the folder goes; name another with --state-dir") from error
    except OSError as error:
        raise LedgerError(
            f"{folder}: {error.strerror}; make it a folder that can be written, or name another with --state-dir"
        ) from error


def check_state(folder: Path) -> None:
    """Raise `LedgerError` where a state directory belongs to somebody else, or others may write to it.

    Whoever may write there may put another ledger in the place of ours, which decides who is written to twice. In a
    sticky folder nobody can do that, and what was put there before us is seen by whose it is.
    """
    found = folder.stat()
    elsewhere = "or name a folder of your own with --state-dir"
    if found.st_uid != os.geteuid():
        raise LedgerError(f"{folder}: belongs to another user (uid {found.st_uid}); run as that one, {elsewhere}")
    if found.st_mode & 0o022 and not _keeps_others_out(folder, found):
        mode = f"mode {stat.S_IMODE(found.st_mode):04o}"
        raise LedgerError(f"{folder}: others may write to it ({mode}); chmod 700 it, {elsewhere}")
    if remote := remote_kind(folder):
        raise LedgerError(
            f"{folder}: on a network file system ({remote}), where neither locks nor SQLite's log can be relied on; "
            f"name a folder on {ELSEWHERE}, with --state-dir"
        )


def _keeps_others_out(folder: Path, found: os.stat_result) -> bool:
    """Whether all that is in a sticky folder is ours, as in a volume that was mounted for us."""
    if not found.st_mode & stat.S_ISVTX:
        return False
    with os.scandir(folder) as entries:
        return all(entry.stat(follow_symlinks=False).st_uid == os.geteuid() for entry in entries)


def remote_kind(folder: Path, mounts: str | None = None) -> str | None:
    """Return the kind of the network file system that a folder is on, None where it is on none.

    `mounts` is what Linux tells in /proc/self/mountinfo (proc(5)); other systems tell nothing here.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        except OSError:
            return None
    path, best, kind = os.path.realpath(folder), "", ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        point = _unescaped((fields.split(" ") + [""] * 5)[4])
        if len(point) >= len(best) and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, kind = point, rest.partition(" ")[0]
    name, _, fuse = kind.partition(".")
    return kind if name in _REMOTE or (name == "fuse" and fuse and fuse not in _LOCAL_FUSE) else None


def _unescaped(point: str) -> str:
    """Read a mount point: white space and backslashes stand there as octal numbers."""
    for code in ("040", "011", "012", "134"):
        point = point.replace(f"\\{code}", chr(int(code, 8)))
    return point


def hold(file: int, path: Path, how: int) -> None:
    """Take the operating system's lock of an open file (`fcntl.flock`).

    Raises `BlockingIOError` where another has it and `how` says not to wait; `LedgerError` where there are no locks.
    """
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        raise
    except OSError as error:
        raise LedgerError(
            f"{path}: cannot be locked here ({error.strerror}), and without a lock two processes might send the same; "
            f"name a folder on {ELSEWHERE}, with --state-dir"
        ) from error
