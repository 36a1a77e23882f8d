"""The mark of a file, which changes when the file does."""

from pathlib import Path

Mark = tuple[int, int, int, int]
"""A file's time of change in nanoseconds, its size in bytes, its device and its number there."""


def mark_of(path: Path) -> Mark | None:
    """Return the mark of a file as it is now, None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_dev, found.st_ino
