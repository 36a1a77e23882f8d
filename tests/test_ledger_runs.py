"""`bulk.ledger.runs`: runs begun, found again and ended, whole rows of them, and what is said where one must not be."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ledgers import IDENTITY, intent

from bulk.errors import LedgerError
from bulk.ledger import Ledger, RunIdentity
from bulk.ledger.facts import RunFacts, moment
from bulk.ledger.passes import Origin
from bulk.model import CLOCK_STEP, Outcome, Recipient, Status

AT = 1.8e9
DIGESTS = {"list.key": "bb", "request.Attributes": "aa"}
OTHER = RunIdentity("spring", "blue", "sms", "https://elsewhere.example", "eu-west-2", "77")
ANN = Origin("ann@desk", "0.1.0")
FACTS = RunFacts(IDENTITY, DIGESTS, 1, None, datetime.fromtimestamp(AT, UTC), None, None, 0, 0, None, 2, "")


def people(count: int) -> list[Recipient]:
    return [Recipient(row, f"k{row}", f"+1415555{row:04}", {}) for row in range(count)]


def ask(ledger: Ledger, query: str) -> list[Any]:
    return ledger._source.reader.execute(query).fetchall()


def test_a_run_begins_after_all_deliveries_of_others(ledger: Ledger) -> None:
    run = ledger.begin(IDENTITY, DIGESTS)
    run.claim(people(3))
    other = ledger.begin(OTHER, {})
    assert run.facts == FACTS
    assert other.facts == replace(FACTS, identity=OTHER, digests={})
    assert ask(ledger, "SELECT id, first_delivery FROM run") == [(1, 1), (2, 4)]


def test_runs_are_found_by_both_of_their_names_and_listed_the_oldest_first(tmp_path: Path) -> None:
    now = [AT + 9]
    names = [("b", "2"), ("b", "1"), ("a", "2"), ("a", "1")]
    with Ledger.open(tmp_path, now=lambda: now[0]) as ledger:
        for campaign, run in names:
            ledger.begin(replace(IDENTITY, campaign=campaign, run=run), {})
            now[0] = AT
        told = [(one.identity.campaign, one.identity.run) for one in ledger.runs()]
        assert told == [*names[1:], names[0]]
        for campaign, run in names:
            found = ledger.find(campaign, run)
            assert found is not None
            assert found.facts.identity == replace(IDENTITY, campaign=campaign, run=run)
        assert (ledger.find("a", "3"), ledger.find("c", "1")) == (None, None)


def test_another_pass_forgets_how_the_last_one_ended(ledger: Ledger) -> None:
    for identity in (IDENTITY, OTHER):
        run = ledger.begin(identity, DIGESTS)
        run.claim(people(2))
        run.close_pass(rows=2, calls=7, throttled=2, halted="no permission")
    ended = replace(
        FACTS,
        rows=2,
        ended_at=datetime.fromtimestamp(AT, UTC),
        halted="no permission",
        calls=7,
        throttled=2,
        latest_at=AT,
        under_way=None,
    )
    assert ledger.runs() == [ended, replace(ended, identity=OTHER)]
    changed = {"list.key": "bb", "new": "cc"}
    again = ledger.begin(IDENTITY, changed, accept_changes=True)
    expected = replace(ended, digests=changed, passes=2, rows=None, ended_at=None, halted=None, under_way="")
    assert again.facts == expected
    assert ledger.runs() == [expected, replace(ended, identity=OTHER)]


def test_a_pass_notes_which_rows_it_sends_again_until_it_ends(ledger: Ledger) -> None:
    runs = [ledger.begin(identity, {}) for identity in (IDENTITY, OTHER)]
    runs[0].only({Status.UNKNOWN, Status.REJECTED})
    assert [facts.under_way for facts in ledger.runs()] == ["rejected unknown", ""]
    runs[0].close_pass()
    assert [facts.under_way for facts in ledger.runs()] == [None, ""]


async def tried(ledger: Ledger, of: RunIdentity, *, at: float = AT - 60.0) -> None:
    """Send two rows, and leave one in doubt and another as it is."""
    run = ledger.begin(of, {})
    for claim in run.claim(people(4))[:3]:
        await run.intend(intent(claim.id, 0, f"token {claim.id}", at=at))
        if claim.id % 4 != 3:
            status = Status.SENT if claim.id % 4 == 1 else Status.UNKNOWN
            await run.finish(claim.id, Outcome(status, "c" if status is Status.SENT else None, 1))
    await run.flush()
    run.close_pass()


async def test_a_clock_set_back_makes_the_age_unknown_of_what_is_in_doubt_in_that_run_alone(tmp_path: Path) -> None:
    now = [AT]
    with Ledger.open(tmp_path, gather=0.0, now=lambda: now[0]) as ledger:
        await tried(ledger, IDENTITY)
        await tried(ledger, OTHER)
        now[0] = AT - CLOCK_STEP - 100.0
        again = ledger.begin(IDENTITY, {})
        times = [None if at is None else moment(at) for (at,) in ask(ledger, "SELECT intended_at FROM delivery")]
        known = datetime.fromtimestamp(AT - 60.0, UTC)
        assert times == [known, known, None, None, known, known, known, None]
        assert ask(ledger, "SELECT count(*) FROM delivery WHERE intended_at = 9e999") == [(1,)]
        assert [again.facts.latest_at, *(facts.latest_at for facts in ledger.runs())] == [now[0], now[0], AT]
        again.close_pass()
        assert [facts.latest_at for facts in ledger.runs()] == [now[0], AT]


def test_what_stands_beyond_the_end_of_a_list_is_taken_out_of_it(ledger: Ledger) -> None:
    runs = [ledger.begin(identity, {}) for identity in (IDENTITY, OTHER)]
    for run in runs:
        rows = people(3)
        run.claim([*rows, *(replace(row, row=row.row + 3) for row in rows)])
    runs[0].close_pass()  # its list was not read to its end
    rows_of = "SELECT run, row FROM delivery ORDER BY id"
    repeats_of = "SELECT run, row FROM duplicate ORDER BY 1, 2"
    assert ask(ledger, rows_of) == [(run, row) for run in (1, 2) for row in range(3)]
    assert ask(ledger, repeats_of) == [(run, row) for run in (1, 2) for row in (3, 4, 5)]
    ledger.begin(IDENTITY, {}).close_pass(rows=4)
    assert ask(ledger, rows_of) == [(run, row) for run in (1, 2) for row in range(3)]
    assert ask(ledger, repeats_of) == [(1, 3), (2, 3), (2, 4), (2, 5)]
    ledger.begin(IDENTITY, {}).close_pass(rows=1)
    assert ask(ledger, rows_of) == [(1, 0), (1, None), (1, None), (2, 0), (2, 1), (2, 2)]
    assert ask(ledger, repeats_of) == [(2, 3), (2, 4), (2, 5)]


def test_each_pass_ends_by_itself(tmp_path: Path) -> None:
    now = [AT]
    with Ledger.open(tmp_path, now=lambda: now[0]) as ledger:
        for of in (IDENTITY, OTHER, IDENTITY, OTHER):
            ledger.begin(of, {}, origin=ANN)
        now[0] = AT + 5
        ledger.begin(IDENTITY, {}, origin=ANN).close_pass(halted="no flow")
        assert ask(ledger, "SELECT * FROM pass") == [
            (1, 1, AT, None, *ANN, None),
            (1, 2, AT, None, *ANN, None),
            (1, 3, AT + 5, AT + 5, *ANN, "no flow"),
            (2, 1, AT, None, *ANN, None),
            (2, 2, AT, None, *ANN, None),
        ]
        found = ledger.find(OTHER.campaign, OTHER.run)
        assert found is not None
        assert [(one.number, one.started_at) for one in found.passes()] == [(number, moment(AT)) for number in (1, 2)]


# What must not be


def refused(ledger: Ledger, identity: RunIdentity, digests: dict[str, str], **more: Any) -> str:
    with pytest.raises(LedgerError) as raised:
        ledger.begin(identity, digests, **more)
    return str(raised.value)


@pytest.mark.parametrize("near", ["Default", "DEFAULT", "\uff24efault", "\ufb01ne"])
def test_a_run_of_nearly_the_same_name_is_no_new_one(ledger: Ledger, near: str) -> None:
    known = "fine" if near == "\ufb01ne" else "default"
    ledger.begin(replace(IDENTITY, run=known), {})
    assert refused(ledger, replace(IDENTITY, run=near), {}) == (
        f"run {near!r} of campaign 'welcome' would be a new one, and there is {known!r}: go on with that one by "
        f"--run {known}, or choose a name that differs in more than its spelling"
    )
    ledger.begin(replace(IDENTITY, run=near, campaign="another"), {})
    ledger.begin(replace(IDENTITY, run="defaults"), {})


async def test_a_run_that_was_tried_stays_where_it_is(ledger: Ledger) -> None:
    await tried(ledger, IDENTITY)
    wanted = RunIdentity("welcome", "default", "sms", "https://connect.example", "eu-west-2", "77")
    assert refused(ledger, wanted, {}, accept_changes=True) == (
        "run 'default' of campaign 'welcome' belongs to channel 'email', not 'sms', region 'us-west-2', not "
        "'eu-west-2', instance '8f3c', not '77'. Send there again, or send it as another run with --run NEW"
    )
    untried = ledger.begin(replace(IDENTITY, run="untried"), {})
    untried.claim(people(1))  # and what others have tried is no matter
    moved = replace(wanted, run="untried")
    assert ledger.begin(moved, {}).facts.identity == moved
    places = ask(ledger, "SELECT campaign, name, channel, endpoint, region, instance FROM run")
    assert places == [tuple(asdict(IDENTITY).values()), tuple(asdict(moved).values())]


async def test_what_names_a_row_may_not_change_once_one_was_tried(ledger: Ledger) -> None:
    run = ledger.begin(IDENTITY, DIGESTS)
    (claim,) = run.claim(people(1))
    await run.intend(intent(claim.id, 0, "token"))
    fixed = {"list.key", "list.dedupe", "list.same"}
    changed = {"list.key": "cc", "list.dedupe": "dd", "text": "ee"}
    for accept_changes in (True, False):
        assert refused(ledger, IDENTITY, changed, fixed=fixed, accept_changes=accept_changes) == (
            "list.dedupe, list.key has changed since run 'default' of campaign 'welcome' began, and it says who is "
            "reached or how a row is known: who was written to would be written to again. Change it back, or send to "
            "all of them as another run with --run NEW"
        )
    allowed = DIGESTS | {"text": "ee"}
    assert ledger.begin(IDENTITY, allowed, fixed=fixed, accept_changes=True).facts.digests == allowed


def test_a_change_is_accepted_by_somebody_or_not_at_all(ledger: Ledger) -> None:
    ledger.begin(IDENTITY, DIGESTS)
    assert refused(ledger, IDENTITY, {"request.Attributes": "cc", "purpose": "dd"}) == (
        "campaign 'welcome' has changed since run 'default' began: list.key, purpose, request.Attributes. Send it as "
        "another run with --run NEW, or let the rows not yet sent take the change with --accept-changes"
    )
    assert ledger.begin(IDENTITY, DIGESTS, fixed=set(DIGESTS)).facts.passes == 2


@pytest.mark.parametrize("seconds, told", [(None, None), (float("inf"), None), (0.0, datetime(1970, 1, 1, tzinfo=UTC))])
def test_a_moment_is_told_where_somebody_knows_it(seconds: float | None, told: datetime | None) -> None:
    assert moment(seconds) == told
