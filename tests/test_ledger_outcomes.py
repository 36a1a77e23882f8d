"""What the ledger has of each row of a list that is read once more (bulk.ledger.run_reader, bulk.ledger.queries)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ledgers import IDENTITY, begin, intent

from bulk.ledger import Ledger, RunLedger
from bulk.model import Outcome, Recipient, Refusal, Reply, Status

NOW = 1.8e9
UNTRIED = ("pending", None, 0, None, None, None, None)
SENT = ("sent", "contact", 1, None, None, "r", NOW)


def people(names: str, first: int = 0) -> list[Recipient]:
    return [Recipient(row, name, f"{name.lower()}@example.com", {}) for row, name in enumerate(names, first)]


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


async def sent(run: RunLedger, *deliveries: int) -> None:
    for delivery in deliveries:
        await run.intend(intent(delivery, 0, f"token {delivery}"))
        await run.finish(delivery, Outcome(Status.SENT, "contact", 1, request_id="r"))
    await run.flush()


def skipped(text: str, found_at: float | None) -> tuple[object, ...]:
    return ("skipped", None, 0, "duplicate", text, None, found_at)


def another(place: str) -> tuple[object, ...]:
    message = (
        f"the key is that of a row which may have reached somebody else ({place}); nobody was written to here: give "
        "this row a key of its own, or send the list as another run with --run NEW"
    )
    return ("refused", None, 0, "key_of_another", message, None, NOW)


async def test_a_row_has_the_outcome_that_it_came_to(ledger: Ledger) -> None:
    run = begin(ledger)
    rows = people("abcdefg")
    run.claim([*rows[:5], replace(rows[5], refusal=Refusal("bad", "f@example.com is none")), rows[6]])
    await sent(run, 1)
    for delivery in (2, 3, 4):
        await run.intend(intent(delivery, 0, "token"))
    await run.answer(3, 0, Reply({"ContactId": "mail"}, "q"), attempts=2, settled=True)
    await run.finish(4, Outcome(Status.UNKNOWN, None, 3, "Timeout", "no answer", "p"))
    await run.flush()
    in_doubt = "in doubt: a call was announced and no answer is recorded; `bulk send` settles it"
    assert run.recorded()(list("abcdefgh")) == [
        SENT,
        ("unknown", None, 0, "unanswered", in_doubt, None, None),
        ("sent", "mail", 2, None, None, "q", NOW),
        ("unknown", None, 3, "Timeout", "no answer", "p", NOW),
        UNTRIED,
        ("refused", None, 0, "bad", "f…@example.com is none", None, NOW),
        UNTRIED,
        UNTRIED,
    ]


async def test_a_row_that_repeats_another_says_which_and_when_that_was_found(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    clock = Clock()
    with Ledger.open(tmp_path_factory.mktemp("state"), gather=0.0, now=clock) as ledger:
        run = begin(ledger)
        run.claim(people("abb"))
        await sent(run, 1)
        clock.now += 1
        run.claim(people("aca", 3))
        clock.now += 1
        other = ledger.begin(replace(IDENTITY, run="other"), {})
        other.claim(people("xxxxxx"))
        read = run.recorded()
        assert read(list("abb")) == [SENT, UNTRIED, skipped("the key is that of row 1", NOW)]
        assert read(list("aca")) == [
            skipped("the key is that of row 0", NOW + 1),
            UNTRIED,
            skipped("the key is that of row 0", NOW + 1),
        ]
        nowhere = other.recorded(lambda _: None)(list("xx"))
        assert nowhere == [UNTRIED, skipped("the key stands further up in the list", NOW + 2)]
        assert run.recorded(lambda row: f"line {row + 2}")(list("aa"))[1] == skipped("the key is that of line 2", None)


async def test_a_row_that_the_list_lost_says_of_its_repeats_that_they_stand_further_up(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(people("a"))
    run.close_pass(rows=0)
    assert run.recorded()(list("aa"))[1] == skipped("the key stands further up in the list", None)


async def stranger(ledger: Ledger, names: str, now: Sequence[str]) -> RunLedger:
    """Send a list, and have it read again with these people in it."""
    run = begin(ledger)
    run.claim(people(names), contents=lambda: [("", "")] * len(names))
    await sent(run, *range(1, len(names) + 1))
    run = begin(ledger)
    rows = [replace(row, destination=to) for row, to in zip(people(names), now, strict=True)]
    run.claim(rows, contents=lambda: [("x", "")] * len(names))
    return run


async def test_a_row_with_the_name_of_another_person_is_not_said_to_be_sent(ledger: Ledger) -> None:
    there = ["a@example.com", "eve@example.org"]
    run = await stranger(ledger, "ab", there)
    assert run.recorded()(list("ab"), there) == [SENT, another("not in the list any more")]
    assert run.recorded()(list("ab")) == [SENT, SENT]  # nobody asks who it is
    assert run.recorded()(list("ab"), ["a@example.com", None]) == [SENT, SENT]


async def test_a_row_with_the_name_of_another_person_says_where_that_one_stands(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(people("ab"))
    await sent(run, 1, 2)
    run = begin(ledger)
    rows = [replace(people("b")[0], destination="eve@example.org"), *people("ab", 1)]
    run.claim(rows, contents=lambda: [("x", "")] * 3)
    there = [row.destination for row in rows]
    assert run.recorded()(list("bab"), there) == [another("row 2"), SENT, SENT]
    assert run.recorded(lambda _: None)(list("bab"), there)[0] == another("further down in the list")


async def test_a_row_has_the_number_of_its_delivery_where_it_is_the_one_of_its_name(ledger: Ledger) -> None:
    ledger.begin(replace(IDENTITY, run="other"), {}).claim(people("abc"))
    run = begin(ledger)
    run.claim(people("abc"))
    await sent(run, 4, 5, 6)
    there = ["a@example.com", "eve@example.org", "b@example.com", "c@example.com", "c@example.com", "x@example.com"]
    read = run.numbers()
    assert (read(list("ab"), there[:2]), read(list("bccx"), there[2:])) == ([4, 0], [5, 6, 0, 0])
    assert run.numbers()(list("abb")) == [4, 5, 0]


async def test_rows_of_one_name_that_are_no_repeats_have_an_outcome_each(ledger: Ledger) -> None:
    run = begin(ledger)
    run.keep_repeats()
    run.claim(people("aba"))
    await sent(run, 1)
    read = run.recorded()
    assert (read(list("ab")), read(list("a"))) == ([SENT, UNTRIED], [UNTRIED])
    assert run.numbers()(list("aba")) == [1, 2, 3]


async def test_a_row_without_a_name_is_found_by_its_place(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(people("a"))
    run.claim([Recipient(1, "", None, {}, Refusal("missing_key", "the key is empty"))])
    read = run.recorded()
    assert read(["a"]) == [UNTRIED]
    assert read([""]) == [("refused", None, 0, "missing_key", "the key is empty", None, NOW)]


# In numbers


def test_a_run_of_which_nothing_is_read_yet_has_no_rows(ledger: Ledger) -> None:
    run = begin(ledger)
    assert run.counts() == dict.fromkeys(Status, 0)
    assert (run.unanswered(), run.sent(), run.lost(), run.unknown(), list(run.tried())) == (0, (0, None), 0, [], [])
    run.close_pass(rows=3)
    assert run.counts() == dict.fromkeys(Status, 0) | {Status.PENDING: 3}


async def test_a_row_whose_call_reached_nobody_was_tried_without_a_dispatch(ledger: Ledger) -> None:
    run = begin(ledger)
    run.claim(people("ab"))
    await run.intend(intent(2, 0, "token", reaches=False))
    assert [(one.row, one.state, one.tokens) for one in run.tried()] == [(1, "intended", frozenset())]
