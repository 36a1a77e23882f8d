"""A file written whole: beside its name, which it takes at the end. What stands there is always complete."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bulk.errors import CampaignError


@contextmanager
def taking_the_place_of(path: Path, *, failed: str, remedy: str) -> Iterator[Path]:
    """Give a file beside `path`, for its owner alone, that takes its place at the end, or vanishes where writing fails.

    Raises `CampaignError`, with what `failed` and the remedy, where that cannot be: at once where it is seen at once.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield beside
        _to_disk(beside)
        beside.replace(path)
    except OSError as error:
        raise CampaignError(f"{path}: {failed}: {error.strerror or error}. {remedy}") from error
    finally:
        with suppress(OSError):  # it has taken its place, or was never made
            beside.unlink()


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
