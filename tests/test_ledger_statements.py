"""What the statements of the ledger write and count, condition by condition: caps, contact ends, passes, traffic."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ledgers import IDENTITY, begin, intent

from bulk.ledger import Ledger, RunIdentity, RunLedger, dispatches, ends, passes
from bulk.ledger.ends import ContactEnd
from bulk.ledger.passes import Origin, PassFacts, TrafficRow
from bulk.model import Announcement, Outcome, Recipient, Reply, Status

NOW = 1.8e9
EMAIL = replace(IDENTITY, campaign="another")


def people(*names: str) -> list[Recipient]:
    return [Recipient(row, f"key-{row}", f"{name}@example.com", {}) for row, name in enumerate(names)]


async def write(
    ledger: Ledger, times: dict[str, float], *, of: RunIdentity = IDENTITY, writes: bool = True, token: str = "token"
) -> RunLedger:
    """Announce one call to each of these people, at these times."""
    run = ledger.begin(of, {})
    for claim, at in zip(run.claim(people(*times)), times.values(), strict=True):
        await run.intend(replace(intent(claim.id, 0, token, at=at), writes=writes))
    await run.flush()
    return run


def count(run: RunLedger, who: str, *, since: float = NOW - 60.0, but: int = 0, via: str = "email") -> int:
    person = run._hasher.person(f"{who}@example.com")

    def ask(connection: dispatches.Connection, _: int) -> int:
        dispatches.index_people(connection)
        return dispatches.written(connection, [person], via, since, but)

    return run.write(ask)


# How often a person was written to


async def test_a_person_is_counted_for_each_message_that_may_have_reached_them(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW, "ben": NOW})
    other = await write(ledger, {"ann": NOW}, of=EMAIL)
    assert (count(run, "ann"), count(other, "ben"), count(run, "eve")) == (2, 1, 0)


async def test_a_message_counts_from_its_last_try_and_to_the_second(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW - 60.0})
    assert count(run, "ann", since=NOW - 60.0) == 1
    assert count(run, "ann", since=NOW - 59.5) == 0
    await run.intend(Announcement(1, 0, "token", bytes(16), NOW, opens=True, writes=True, renews=True))
    assert count(run, "ann", since=NOW - 1.0) == 1


async def test_what_opens_a_contact_and_writes_nothing_is_no_message(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW}, writes=False)
    assert count(run, "ann") == 0
    assert (run.written(), run.wrote(1)) == ((0, 0), False)


async def test_another_channel_and_the_delivery_itself_do_not_count(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW})
    assert count(run, "ann", via="sms") == 0
    assert count(run, "ann", but=1) == 0
    assert count(run, "ann", but=2) == 1


async def test_what_was_taken_back_does_not_count_and_what_was_announced_twice_still_does(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW, "ben": NOW})
    await run.intend(intent(2, 0, "token", at=NOW))
    for delivery in (1, 2):
        await run.withdraw(delivery, attempts=1, token="token")
    await run.flush()
    assert (count(run, "ann"), count(run, "ben")) == (0, 1)
    assert (run.wrote(1), run.wrote(2)) == (False, True)
    assert run.written() == (1, 1)


async def test_another_token_is_another_message_and_taking_one_back_leaves_the_other(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW})
    await run.intend(intent(1, 1, "second", at=NOW))
    await run.withdraw(1, attempts=1, token="second")
    await run.flush()
    assert count(run, "ann") == 1


async def test_messages_and_their_segments_are_counted_by_run(ledger: Ledger) -> None:
    run = await write(ledger, {"ann": NOW})
    await run.intend(replace(intent(1, 1, "long", at=NOW), segments=3))
    other = await write(ledger, {"ben": NOW}, of=EMAIL)
    assert (run.written(), other.written()) == ((2, 4), (1, 1))


# How contacts ended


def ended(delivery: int, contact: str, state: str = "ended", *, at: float = NOW, **more: object) -> ContactEnd:
    one = ContactEnd(delivery, contact, state, 1.0, 2.0, "CUSTOMER_DISCONNECT", 4, "asked", at)
    return one._replace(**more)  # type: ignore[arg-type]  # of its own members


@pytest.fixture
def sent(ledger: Ledger) -> RunLedger:
    """Three rows that were sent, as contacts c-1, c-2 and c-3, and one that was not."""

    async def send() -> RunLedger:
        run = begin(ledger)
        claims = run.claim(people("ann", "ben", "eve", "joe"))
        for claim in claims[:3]:
            await run.intend(intent(claim.id, 0, "token"))
            await run.finish(claim.id, Outcome(Status.SENT, f"c-{claim.id}", 1))
        await run.flush()
        return run

    return asyncio.run(send())


def tell(run: RunLedger, *told: ContactEnd) -> None:
    run.write(lambda writing, _: ends.record(writing, told))


def known(run: RunLedger) -> dict[int, ContactEnd]:
    return {one.delivery: one for one in run.read(lambda connection, number: list(ends.ends(connection, number)))}


def test_contacts_are_those_of_the_rows_that_have_one(sent: RunLedger) -> None:
    assert sent.read(ends.contacts) == {"c-1": 1, "c-2": 2, "c-3": 3}


def test_who_is_not_known_to_have_ended_is_asked_about_again_the_longest_unasked_last(sent: RunLedger) -> None:
    assert sent.read(ends.still_open) == [(1, "c-1"), (2, "c-2"), (3, "c-3")]
    tell(sent, ended(1, "c-1", "open", at=NOW + 9), ended(2, "c-2", "gone", at=NOW))
    assert sent.read(ends.still_open) == [(3, "c-3"), (2, "c-2"), (1, "c-1")]
    tell(sent, ended(2, "c-2"))
    assert sent.read(ends.still_open) == [(3, "c-3"), (1, "c-1")]


def test_the_end_of_another_contact_of_a_row_says_nothing_of_its_own(sent: RunLedger) -> None:
    tell(sent, ended(1, "an earlier one"))
    assert (1, "c-1") in sent.read(ends.still_open)
    assert known(sent) == {}
    tell(sent, ended(1, "c-1", "open"))
    assert known(sent)[1].state == "open"


def test_an_end_is_kept_and_what_an_older_word_told_besides_is_not_forgotten(sent: RunLedger) -> None:
    tell(sent, ended(1, "c-1"))
    tell(sent, ended(1, "c-1", "open", at=NOW + 1, source="event"))  # it came late, and tells nothing new
    assert known(sent)[1] == ended(1, "c-1")
    nothing: dict[str, Any] = {
        "initiated_at": None,
        "disconnected_at": None,
        "reason": None,
        "messages": None,
        "source": "event",
    }
    tell(sent, ended(1, "c-1", at=NOW + 2, **nothing))
    assert known(sent)[1] == ended(1, "c-1", at=NOW + 2, source="event")
    newest = ended(1, "c-1", initiated_at=7.0, disconnected_at=8.0, reason="AGENT", messages=9)
    tell(sent, newest)
    assert known(sent)[1] == newest
    tell(sent, newest._replace(messages=3))  # told of a part of them
    assert known(sent)[1] == newest


def test_how_many_messages_came_is_unknown_until_it_is_told_and_may_be_none(sent: RunLedger) -> None:
    tell(sent, ended(1, "c-1", messages=None))
    assert known(sent)[1].messages is None
    tell(sent, ended(1, "c-1", messages=0))
    assert known(sent)[1].messages == 0


def test_a_ledger_without_contact_ends_tells_of_none(sent: RunLedger) -> None:
    tell(sent, ended(1, "c-1"))
    sent.write(lambda writing, _: writing.execute("DROP TABLE contact_end"))
    assert known(sent) == {}


# Passes, and what went over the wire


def test_a_pass_is_kept_with_who_sent_it_and_how_it_ended(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, now=lambda: NOW) as ledger:
        run = begin(ledger)
        number = run.read(lambda _, number: number)
        run.write(lambda writing, _: passes.begin(writing, number, 1, origin=Origin("ann@host", "1.0"), now=NOW))
        window = ("CreateContact", 1.0, 2.5, 10, 3, 4, "{}", NOW)
        run.write(lambda writing, _: passes.end(writing, number, 1, rest=[window], ended=(NOW + 5, "no keys")))
        run.write(lambda writing, _: passes.begin(writing, number, 2, origin=Origin("ben@host", "2.0"), now=NOW + 7))
        started, second = datetime.fromtimestamp(NOW, UTC), datetime.fromtimestamp(NOW + 7, UTC)
        over = datetime.fromtimestamp(NOW + 5, UTC)
        assert run.passes() == [
            PassFacts(1, started, over, "ann@host", "1.0", "no keys"),
            PassFacts(2, second, None, "ben@host", "2.0", None),
        ]
        assert run.traffic() == [TrafficRow("CreateContact", NOW, 1.0, 2.5, 10, 3, 4, "{}")]


async def test_a_window_that_is_told_again_is_kept_once_as_told_last(ledger: Ledger) -> None:
    run = begin(ledger)
    told = [
        ("B", 1.0, 2.0, 1, 0, 0, "{}", 7.0),
        ("B", 1.0, 3.0, 5, 2, 1, "{1}", 7.0),
        ("A", 1.0, 2.0, 1, 0, 0, "{}", 7.0),
    ]
    rest = [("A", 1.0, 2.0, 4, 0, 0, "{}", 6.0)]
    run.measure(lambda: told.pop(0) if told else None, lambda: rest)
    (claim, *_) = run.claim(people("ann"))
    for step in range(3):
        await run.intend(intent(claim.id, step, f"token {step}"))
        await run.answer(claim.id, step, Reply({"ContactId": "c"}), attempts=1)
    run.close_pass()
    assert [
        (row.operation, row.at, row.permitted, row.calls, row.throttled, row.segments, row.latencies)
        for row in run.traffic()
    ] == [
        ("A", 6.0, 2.0, 4, 0, 0, "{}"),
        ("A", 7.0, 2.0, 1, 0, 0, "{}"),
        ("B", 7.0, 3.0, 5, 2, 1, "{1}"),
    ]
