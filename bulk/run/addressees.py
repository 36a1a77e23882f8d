"""The people of a run, found by the ids and addresses in events, with their destinations from the list."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from bulk.account.references import is_template
from bulk.ledger import RunRecord
from bulk.ledger.feedback import Addressee
from bulk.loader.own_list import readings
from bulk.run.feedback_events import PersonEvent
from bulk.run.list_reader import ListReader

NEAR = 3600.0  # seconds by which the clock of a mail's event and ours may differ
BATCH = 10_000  # rows of the list that are looked up together


@dataclass(frozen=True, slots=True)
class Addressees:
    """Those who were written to: by the contact, and by the keyed hash of the person.

    `hashes_of` returns the hashes that a destination may have. `sender` is the address that mail came from, None where
    a row says it for itself.
    """

    contacts: Mapping[str, int]
    people: Mapping[bytes, list[Addressee]]
    persons: Mapping[int, bytes]
    hashes_of: Callable[[str], Collection[bytes]]
    sender: str | None = None

    @classmethod
    def of(
        cls,
        contacts: Mapping[str, int],
        known: Iterable[Addressee],
        hashes_of: Callable[[str], Collection[bytes]],
        sender: str | None,
    ) -> Self:
        """Return them as the ledger knows them."""
        people, persons = defaultdict(list), {}
        for one in known:
            people[one.person].append(one)
            persons[one.delivery] = one.person
        known_sender = None if is_template(sender) else sender
        return cls(contacts, people, persons, hashes_of, known_sender)

    def find(self, told: PersonEvent) -> Iterator[tuple[int, str | None]]:
        """Yield the deliveries that an event tells of, each with the destination where the event names that too."""
        to = next(iter(readings(told.destination, None)), None) if told.destination else None
        hashes = self.hashes_of(to) if to else ()
        if by_contact := {self.contacts[one] for one in told.contacts if one in self.contacts}:
            yield from ((one, to if self.persons.get(one) in hashes else None) for one in by_contact)
        elif self._is_ours(told):
            found = (one for hash_ in dict.fromkeys(hashes) for one in self.people.get(hash_, ()))
            yield from ((one.delivery, to) for one in found if _at_that_time(told, one))

    def _is_ours(self, told: PersonEvent) -> bool:
        """Whether a mail came from this campaign's address, as far as both are known."""
        return None in {self.sender, told.sender} or str(self.sender).casefold() == str(told.sender).casefold()


def _at_that_time(told: PersonEvent, one: Addressee) -> bool:
    """Whether a mail went out when the row was sent: else it is another campaign's to the same person."""
    return told.sent_at is None or abs(told.sent_at - one.last_at) <= NEAR


def destinations_of(reader: ListReader, record: RunRecord, wanted: Collection[int]) -> dict[int, str]:
    """Return the destinations of deliveries, as far as the list has them. Raise `ListError`."""
    reader, found = reader.as_recorded(record), dict[int, str]()
    numbers = record.numbers()
    for batch in reader.batches(size=BATCH):
        rows = batch.recipients
        told = zip(numbers(rows.names, rows.destinations), rows.destinations, strict=True)
        found |= {number: to for number, to in told if number in wanted and to is not None}
    return found
