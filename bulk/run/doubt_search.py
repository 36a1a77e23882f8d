"""Searches Amazon Connect for the contacts of rows in doubt, by their marks.

Found means sent, with that contact id. Not found means something only where each of these holds:

- each call of the row that may have been accepted carried a mark;
- the last of them is long enough ago (`[doubt] wait`): how soon a new contact is found is not documented;
- the same attribute finds a contact that is certainly there. Which attributes can be searched is a setting of the
  instance, and one that is not listed there would find nobody.

Even then a row whose token the service still knows is left to the next `bulk send`, which asks under that token: should
the search be wrong, nobody is written to twice. Only the others are sent again under a new one.

Source: Amazon Connect API Reference, "SearchContacts" (20 values a criterion), "GetContactAttributes".
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bulk.delivery.enquiry import Enquirer
from bulk.delivery.marks import mark_of
from bulk.errors import CallFailed
from bulk.ledger import Doubt, Mark, RunLedger
from bulk.ledger import marks as ledger_marks
from bulk.threads import in_thread

OPERATIONS = "SearchContacts", "GetContactAttributes"
VALUES = 20  # of one criterion
AROUND = 3600.0  # seconds by which the clocks here and there may differ, and more
WIDEST = 28 * 86400.0  # seconds that one query spans


@dataclass(slots=True)
class Settlement:
    """What came of asking, in rows.

    `found` are sent, `absent` are sent again, `to_settle` are left to the next `bulk send`. Undecided stay: `too_soon`
    (tried less than the wait ago), `unmarked` (a call without a mark), `unproven` (nothing shows that the attribute can
    be searched). `queries` counts the calls of SearchContacts.
    """

    found: int = 0
    absent: int = 0
    to_settle: int = 0
    too_soon: int = 0
    unmarked: int = 0
    unproven: int = 0
    queries: int = 0

    @property
    def decided(self) -> int:
        """How many rows were decided about."""
        return self.found + self.absent


@dataclass(slots=True)
class DoubtSearch:
    """Looks up rows, a query's worth at a time, and records at once what each query tells.

    `wait` and `replay_within` are in seconds, `now` returns Unix seconds.
    """

    enquirer: Enquirer
    run: RunLedger
    wait: float
    replay_within: float
    now: Callable[[], float]
    settlement: Settlement = field(default_factory=Settlement)
    _searchable: dict[str, bool] = field(default_factory=dict)

    async def settle(self, chosen: Collection[int] | None = None) -> None:
        """Look up all rows of unknown fate, or the chosen ones. Raises `Halted`: what was decided by then stays so."""
        known = await in_thread(self.run.read, ledger_marks.doubts)
        wanted = [doubt for doubt in known if chosen is None or doubt.id in chosen]
        for attribute in sorted({mark.attribute for doubt in wanted for mark in doubt.marks}):
            marked = [doubt for doubt in wanted if any(mark.attribute == attribute for mark in doubt.marks)]
            for batch in _batches(marked, attribute):
                await self._settle(batch, attribute)
        self.settlement.unmarked += sum(not doubt.marks for doubt in wanted)

    async def _settle(self, batch: Sequence[Doubt], attribute: str) -> None:
        """Ask one query, and record what it tells."""
        marks = [mark for doubt in batch for mark in doubt.marks if mark.attribute == attribute]
        contacts, is_whole = await self._search(marks, attribute)
        found = {doubt.id: contact for doubt in batch if (contact := _contact(doubt, contacts))}
        missing = [doubt for doubt in batch if doubt.id not in found]
        absent = await self._absent(missing, attribute) if is_whole else []
        if not is_whole:
            self.settlement.unproven += len(missing)
        self.settlement.found += len(found)
        self.settlement.absent += len(absent)
        if found or absent:
            await in_thread(self.run.write, partial(ledger_marks.settle, found=found, absent=absent, now=self.now()))

    async def _absent(self, missing: Sequence[Doubt], attribute: str) -> list[int]:
        """Return which of the rows that were not found are certainly not there and may be sent under a new token."""
        now, told, absent = self.now(), self.settlement, []
        for doubt in missing:
            if not doubt.whole or any(mark.attribute != attribute for mark in doubt.marks):
                told.unmarked += 1
            elif now - doubt.tried_at < self.wait:
                told.too_soon += 1
            elif not await self._finds_known(attribute):
                told.unproven += 1
            elif doubt.in_doubt and now - (doubt.intended_at or now) <= self.replay_within:
                told.to_settle += 1
            else:
                absent.append(doubt.id)
        return absent

    async def _finds_known(self, attribute: str) -> bool:
        """Whether the attribute finds a contact that is certainly there; asked once."""
        if attribute not in self._searchable:
            find = partial(_known, run=self.run, attribute=attribute, before=self.now() - self.wait)
            mark: Mark | None = await in_thread(self.run.read, find)
            self._searchable[attribute] = bool(mark and (await self._search([mark], attribute))[0])
        return self._searchable[attribute]

    async def _search(self, marks: Sequence[Mark], attribute: str) -> tuple[dict[str, str], bool]:
        """Return the contacts found, by the value of the attribute, and whether each of them could be told apart."""
        by_value: dict[str, str] = {}
        wanted, is_whole = {mark_of(mark.token) for mark in marks}, True
        async for one in self._pages(_query(self._instance, marks, attribute, self.now())):
            contact = str(one.get("InitialContactId") or one["Id"])
            if contact in by_value.values():
                continue  # a contact that followed from the first, such as a transfer
            value = await self._value(contact, attribute)
            if value in wanted:
                by_value.setdefault(value, contact)
            else:
                is_whole = False  # its attribute was changed meanwhile: whose it was, nobody can tell
        if by_value:
            self._searchable[attribute] = True
        return by_value, is_whole

    async def _pages(self, parameters: dict[str, Any]) -> Any:
        token: str | None = None
        while True:
            self.settlement.queries += 1
            more = {"NextToken": token} if token else {}
            answer = (await self.enquirer.ask("SearchContacts", parameters | more)).members
            for one in answer.get("Contacts") or ():
                yield one
            token = answer.get("NextToken")
            if not token:
                return

    async def _value(self, contact: str, attribute: str) -> str | None:
        """Return the mark that a contact carries; None where it has none that can be read."""
        parameters = {"InstanceId": self._instance, "InitialContactId": contact}
        try:
            answer = await self.enquirer.ask("GetContactAttributes", parameters, of_one=True)
        except CallFailed:
            return None
        return (answer.members.get("Attributes") or {}).get(attribute)

    @property
    def _instance(self) -> str:
        return self.run.facts.identity.instance


def _known(connection: Any, _: int, *, run: RunLedger, attribute: str, before: float) -> Mark | None:
    return ledger_marks.known_mark(connection, run.facts.identity, attribute, before=before)


def _contact(doubt: Doubt, contacts: dict[str, str]) -> str | None:
    return next((contacts[value] for mark in doubt.marks if (value := mark_of(mark.token)) in contacts), None)


def _batches(doubts: Sequence[Doubt], attribute: str) -> Iterator[list[Doubt]]:
    """Yield rows whose marks fit into one query, near each other in time."""
    batch: list[Doubt] = []
    values, begins = 0, 0.0
    for doubt in sorted(doubts, key=lambda one: one.tried_at):
        own = [mark for mark in doubt.marks if mark.attribute == attribute]
        first = min(mark.first_at for mark in own)
        if batch and (values + len(own) > VALUES or doubt.tried_at - min(begins, first) > WIDEST):
            yield batch
            batch, values = [], 0
        begins = min(begins, first) if batch else first
        batch.append(doubt)
        values += len(own)
    if batch:
        yield batch


def _query(instance: str, marks: Sequence[Mark], attribute: str, now: float) -> dict[str, Any]:
    times = [at for mark in marks for at in (mark.first_at, mark.last_at)]  # a clock may have been set back between
    last = max(times)
    span = {
        "Type": "INITIATION_TIMESTAMP",
        "StartTime": min(times) - AROUND,
        "EndTime": max(last + 60.0, min(last + AROUND, now)),
    }
    values = sorted({mark_of(mark.token) for mark in marks})
    criteria = {"Criteria": [{"Key": attribute, "Values": values}], "MatchType": "MATCH_ANY"}
    return {
        "InstanceId": instance,
        "TimeRange": span,
        "SearchCriteria": {"SearchableContactAttributes": criteria},
        "MaxResults": 100,
    }
