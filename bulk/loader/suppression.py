"""Suppressed destinations, from files that may change during a run and from lists elsewhere.

Only hashes are kept, eight bytes each: two people share one by chance once in 10¹⁹ pairs, and then one is not written
to. They are compared as `bulk.text.identity` spells them: addresses without regard to case, before the @ as well.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bulk.errors import ListError
from bulk.files import Mark, mark_of
from bulk.loader import DestinationFile, Kind, read_destinations
from bulk.loader.addresses import everybody_at
from bulk.loader.own_list import OwnList
from bulk.model import Refusal, Status
from bulk.text.identity import identity

OWN = "the state directory's suppression list"
_ONE: dict[Kind, str] = {"phone": "a phone number", "email": "an email address"}
_SEVERAL: dict[Kind, str] = {"phone": "phone numbers", "email": "email addresses"}


@dataclass(frozen=True, slots=True)
class Source:
    """Destinations of one origin: its name, their hashes in order, and how it was read if it is a file."""

    name: str
    hashes: "array[int]"
    listed: DestinationFile | None = None
    mark: Mark | None = None

    def __contains__(self, destination: str) -> bool:
        """Whether a destination in form is one of them, or everybody in its domain is."""
        everybody = everybody_at(destination)
        return self._has(destination) or (everybody is not None and self._has(everybody))

    def _has(self, destination: str) -> bool:
        wanted = _hash(destination)
        place = bisect_left(self.hashes, wanted)
        return place < len(self.hashes) and self.hashes[place] == wanted

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.hashes)

    def __or__(self, other: "Source") -> "Source":
        """Return the destinations of both, as this one was read."""
        return Source(self.name, array("Q", sorted({*self.hashes, *other.hashes})), self.listed, self.mark)


class Suppression:
    """Whom not to write to.

    `notes` tell a person how the files were read at the start, `warnings` what is doubtful in them.
    """

    def __init__(self, kind: Kind, country: str | None, files: Sequence[Path], own: OwnList | None = None) -> None:
        self._kind, self._country = kind, country
        self._files = {path: _read(path, kind, country) for path in files}
        self._others: dict[str, Source] = {}
        self._own = own
        self._own_mark = mark_of(own.path) if own else None
        if own:
            self.put(OWN, _of_kind(own, kind))
        self.notes = [said for source in self._files.values() for said in _reading(source, kind)]
        self.warnings = [said for source in self._files.values() for said in _doubts(source, kind)]
        self._failed: dict[Path, Mark | None] = {}

    @classmethod
    def open(cls, files: Iterable[Path], *, kind: Kind, country: str | None = None, own: OwnList | None = None) -> Self:
        """Read files, of any form that a contact list may have, or with one destination on each line.

        `country` (ISO 3166-1 alpha-2) is where numbers without + belong, `own` the list of one's own. Raises
        `ListError` where a file is missing or cannot be read: none is ignored.
        """
        return cls(kind, country, [*files], own)

    def put(self, name: str, destinations: Iterable[str]) -> None:
        """Take destinations in form from elsewhere; `name` says from where, and they replace what was put under it."""
        self._others[name] = _source(name, destinations)

    def __len__(self) -> int:
        """Count the destinations; one in two files counts twice."""
        return sum(map(len, self._sources()))

    def refusal(self, destination: str) -> Refusal | None:
        """Return why a destination in form is not written to, or None."""
        for source in self._sources():
            if destination in source:
                return Refusal("suppressed", f"named in {source.name}", Status.SKIPPED)
        return None

    @property
    def may_be_stale(self) -> bool:
        """Whether there is something to read again: a file that may have changed."""
        return bool(self._files) or (self._own is not None and mark_of(self._own.path) != self._own_mark)

    def refresh(self) -> list[str]:
        """Read again what has changed, and return warnings. It takes as long as that: call it beside the event loop.

        Whom a file once named stays suppressed until the run ends: a file may be caught while it is rewritten. One that
        names fewer than before, or can no longer be read, is warned of once until it changes again.
        """
        said = self._own_again()
        for path, source in list(self._files.items()):
            mark = mark_of(path)
            if mark is not None and mark == source.mark:
                self._failed.pop(path, None)
            elif path not in self._failed or self._failed[path] != mark:
                said += self._again(path, mark)
        return said

    def _own_again(self) -> list[str]:
        if self._own is None or (mark := mark_of(self._own.path)) == self._own_mark:
            return []
        self._own_mark = mark
        before = self._others[OWN]
        try:
            self._others[OWN] = _source(OWN, _of_kind(self._own, self._kind)) | before
        except ListError as error:
            return [f"{error} (suppression goes on with the {len(before):,} destinations it had before)"]
        return []

    def _again(self, path: Path, mark: Mark | None) -> list[str]:
        before = self._files[path]
        try:
            now = _read(path, self._kind, self._country)
        except ListError as error:
            self._failed[path] = mark
            return [f"{error} (suppression goes on with the {len(before):,} destinations it had before)"]
        self._failed.pop(path, None)
        self._files[path] = both = now | before
        lost = len(both) - len(now)
        stay = (
            f"{now.name} no longer names {lost:,} of its {len(before):,} destinations: they stay suppressed in this run"
        )
        doubts = _doubts(now, self._kind) if len(now) else []
        told = _doubts(before, self._kind)
        return [*([stay] if lost else []), *(doubt for doubt in doubts if doubt not in told)]

    def _sources(self) -> Iterable[Source]:
        return [*self._files.values(), *self._others.values()]


def _read(path: Path, kind: Kind, country: str | None) -> Source:
    """Read a file. Raise `ListError`, also where it has entries and none of them can be read."""
    mark = mark_of(path)
    found = read_destinations(path, kind, country)
    source = _source(path.name, found)
    if found.entries and found.unread == found.entries:
        remedy = "set `country` under [list], or correct them" if kind == "phone" else "correct them"
        raise ListError(
            f"{path.name}: none of its {found.entries:,} entries is {_ONE[kind]} that can be read (the first: "
            f"{found.example}): {remedy}"
        )
    return Source(source.name, source.hashes, found, mark)


def _source(name: str, destinations: Iterable[str]) -> Source:
    return Source(name, array("Q", sorted(set(map(_hash, destinations)))))


def _of_kind(own: OwnList, kind: Kind) -> list[str]:
    """Return the destinations of one kind in a list of one's own."""
    found = (entry.destination for entry in own.entries().values())
    return [destination for destination in found if ("@" in destination) == (kind == "email")]


