"""Whom not to write to: destinations in files that may change during a run, and in lists from elsewhere.

Only hashes are kept, eight bytes each: two people share one by chance once in 10¹⁹ pairs, and then one is not written
to. They are compared as `bulk.identity` spells them: addresses without regard to case, before the @ as well.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bulk.errors import ListError
from bulk.identity import identity
from bulk.loader import Kind, listed
from bulk.model import Refusal, Status

Mark = tuple[int, int, int]
"""What changes where a file does: its time, its size, its place on the disk."""


@dataclass(frozen=True, slots=True)
class Source:
    """Destinations of one origin: its name, their hashes in order, and how many cells could not be read."""

    name: str
    hashes: "array[int]"
    unread: int = 0
    mark: Mark | None = None

    def __contains__(self, destination: str) -> bool:
        """Tell whether a destination in form is one of them."""
        wanted = _hash(destination)
        place = bisect_left(self.hashes, wanted)
        return place < len(self.hashes) and self.hashes[place] == wanted

    def __len__(self) -> int:
        """Count them."""
        return len(self.hashes)


class Suppression:
    """Whom not to write to. `warnings` are words for a person about the files as they were read at the start."""

    def __init__(self, kind: Kind, country: str | None, files: Sequence[Path]) -> None:
        self._kind, self._country = kind, country
        self._files = {path: _read(path, kind, country) for path in files}
        self._others: dict[str, Source] = {}
        self.warnings = [said for source in self._files.values() for said in _doubts(source, kind)]
        self._failed: dict[Path, Mark | None] = {}

    @classmethod
    def open(cls, files: Iterable[Path], *, kind: Kind, country: str | None = None) -> Self:
        """Read files, of any form that a contact list may have, or with one destination on each line.

        `country` (ISO 3166-1 alpha-2) is where numbers without + belong. Raises `ListError` where a file is missing or
        cannot be read: none is ignored.
        """
        return cls(kind, country, [*files])

    def put(self, name: str, destinations: Iterable[str]) -> None:
        """Take destinations in form from elsewhere; `name` says from where, and they replace what was put under it."""
        self._others[name] = _source(name, destinations)

    def __len__(self) -> int:
        """Count the destinations; one in two files counts twice."""
        return sum(map(len, self._sources()))

    def refusal(self, destination: str) -> Refusal | None:
        """Say why a destination in form is not written to, or None."""
        for source in self._sources():
            if destination in source:
                return Refusal("suppressed", f"named in {source.name}", Status.SKIPPED)
        return None

    def refresh(self) -> list[str]:
        """Read again what has changed; takes as long as that, so call it beside the event loop. Gives warnings.

        A file that can no longer be read keeps what it said before, with one warning until it changes again.
        """
        said = []
        for path, source in list(self._files.items()):
            mark = _mark(path)
            if mark is not None and mark == source.mark:
                self._failed.pop(path, None)
            elif path not in self._failed or self._failed[path] != mark:
                said += self._again(path, mark)
        return said

    def _again(self, path: Path, mark: Mark | None) -> list[str]:
        try:
            self._files[path] = _read(path, self._kind, self._country)
        except ListError as error:
            self._failed[path] = mark
            return [f"{error} (suppression goes on with the {len(self._files[path]):,} destinations it had before)"]
        self._failed.pop(path, None)
        return _doubts(self._files[path], self._kind)

    def _sources(self) -> Iterable[Source]:
        return [*self._files.values(), *self._others.values()]


def _read(path: Path, kind: Kind, country: str | None) -> Source:
    mark = _mark(path)
    found = listed(path, kind, country)
    source = _source(path.name, found)
    return Source(source.name, source.hashes, found.unread, mark)


def _source(name: str, destinations: Iterable[str]) -> Source:
    return Source(name, array("Q", sorted(set(map(_hash, destinations)))))


def _doubts(source: Source, kind: Kind) -> list[str]:
    if not source.unread:
        return []
    what = "phone numbers" if kind == "phone" else "email addresses"
    return [f"{source.name}: {source.unread:,} rows are no {what} that can be read, and suppress nobody: correct them"]


def _mark(path: Path) -> Mark | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _hash(destination: str) -> int:
    spelled = identity(destination).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(spelled, digest_size=8).digest())
