"""Rows in doubt looked up by their marks, in a service that is a dictionary and a ledger that is real. It …"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes import no
from ledgers import IDENTITY, begin, intent

from bulk.delivery.marks import mark_of
from bulk.ledger import Ledger, RunLedger
from bulk.model import Outcome, Recipient, Reply, Status
from bulk.run.doubt_search import AROUND, VALUES, WIDEST, DoubtSearch, Settlement

NOW = 1.8e9
HOUR = 3600.0
WAIT, LIVES = 600.0, 2 * HOUR


@dataclass
class Service:
    """Contacts by the value of their attribute, two on a page; `changed` have lost it since, `gone` are not there."""

    contacts: dict[str, str] = field(default_factory=dict)
    changed: Collection[str] = ()
    gone: Collection[str] = ()
    followed: Collection[str] = ()
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, operation: str, parameters: dict[str, Any], *, of_one: bool = False) -> Reply:
        if operation == "GetContactAttributes":
            assert of_one
            assert parameters["InstanceId"] == IDENTITY.instance
            contact = parameters["InitialContactId"]
            if contact in self.gone:
                raise no("ResourceNotFoundException", 404)
            value = next(value for value, one in self.contacts.items() if one == contact)
            return Reply({"Attributes": None if contact in self.changed else {"bulk": value}})
        assert operation == "SearchContacts"
        self.asked.append(parameters)
        (criterion,) = parameters["SearchCriteria"]["SearchableContactAttributes"]["Criteria"]
        found = [self.contacts[value] for value in criterion["Values"] if value in self.contacts]
        pages: list[dict[str, str]] = []
        for one in found:
            after = [{"Id": f"{one}-2", "InitialContactId": one}] if one in self.followed else []
            pages += [{"Id": one}, *after]
        start = int(parameters.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(pages) else {}
        return Reply({"Contacts": pages[start : start + 2] or None, **more})


class Search:
    """A run of so many rows, of which some were tried, and the search for them."""

    def __init__(self, ledger: Ledger, rows: int = 3) -> None:
        self.run: RunLedger = begin(ledger)
        self.run.claim([Recipient(row, f"key-{row}", f"{row}@example.com", {}) for row in range(rows)])
        self.service = Service()
        self.now = NOW

    async def tried(
        self, delivery: int, ago: float = 3 * HOUR, *, step: int = 0, attribute: str | None = "bulk"
    ) -> None:
        await self.run.intend(replace(intent(delivery, step, f"t{delivery}/{step}", at=NOW - ago), attribute=attribute))

    async def ended(self, delivery: int, status: Status, ago: float = 3 * HOUR) -> None:
        at = datetime.fromtimestamp(NOW - ago, UTC)
        contact = "known" if status is Status.SENT else None
        await self.run.finish(delivery, Outcome(status, contact, 1, finished_at=at))
        await self.run.flush()

    def there(self, delivery: int, contact: str, step: int = 0) -> None:
        self.service.contacts[mark_of(f"t{delivery}/{step}")] = contact

    async def proof(self, delivery: int) -> None:
        """Have a row that was sent, and is found."""
        await self.tried(delivery)
        await self.ended(delivery, Status.SENT)
        self.there(delivery, "known")

    async def settle(self, chosen: Collection[int] | None = None) -> Settlement:
        search = DoubtSearch(self.service, self.run, WAIT, LIVES, lambda: self.now)  # type: ignore[arg-type]  # it asks
        await search.settle(chosen)
        return search.settlement

    @property
    def states(self) -> dict[int, tuple[str, str | None]]:
        rows = self.run.read(lambda connection, _: connection.execute("SELECT id, state, contact_id FROM delivery"))
        return {number: (state, contact) for number, state, contact in rows}


@pytest.fixture
def search(ledger: Ledger) -> Search:
    return Search(ledger)


async def test_what_is_found_was_sent(search: Search) -> None:
    await search.tried(1)
    await search.tried(2)
    search.there(1, "c-1")
    search.there(2, "c-2")
    told = await search.settle()
    assert told == Settlement(found=2, queries=1)
    assert told.decided == 2
    assert (search.states[1], search.states[2]) == (("sent", "c-1"), ("sent", "c-2"))


async def test_who_is_not_chosen_is_not_asked_about(search: Search) -> None:
    for delivery in (1, 2):
        await search.tried(delivery)
        search.there(delivery, f"c-{delivery}")
    assert (await search.settle([2])).found == 1
    assert search.states[1] == ("intended", None)
    assert (await search.settle([])).queries == 0


async def test_what_is_not_there_is_sent_again_where_the_attribute_finds_another(search: Search) -> None:
    await search.proof(3)
    await search.tried(1)
    told = await search.settle()
    assert told == Settlement(absent=1, queries=2)
    assert told.decided == 1
    assert search.states[1] == ("pending", None)


async def test_the_proof_is_sought_among_what_was_sent_before_the_wait(search: Search) -> None:
    await search.proof(3)
    await search.tried(2, ago=1.0)
    await search.ended(2, Status.SENT, ago=0.0)  # and is not found yet
    await search.tried(1)
    assert await search.settle() == Settlement(absent=1, queries=2)


async def test_what_is_found_in_the_same_query_proves_the_attribute_too(search: Search) -> None:
    await search.tried(1)
    await search.tried(2)
    search.there(2, "c-2")
    assert await search.settle() == Settlement(found=1, absent=1, queries=1)


async def test_without_such_a_proof_nothing_is_decided(search: Search) -> None:
    await search.tried(1)
    await search.tried(2)
    assert await search.settle() == Settlement(unproven=2, queries=1)
    await search.proof(3)
    search.service.contacts.clear()
    assert await search.settle() == Settlement(unproven=2, queries=2)
    assert search.states[1] == ("intended", None)


@pytest.mark.parametrize(
    "ago, settled", [(WAIT - 1, "too_soon"), (WAIT, "to_settle"), (LIVES, "to_settle"), (LIVES + 1, "absent")]
)
async def test_a_row_is_sent_again_only_when_its_token_is_forgotten(search: Search, ago: float, settled: str) -> None:
    await search.proof(3)
    await search.tried(1, ago)
    told = await search.settle()
    assert getattr(told, settled) == 1
    assert told.absent == (settled == "absent")


async def test_a_row_that_no_pass_settles_waits_for_no_token(search: Search) -> None:
    await search.proof(3)
    await search.tried(1, WAIT + 100)
    await search.ended(1, Status.UNKNOWN, WAIT + 50)
    assert (await search.settle()).absent == 1


async def test_what_was_tried_without_a_mark_stays_undecided(search: Search) -> None:
    await search.proof(3)
    await search.tried(1, attribute=None)
    await search.tried(2)
    await search.tried(2, step=1, attribute="other")
    told = await search.settle()
    assert (told.unmarked, told.decided) == (3, 0)  # the second is asked about by each of its attributes


async def test_a_contact_whose_attribute_was_changed_leaves_who_was_not_found_undecided(search: Search) -> None:
    for delivery in (1, 2, 3):
        await search.tried(delivery)
    search.there(1, "c-1")
    search.there(2, "c-2")
    search.service.changed = ["c-2"]
    assert await search.settle() == Settlement(found=1, unproven=2, queries=1)
    search.service.changed, search.service.gone = [], ["c-2"]
    assert await search.settle() == Settlement(unproven=2, queries=1)


async def test_pages_are_read_to_the_end_and_what_followed_from_a_contact_is_that_contact(ledger: Ledger) -> None:
    search = Search(ledger, rows=5)
    for delivery in range(1, 6):
        await search.tried(delivery)
        search.there(delivery, f"c-{delivery}")
    search.service.followed = ["c-1"]
    assert await search.settle() == Settlement(found=5, queries=3)


async def test_one_query_asks_for_what_it_can_hold(ledger: Ledger) -> None:
    search = Search(ledger, rows=2 * VALUES + 1)
    for delivery in range(1, 2 * VALUES + 2):
        await search.tried(delivery)
        search.there(delivery, f"c-{delivery}")
    assert (await search.settle()).found == 2 * VALUES + 1
    values = [
        asked["SearchCriteria"]["SearchableContactAttributes"]["Criteria"][0]["Values"]
        for asked in search.service.asked
        if "NextToken" not in asked
    ]
    assert sorted(map(len, values)) == [1, 20, 20]
    assert all(one == sorted(set(one)) for one in values)


@pytest.mark.parametrize("apart, queries", [(WIDEST, 1), (WIDEST + 1, 2)])
async def test_one_query_spans_four_weeks(search: Search, apart: float, queries: int) -> None:
    await search.tried(1, 3 * HOUR + apart)
    await search.tried(2)
    assert (await search.settle()).queries == queries


@pytest.mark.parametrize(
    "ago, until", [(3 * HOUR, NOW - 2 * HOUR), (HOUR / 2, NOW), (0.0, NOW + 60.0), (-100.0, NOW + 160.0)]
)
async def test_a_query_asks_an_hour_around_the_tries_and_not_far_into_the_future(
    search: Search, ago: float, until: float
) -> None:
    await search.tried(1, ago + 50.0)
    await search.tried(1, ago, step=1)
    await search.settle()
    asked = search.service.asked[0]
    assert asked["TimeRange"] == {
        "Type": "INITIATION_TIMESTAMP",
        "StartTime": NOW - ago - 50.0 - AROUND,
        "EndTime": until,
    }
    assert (asked["InstanceId"], asked["MaxResults"]) == (IDENTITY.instance, 100)
    criteria = asked["SearchCriteria"]["SearchableContactAttributes"]
    assert criteria["MatchType"] == "MATCH_ANY"
    assert [one["Key"] for one in criteria["Criteria"]] == ["bulk"]
