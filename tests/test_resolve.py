"""Unknown rows listed and decided about in Python: in a ledger that is real, with a list, without one, and in whole."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ledgers import intent
from sandbox_runs import SMS, rows

import bulk
from bulk.errors import ListError
from bulk.ledger import Decision, Ledger, RunFacts, RunIdentity, Unknown
from bulk.model import Outcome, Recipient, Status
from bulk.run.doubt_search import Settlement
from bulk.run.places import Place
from bulk.run.resolve import Resolution, UnknownRow, _told

NOW = 1_800_000_000.0
IDENTITY = RunIdentity("reminders", "default", "sms", "https://connect.example", "us-west-2", SMS["InstanceId"])
SETTINGS: dict[str, Any] = {"name": "reminders", "channel": "sms", "list": {"key": "key"}, "request": SMS}
LOST = Outcome(Status.UNKNOWN, None, 1, "ConnectionClosed", "the line broke")


def at(after: float) -> datetime:
    return datetime.fromtimestamp(NOW + after, UTC)


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    """A run that halted: of its rows a was sent, b, c and e are unknown, d is in doubt."""
    with Ledger.open(tmp_path, gather=0.0, now=lambda: NOW) as ledger:
        run = ledger.begin(IDENTITY, {"campaign": "1"})
        run.claim([Recipient(row, one["key"], one["phone"], {}) for row, one in enumerate(rows("abcde"))])
        for delivery in range(1, 6):
            await run.intend(intent(delivery, 0, f"t{delivery}", at=NOW + delivery))
        await run.finish(1, Outcome(Status.SENT, "c-1", 1, finished_at=at(10)))
        for delivery in (2, 3, 5):
            await run.finish(delivery, replace(LOST, finished_at=at(20 + delivery)))
        await run.flush()
        run.close_pass(rows=5, halted="the disk was full")
    return tmp_path


def facts(state: Path) -> RunFacts:
    ledger = Ledger.read(state)
    assert ledger is not None
    with ledger:
        record = ledger.find("reminders", "default")
        assert record is not None
        return record.facts


async def resolve(state: Path, decision: str | None = None, keys: str = "abcde", **given: Any) -> Resolution:
    settings = SETTINGS | given.pop("settings", {})
    given = {"contacts": pl.DataFrame(rows(keys)), "state_dir": state, **given}
    return await bulk.resolve(bulk.Campaign(**settings), decision, **given)


def unknown(row: int | None, key: str | None, delivery: int, **changed: Any) -> UnknownRow:
    number = rows("abcde"[delivery - 1])[0]["phone"]
    about: dict[str, Any] = {"in_doubt": False, "error_code": LOST.error_code, "error_message": LOST.error_message}
    if delivery == 4:
        said = "in doubt: a call was announced and no answer is recorded; `bulk send` settles it"
        about = {"in_doubt": True, "error_code": "unanswered", "error_message": said}
    masked = f"{number[:4]}…{number[-2:]}"
    where = {"row": row, "line": None, "file": "", "key": key, "destination": masked, "tried_at": at(delivery)}
    return UnknownRow(**{**where, **about, **changed})


def keys_of(told: Resolution) -> list[str | None]:
    return [one.key for one in told.unknown]


async def test_each_unknown_row_is_listed_with_all_that_is_known_of_it(state: Path) -> None:
    listed = [unknown(1, "b", 2), unknown(2, "c", 3), unknown(3, "d", 4), unknown(4, "e", 5)]
    assert await resolve(state) == Resolution("reminders", "default", None, 0, listed, None)


@pytest.mark.parametrize("announced", [None, at(3)])
def test_a_row_was_tried_when_its_call_was_announced_or_else_when_it_ended(announced: datetime | None) -> None:
    one = Unknown(2, False, 7, "+120…98", replace(LOST, finished_at=at(9)), announced)  # noqa: FBT003 - in its order
    about = {"destination": "+120…98", "tried_at": announced or at(9)}
    assert _told(one, Place(7, "b", 5, "x.csv")) == unknown(7, "b", 2, **about, line=5, file="x.csv")
    assert _told(one, None) == unknown(None, None, 2, **about)


async def test_they_are_listed_in_the_order_of_the_list_as_it_is_now_and_the_missing_come_last(state: Path) -> None:
    listed = [unknown(0, "e", 5), unknown(1, "d", 4), unknown(3, "b", 2), unknown(None, None, 3)]
    assert (await resolve(state, keys="edab")).unknown == listed


async def test_where_the_list_cannot_be_read_rows_stand_where_they_stood(state: Path, tmp_path: Path) -> None:
    told = await resolve(state, contacts=tmp_path / "none.csv")
    assert [(one.row, one.key) for one in told.unknown] == [(1, None), (2, None), (3, None), (4, None)]
    with pytest.raises(ListError, match=r"none\.csv"):
        await resolve(state, "give-up", lines=[2], contacts=tmp_path / "none.csv")


async def test_who_only_looks_does_not_ask_aws_who_opted_out(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    async def put_in(*_: object) -> list[str]:
        asked.append(1)
        return []

    monkeypatch.setattr("bulk.run.opt_outs.put_in", put_in)
    told = await resolve(state, settings={"list": {"key": "key", "opt_out_list": "auto"}})
    assert (keys_of(told), asked) == (["b", "c", "d", "e"], [])


@pytest.mark.parametrize(
    "decision, chosen, decided, left",
    [
        ("give-up", {}, 4, []),
        ("mark-sent", {"rows": [3, 1]}, 2, ["c", "e"]),
        ("mark-sent", {"rows": []}, 0, ["b", "c", "d", "e"]),
        ("give-up", {"lines": []}, 0, ["b", "c", "d", "e"]),
        ("resend", {}, 3, ["d"]),
        ("resend", {"rows": [1, 4]}, 2, ["c", "d"]),
    ],
)
async def test_a_decision_is_about_the_rows_that_are_named_or_all(
    state: Path, decision: str, chosen: dict[str, Any], decided: int, left: list[str]
) -> None:
    told = await resolve(state, decision, **chosen)
    assert (told.decision, told.decided, keys_of(told), told.asked) == (Decision(decision), decided, left, None)


async def test_a_decision_changes_nothing_else_of_the_run(state: Path) -> None:
    before = facts(state)
    assert (before.rows, before.halted) == (5, "the disk was full")
    await resolve(state, "give-up")
    after = facts(state)
    assert replace(after, passes=1, ended_at=before.ended_at, latest_at=before.latest_at) == before
    assert after.ended_at is not None


@pytest.mark.parametrize(
    "decision, chosen, message",
    [
        ("give-up", [7, 1, 0], "not unknown, so there is nothing to decide: row 0, row 7. Nothing was changed"),
        (
            "resend",
            [3, 1],
            (
                "in doubt, and settled by the next `bulk send` under the token of before: row 3. To resend would make "
                "a second message of it. Nothing was changed"
            ),
        ),
    ],
)
async def test_where_one_row_cannot_be_decided_about_nothing_is(
    state: Path, decision: str, chosen: list[int], message: str
) -> None:
    with pytest.raises(bulk.CampaignError) as raised:
        await resolve(state, decision, rows=chosen)
    assert str(raised.value) == message
    assert len((await resolve(state)).unknown) == 4


async def test_a_decision_that_there_is_not_is_answered_with_those_that_there_are(state: Path) -> None:
    with pytest.raises(bulk.CampaignError, match=r"^no decision 'forget'; there are resend, mark-sent, give-up$"):
        await resolve(state, "forget")


# Asking


@pytest.mark.parametrize(
    "given, message",
    [
        ({"decision": "resend"}, "to ask is a decision of its own: leave the other one out"),
        ({"settings": {}}, "to ask Amazon Connect, contacts need a mark"),
        ({"wait": -1.0}, r"wait is -1\.0, and must be seconds, 0 or more"),
        ({"wait": -0.5}, r"wait is -0\.5, and must"),
        ({"wait": float("inf")}, "wait is inf, and must"),
        ({"wait": float("nan")}, "wait is nan, and must"),
        ({"dry_run": True}, "^--ask asks for real: leave --dry-run out"),
        ({"rows": [0]}, "not unknown, so there is nothing to decide: row 0. Nothing was changed"),
    ],
)
async def test_what_cannot_be_asked_is_refused_before_anybody_is_asked(
    state: Path, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(bulk.CampaignError, match=message):
        await resolve(state, ask=True, **{"settings": {"doubt": {"attribute": "bulk_row"}}, "wait": 0.0, **given})
    assert len((await resolve(state)).unknown) == 4


@pytest.mark.parametrize("wait", [None, 0.0, 0.5])
async def test_where_nothing_is_unknown_nobody_is_asked(state: Path, wait: float | None) -> None:
    await resolve(state, "give-up")
    told = await resolve(state, ask=True, wait=wait, settings={"doubt": {"attribute": "bulk_row"}})
    assert told == Resolution("reminders", "default", None, 0, [], Settlement())