def _reading(source: Source, kind: Kind) -> Iterator[str]:
    """Yield what was read, and where."""
    if source.listed is not None and len(source):
        what = (_ONE if len(source) == 1 else _SEVERAL)[kind].split()[-1]
        where = source.listed.columns
        said = f"{source.name}: {len(source):,} {what}"
        yield f"{said}{f' from {where}' if where else ''}, never written to"


def _doubts(source: Source, kind: Kind) -> list[str]:
    """Return what a person should look at: how the file was read where that was not plain, what of it says nothing."""
    found = source.listed
    if found is None:
        return []
    return [*(f"{source.name}: {note}" for note in found.notes), *_missed(source, found, kind)]


def _missed(source: Source, found: DestinationFile, kind: Kind) -> list[str]:
    """Return where a file, or a part of it, suppresses nobody."""
    if not found.entries:
        return [f"{source.name} has no entries, so it suppresses nobody: is it the right file, and complete?"]
    if not len(source):
        return [f"{source.name} holds no {_SEVERAL[kind]}, so it suppresses nobody in this campaign"]
    if not found.unread:
        return []
    many = found.unread != 1
    what = f"{found.unread:,} entries are no {_SEVERAL[kind]}" if many else f"1 entry is not {_ONE[kind]}"
    trouble = f"that can be read, and suppress{'' if many else 'es'} nobody (the first: {found.example})"
    return [f"{source.name}: {what} {trouble}: correct {'them' if many else 'it'}"]


def _hash(destination: str) -> int:
    spelled = identity(destination).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(spelled, digest_size=8).digest())
