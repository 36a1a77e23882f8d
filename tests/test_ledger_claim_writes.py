"""What a batch of the list changes in the ledger (bulk.ledger.batch): new rows, moved ones, repeats, other people."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from ledgers import DIGEST, IDENTITY, Written, begin, intent, tables

from bulk.errors import LedgerError
from bulk.ledger import Claim, ClaimKind, Ledger, RunLedger
from bulk.model import Outcome, Recipient, Refusal, Reply, Status

NOW = 1.8e9
NEW, UNSETTLED, FINAL, DUPLICATE, STRANGER = ClaimKind


def people(names: str, first: int = 0) -> list[Recipient]:
    return [Recipient(row, name, f"{name}@example.com", {}) for row, name in enumerate(names, first)]


def claim(run: RunLedger, rows: Sequence[Recipient], cells: str | None = None) -> list[Claim]:
    """Claim the next rows; `cells` is what each of them needs besides its destination, one letter each."""
    if cells is None:
        return run.claim(rows)
    contents = [(row.destination or "", cell) for row, cell in zip(rows, cells, strict=True)]
    return run.claim(rows, contents=lambda: contents)


async def sent(run: RunLedger, *deliveries: int) -> None:
    for delivery in deliveries:
        await run.intend(intent(delivery, 0, "token"))
        await run.finish(delivery, Outcome(Status.SENT, "contact", 1))
    await run.flush()


def column(run: RunLedger, name: str) -> list[Any]:
    return [row[name] for key, row in tables(run).items() if key.startswith("delivery")]


def repeats(run: RunLedger) -> dict[str, Any]:
    """Return which rows have no delivery of their own: by run and row, whose key it is, and why."""
    found = {key: row for key, row in tables(run).items() if key.startswith("duplicate")}
    return {key.removeprefix("duplicate "): (row["delivery"], row["reason"]) for key, row in found.items()}


async def test_rows_are_entered_as_they_stand_in_the_list(ledger: Ledger) -> None:
    ledger.begin(replace(IDENTITY, run="other"), {}).claim(people("ab"))
    run = begin(ledger)
    claim(run, people("c"), "x")
    written = Written(run)
    refused = Recipient(2, "e", None, {}, Refusal("bad", "e@example.com is none"))
    skipped = replace(people("f", 3)[0], refusal=Refusal("out", "f@example.com said no", Status.SKIPPED))
    claims = claim(run, [*people("d", 1), refused, skipped], "xyz")
    assert claims == [
        Claim(NEW, 4),
        Claim(FINAL, status=Status.REFUSED, fresh=True),
        Claim(FINAL, status=Status.SKIPPED, fresh=True),
    ]
    hasher = run._hasher
    keys = hasher.keys("def", 1)
    contents = [hasher.content(*both) for both in (("d@example.com", "x"), ("", "y"), ("f@example.com", "z"))]
    rows = {
        f"delivery {3 + row}": {"id": 3 + row, "run": 2, "key": key, "row": row, "content": content}
        for row, (key, content) in enumerate(zip(keys, contents, strict=True), 1)
    }
    new = {"decisions": 0, "announced": 0, "attempts": 0}
    more: list[dict[str, Any]] = [
        {"state": "pending", "destination": "d…@example.com", "person": hasher.person("d@example.com")},
        {"state": "refused", "error_code": "bad", "error_message": "e…@example.com is none", "finished_at": NOW},
        {"state": "skipped", "error_code": "out", "error_message": "f…@example.com said no", "finished_at": NOW}
        | {"destination": "f…@example.com", "person": hasher.person("f@example.com")},
    ]
    assert await written() == {name: rows[name] | new | it for name, it in zip(rows, more, strict=True)}


async def test_a_row_that_is_not_done_is_kept_with_its_person_and_content_of_now(ledger: Ledger) -> None:
    claim(begin(ledger), people("abcd"), "xxxx")
    run = begin(ledger)
    claim(run, people("a"), "x")
    written = Written(run)
    moved = [replace(row, destination="new@example.org") for row in people("bcd", 1)]
    claim(run, [moved[0], people("abc")[2], moved[2]], "xyy")
    hasher = run._hasher
    person = {"destination": "n…@example.org", "person": hasher.person("new@example.org")}
    assert await written() == {
        "delivery 2": {**person, "content": hasher.content("new@example.org", "x")},
        "delivery 3": {"content": hasher.content("c@example.com", "y")},
        "delivery 4": {**person, "content": hasher.content("new@example.org", "y")},
    }


async def test_of_a_person_alone_that_changed_the_person_alone_is_kept(ledger: Ledger) -> None:
    claim(begin(ledger), people("ab"))
    run = begin(ledger)
    written = Written(run)
    claim(run, [people("a")[0], replace(people("ab")[1], destination="new@example.org")])
    person = run._hasher.person("new@example.org")
    assert await written() == {"delivery 2": {"destination": "n…@example.org", "person": person}}


async def test_rows_that_were_sent_before_are_counted_and_those_that_would_differ_now(ledger: Ledger) -> None:
    run = begin(ledger)
    claim(run, people("abcd"), "xxxx")
    claim(run, people("e", 4))  # of which nobody knows what it got
    await sent(run, 1, 2, 3, 5)
    run = begin(ledger)
    claim(run, people("a"), "x")
    claim(run, people("bcde", 1), "yyyy")
    assert run.sent_before == (4, 2)


# In another place


@pytest.mark.parametrize(
    "batches, places",
    [
        (["abcd"], [0, 1, 2, 3]),
        (["dcba"], [3, 2, 1, 0]),
        (["dc", "ba"], [3, 2, 1, 0]),
        (["xbcd"], [None, 1, 2, 3, 0]),
        (["bc"], [None, 0, 1, 3]),
        (["ab", "dc"], [0, 1, 3, 2]),
        (["ab", "xc"], [0, 1, 3, None, 2]),
    ],
)
def test_each_row_is_kept_where_it_stands_now(ledger: Ledger, batches: list[str], places: list[int | None]) -> None:
    claim(begin(ledger), people("abcd"))
    run, first = begin(ledger), 0
    for names in batches:
        claim(run, people(names, first))
        first += len(names)
    assert column(run, "row") == places


def test_the_first_row_of_a_name_is_where_it_stands_now(ledger: Ledger) -> None:
    claim(begin(ledger), people("abc"))
    run = begin(ledger)
    first = claim(run, people("cbcb"))
    assert [one.first_row for one in first] == [None, None, 0, 1]
    assert [one.first_row for one in claim(run, people("bc", 4))] == [1, 0]


async def test_of_rows_that_may_not_move_the_first_that_did_is_named(ledger: Ledger) -> None:
    claim(begin(ledger), people("abcde"))
    ledger._writing().run(lambda connection: connection.execute("UPDATE run SET naming = 1"))
    run = begin(ledger)
    run.keep_repeats()
    claim(run, people("ab"))
    with pytest.raises(LedgerError, match=r"^the list has changed in row 3 since it was last read"):
        claim(run, people("cxy", 2))
    run.read_again()
    assert [one.id for one in claim(run, people("abcde"))] == [1, 2, 3, 4, 5]


# The same name twice


def test_a_repeat_is_kept_by_its_place_and_changes_with_the_list(ledger: Ledger) -> None:
    ledger.begin(replace(IDENTITY, run="other"), {}).claim(people("aa"))
    run = begin(ledger)
    claims = claim(run, people("ab")) + claim(run, people("abb", 2))
    assert claims[2] == Claim(DUPLICATE, status=Status.SKIPPED, fresh=True, first_row=0)
    ledger.begin(replace(IDENTITY, run="a third"), {}).claim(people("aaa"))
    others = {"1 1": (1, "duplicate"), "3 1": (4, "duplicate"), "3 2": (4, "duplicate")}
    assert repeats(run) == others | {"2 2": (2, "duplicate")} | dict.fromkeys(["2 3", "2 4"], (3, "duplicate"))
    again = begin(ledger)
    claims = claim(again, people("ab")) + claim(again, people("aac", 2))
    assert [one.fresh for one in claims] == [False, False, False, True, False]
    assert repeats(run) == others | {"2 2": (2, "duplicate"), "2 3": (2, "duplicate")}


def test_rows_of_one_name_that_are_no_repeats_are_told_apart_by_their_number(ledger: Ledger) -> None:
    for _ in range(2):
        run = begin(ledger)
        run.keep_repeats()
        claims = claim(run, people("ab")) + claim(run, people("aab", 2))
        assert claims == [Claim(NEW, 1 + row, occurrence=occurrence) for row, occurrence in enumerate((0, 0, 1, 2, 1))]


# The name of another person


@pytest.mark.parametrize("state", ["sent", "draft", "pending"])
@pytest.mark.parametrize("place", [1, 2])
async def test_a_row_with_the_name_of_another_person_who_may_have_been_reached_is_refused(
    ledger: Ledger, state: str, place: int
) -> None:
    run = begin(ledger)
    claim(run, people("abc"), "xxx")
    if state != "pending":
        await run.intend(intent(2, 0, "token"))
        await run.answer(2, 0, Reply({"ContactId": "draft"}), attempts=1)
    if state == "sent":
        await run.finish(2, Outcome(Status.SENT, "contact", 1))
    await run.flush()
    run = begin(ledger)
    claim(run, people("a" if place == 1 else "ax"), "x" * place)
    (found,) = claim(run, [replace(people("b", place)[0], destination="eve@example.org")], "x")
    if state == "pending":
        assert (found, repeats(run)) == (Claim(NEW, 2), {})
        return
    first_row = 1 if place == 1 else None
    assert found == Claim(STRANGER, status=Status.REFUSED, fresh=True, first_row=first_row)
    assert repeats(run) == {f"1 {place}": (2, "key_of_another")}
    assert (tables(run)["delivery 2"]["row"], tables(run)["delivery 2"]["destination"]) == (None, "b…@example.com")


@pytest.mark.parametrize("spelled, cells", [("B@EXAMPLE.COM", "x"), ("b@example.com", "y"), ("B@EXAMPLE.COM", "y")])
async def test_the_same_person_spelled_otherwise_is_no_other(ledger: Ledger, spelled: str, cells: str) -> None:
    run = begin(ledger)
    claim(run, people("a"), "x")
    claim(run, people("b", 1), "x")
    await sent(run, 2)
    run = begin(ledger)
    claim(run, people("a"), "x")
    assert claim(run, [replace(people("b", 1)[0], destination=spelled)], cells) == [Claim(FINAL, status=Status.SENT)]


async def test_a_row_of_which_nobody_knows_what_it_got_is_known_by_its_person(ledger: Ledger) -> None:
    run = begin(ledger)
    claim(run, people("ab"))
    await sent(run, 1, 2)
    rows = [people("a")[0], replace(people("ab")[1], destination="eve@example.org")]
    assert [one.kind for one in claim(begin(ledger), rows, "xx")] == [FINAL, STRANGER]
    assert [one.kind for one in claim(begin(ledger), rows)] == [FINAL, FINAL]  # nobody asks


# In doubt


@pytest.mark.parametrize("digest", [b"", DIGEST])
@pytest.mark.parametrize("cells", ["x", "y", None])
async def test_a_row_in_doubt_whose_parameters_nobody_knows_is_another_where_its_content_differs(
    ledger: Ledger, digest: bytes, cells: str | None
) -> None:
    run = begin(ledger)
    claim(run, people("a"), "x")
    claim(run, people("b", 1), "x")
    await run.intend(intent(2, 0, "token", digest=digest))
    run = begin(ledger)
    claim(run, people("a"), cells and "x")
    (found,) = claim(run, people("b", 1), cells)
    assert (found.kind, found.id, found.status) == (UNSETTLED, 2, Status.UNKNOWN)
    assert found.progress.digest == (b"changed" if cells == "y" and not digest else digest)


def test_no_rows_are_no_claims(ledger: Ledger) -> None:
    run = begin(ledger)
    assert claim(run, []) == []
    assert [one.id for one in claim(run, people("a"))] == [1]
