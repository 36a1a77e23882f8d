"""What changes where the files of a contact list do, so that a list which changed under its run is noticed."""

from pathlib import Path

from bulk.run.opening import Opened, contacts_of

Marks = dict[Path, tuple[int, int, int, int] | None]
"""Each file: its time in nanoseconds, its size, its device and its number there; None where it is gone."""


def marks_of(opened: Opened) -> Marks:
    """Return the marks of the files that a list consists of as they are now: none for frames and lists elsewhere."""
    source = contacts_of(opened)
    if not isinstance(source, str | Path) or "://" in str(source):
        return {}
    path = Path(source)
    if path.is_dir():
        return {file: _mark(file) for file in sorted(path.rglob("*")) if file.is_file()}
    if path.exists() or not any(sign in path.name for sign in "*?["):
        return {path: _mark(path)}
    return {file: _mark(file) for file in sorted(path.parent.glob(path.name))}


def _mark(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_dev, found.st_ino
