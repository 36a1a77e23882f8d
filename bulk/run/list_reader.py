"""The contact list of a run, and how it is read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from bulk.ledger import RunRecord
from bulk.loader import Batch, ContactList, ReadSpec


@dataclass(frozen=True, slots=True)
class ListReader:
    """Reads a list in one way, as often as needed."""

    contacts: ContactList
    spec: ReadSpec

    def batches(self, *, size: int, frames: bool = False) -> Iterator[Batch]:
        """Yield its rows, at most `size` at a time; with `frames`, as the list has them too. Raise `ListError`."""
        return self.contacts.batches(self.spec, size=size, frames=frames)

    def as_recorded(self, record: RunRecord) -> Self:
        """Return a reader that names rows as a run names them; the record takes repeats as the campaign does."""
        if self.spec.dedupe == "none":
            record.keep_repeats()
        return replace(self, spec=replace(self.spec, naming=record.facts.naming))
