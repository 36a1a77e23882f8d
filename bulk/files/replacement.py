"""A file written as a whole: under another name beside it, then renamed. The old file is always complete."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulk.errors import CampaignError
from bulk.files import beside, private_folder


@contextmanager
def taking_the_place_of(path: Path, *, failed: str, remedy: str) -> Iterator[Path]:
    """Yield a file beside `path`, for its owner alone, that takes its place at the end, or vanishes on failure.

    Raises `CampaignError`, with what `failed` and the remedy, where that cannot be: at once where it is seen at once.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        private_folder(path.parent)
        with beside(path) as new:
            yield new
            _to_disk(new)
            new.replace(path)
    except OSError as error:
        raise CampaignError(f"{path}: {failed}: {error.strerror or error}. {remedy}") from error


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
