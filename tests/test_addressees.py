"""Whom an event tells of, among those who were written to, and their destinations: `bulk/run/addressees.py`."""

from collections.abc import Collection

import polars as pl
import pytest
from ledgers import begin

from bulk.ledger import Ledger
from bulk.ledger.feedback import BOUNCE, STOP, Addressee
from bulk.loader import ContactList, ReadSpec
from bulk.model import Recipient
from bulk.run.addressees import Addressees, destinations_of
from bulk.run.feedback_events import PersonEvent
from bulk.run.list_reader import ListReader

ANN, BOB, SHOP = "ann@example.com", "bob@example.com", "Orders@Shop.example"
SENT_AT = 1.7e9
KNOWN = [
    Addressee(1, "c-1", b"ann@example.com", SENT_AT),
    Addressee(2, "c-2", b"bob@example.com", SENT_AT),
    Addressee(3, None, b"ann@example.com", SENT_AT + 86400),
]
CONTACTS = {"c-1": 1, "c-1-again": 1, "c-2": 2}


def hashes_of(destination: str) -> Collection[bytes]:
    return destination.casefold().encode(), destination.encode()


def find(told: PersonEvent, sender: str | None = SHOP) -> list[tuple[int, str | None]]:
    return sorted(Addressees.of(CONTACTS, KNOWN, hashes_of, sender).find(told))


def mail(to: str = ANN, sender: str | None = SHOP, sent_at: float | None = None) -> PersonEvent:
    return PersonEvent(BOUNCE, None, destination=to, sender=sender, sent_at=sent_at)


@pytest.mark.parametrize(
    "contacts, destination, found",
    [
        ({"c-1"}, None, [(1, None)]),
        ({"c-1"}, ANN, [(1, ANN)]),
        ({"c-1"}, BOB, [(1, None)]),
        ({"c-1", "c-1-again", "c-0"}, None, [(1, None)]),
        ({"c-1", "c-2"}, BOB, [(1, None), (2, BOB)]),
        ({"c-0"}, None, []),
        ({"c-0"}, BOB, [(2, BOB)]),
        ({"c-0"}, "nobody", []),
        (set(), None, []),
    ],
)
def test_a_contact_comes_before_a_destination_and_has_it_where_it_is_the_same_person(
    contacts: set[str], destination: str | None, found: list[tuple[int, str | None]]
) -> None:
    assert find(PersonEvent(STOP, None, frozenset(contacts), destination)) == found


def test_a_contact_is_ours_whoever_sent_it() -> None:
    assert find(PersonEvent(STOP, None, frozenset({"c-2"}), BOB, "another@shop.example", 0.0)) == [(2, BOB)]


def test_a_destination_finds_every_row_of_its_person_once() -> None:
    assert find(mail()) == [(1, ANN), (3, ANN)]


@pytest.mark.parametrize(
    "ours, theirs, is_ours",
    [
        (SHOP, SHOP, True),
        (SHOP, SHOP.upper(), True),
        (SHOP.lower(), SHOP, True),
        (SHOP, None, True),
        (None, SHOP, True),
        (None, None, True),
        ("{{ shop }}@shop.example", SHOP, True),
        (SHOP, "another@shop.example", False),
    ],
)
def test_a_mail_is_ours_unless_it_came_from_another_address(
    ours: str | None, theirs: str | None, *, is_ours: bool
) -> None:
    assert find(mail(BOB, theirs), ours) == ([(2, BOB)] if is_ours else [])


@pytest.mark.parametrize(
    "sent_at, found",
    [
        (None, [1, 3]),
        (SENT_AT, [1]),
        (SENT_AT - 3600, [1]),
        (SENT_AT + 3600, [1]),
        (SENT_AT - 3601, []),
        (SENT_AT + 3601, []),
        (SENT_AT + 86400, [3]),
        (0.0, []),
    ],
)
def test_a_mail_of_another_time_is_another_campaigns(sent_at: float | None, found: list[int]) -> None:
    assert [delivery for delivery, _ in find(mail(sent_at=sent_at))] == found


def test_the_list_tells_the_destinations_that_are_wanted_over_all_its_batches(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.run.addressees.BATCH", 2)
    people = [("a", ANN), ("b", BOB), ("c", "cy@example.com"), ("d", None), ("e", "eve@example.com")]
    run = begin(ledger)
    run.claim([Recipient(row, key, to, {}) for row, (key, to) in enumerate(people)])
    listed = ContactList.open(pl.DataFrame(people, schema=["key", "email"], orient="row"))
    reader = ListReader(listed, ReadSpec(kind="email", destination="email", key="key"))
    numbers = run.numbers()([key for key, _ in people], [to for _, to in people])
    a, _, c, d, e = numbers
    assert len(set(numbers)) == 5
    assert destinations_of(reader, run, {a, c, d, e, 99}) == {a: ANN, c: "cy@example.com", e: "eve@example.com"}
