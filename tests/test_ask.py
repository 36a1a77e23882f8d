"""Rows that nothing answered, looked up at Amazon Connect: found, certainly not there, or left as they are."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sandbox_runs import CHAT, Runs, rows, statuses

import bulk
from bulk.sandbox import Sandbox

FAST: dict[str, Any] = {"rate": 10_000, "burst": 10_000}
LONG_AGO = 8 * 86400.0  # seconds: no token is remembered for so long


@pytest.fixture
def marked(runs: Runs) -> Runs:
    """A campaign whose contacts carry a mark, each call tried once."""
    runs.settings |= {"doubt": {"attribute": "bulk_row"}, "retry": {"attempts": 1}}
    return runs


def numbers(keys: str) -> list[str]:
    return [row["phone"] for row in rows(keys)]


async def doubtful(runs: Runs, *, accepted: str = "", lost: str = "", sent: str = "c") -> bulk.Run:
    """Send to all of them, where the answers of some are lost, and the calls of others."""
    rules = [("drop_after", accepted), ("drop_before", lost)]
    runs.faults(*({"fault": fault, "destinations": numbers(keys)} for fault, keys in rules if keys))
    run = await runs.send(rows("".join(sorted(accepted + lost + sent))))
    runs.faults()
    assert run.summary.unknown == len(accepted + lost)
    return run


async def ask(runs: Runs, **options: Any) -> bulk.Resolution:
    given = {"ask": True, "wait": 0.0, **FAST, **runs.options, **options}
    return await bulk.resolve(runs.campaign, contacts=runs_list(runs), **given)


def runs_list(_: Runs) -> Any:
    import polars as pl  # noqa: PLC0415 - one use

    return pl.DataFrame(rows("abcdefghij"))


def backdate(runs: Runs, seconds: float = LONG_AGO) -> None:
    """Have what is in doubt be so long ago."""
    with closing(sqlite3.connect(runs.folder / "state" / "ledger.db")) as ledger, ledger:
        doubtful = "(SELECT id FROM delivery WHERE state = 'intended')"
        ledger.execute(f"UPDATE delivery SET intended_at = intended_at - ? WHERE id IN {doubtful}", [seconds])
        ledger.execute(f"UPDATE dispatch SET last_at = last_at - ? WHERE delivery IN {doubtful}", [seconds])
        ledger.execute(f"UPDATE mark SET first_at = first_at - ? WHERE delivery IN {doubtful}", [seconds])


async def test_what_is_found_is_sent_and_what_is_not_there_is_sent_again_once(marked: Runs) -> None:
    await doubtful(marked, accepted="ab", lost="de", sent="cf")
    told = await ask(marked)
    assert told.asked is not None
    assert (told.asked.found, told.asked.absent, told.decided, told.unknown) == (2, 2, 4, [])
    again = await marked.send(rows("abcdef"))
    assert statuses(again) == dict.fromkeys("abcdef", "sent")
    assert marked.contacts() == dict.fromkeys("abcdef", 1)
    ids = {one["Parameters"]["Attributes"]["key"]: one["ContactId"] for one in marked.sandbox.contacts}
    assert dict(again.results().select("key", "contact_id").iter_rows()) == ids


async def test_a_mark_holds_nothing_of_the_person_and_is_another_for_each_row(marked: Runs) -> None:
    await marked.send(rows("abc"))
    marks = {one["Parameters"]["Attributes"]["bulk_row"] for one in marked.sandbox.contacts}
    assert len(marks) == 3
    assert all(len(mark) == 32 and int(mark, 16) >= 0 for mark in marks)


async def test_a_row_that_is_not_found_too_soon_stays_as_it_is(marked: Runs) -> None:
    await doubtful(marked, accepted="a", lost="d")
    told = await ask(marked, wait=3600.0)
    assert told.asked is not None
    assert (told.asked.found, told.asked.absent, told.asked.too_soon) == (1, 0, 1)
    assert [one.key for one in told.unknown] == ["d"]


async def test_what_the_search_does_not_show_yet_is_no_absence(marked: Runs) -> None:
    async with Sandbox(**FAST, search_delay=3600) as slow:
        marked.sandbox = slow
        await doubtful(marked, accepted="a")
        told = await ask(marked)  # nothing is found, not even the one that was sent
    assert told.asked is not None
    assert (told.asked.found, told.asked.absent, told.asked.unproven) == (0, 0, 1)
    assert [one.key for one in told.unknown] == ["a"]


async def test_absence_counts_only_where_the_attribute_finds_somebody(marked: Runs) -> None:
    await doubtful(marked, lost="d", sent="")
    told = await ask(marked)
    assert told.asked is not None
    assert (told.asked.absent, told.asked.unproven) == (0, 1)


async def test_a_row_in_doubt_is_left_to_its_token_until_that_is_forgotten(marked: Runs) -> None:
    await marked.send(rows("c"))
    marked.faults({"fault": "hang", "destinations": numbers("a")})
    await marked.cut_short(rows("ac"), CHAT, after=2)
    marked.faults()
    marked.sandbox.reset()  # nothing was accepted, but for c
    await marked.send(rows("c"), run_id="other")
    young = await ask(marked)
    assert young.asked is not None
    assert (young.asked.absent, young.asked.to_settle) == (0, 1)
    backdate(marked)
    old = await ask(marked)
    assert old.asked is not None
    assert (old.asked.absent, old.unknown) == (1, [])
    await marked.send(rows("ac"))
    assert marked.contacts() == {"a": 1, "c": 1}


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
async def test_where_it_does_not_answer_nothing_is_decided_and_it_can_be_asked_again(marked: Runs, code: str) -> None:
    await doubtful(marked, accepted="ab", lost="d")
    marked.faults({"fault": "error", "code": code, "operation": "SearchContacts"})
    with pytest.raises(bulk.Halted, match=rf"SearchContacts: {code}.*nothing was decided"):
        await ask(marked)
    marked.faults()
    assert (await bulk.status(marked.campaign, contacts=runs_list(marked), **marked.options)).summary.unknown == 3
    told = await ask(marked)
    assert (told.decided, told.unknown) == (3, [])


async def test_rows_sent_without_the_attribute_are_never_taken_for_absent(marked: Runs) -> None:
    marked.settings |= {"doubt": {}}
    await doubtful(marked, lost="d")
    marked.settings |= {"doubt": {"attribute": "bulk_row"}}
    await marked.send(rows("cde"), accept_changes=True)
    told = await ask(marked)
    assert told.asked is not None
    assert (told.asked.absent, told.asked.unmarked) == (0, 1)


async def test_twenty_rows_are_one_query_and_what_that_tells_is_kept_at_once(marked: Runs) -> None:
    keys = "".join(map(chr, range(ord("A"), ord("A") + 22)))
    await doubtful(marked, accepted=keys)
    marked.faults({"fault": "error", "code": "AccessDeniedException", "operation": "SearchContacts", "every": 2})
    with pytest.raises(bulk.Halted, match="20 rows decided before"):
        await ask(marked)
    marked.faults()
    told = await ask(marked)
    assert told.asked is not None
    assert (told.asked.found, told.asked.queries, told.unknown) == (2, 1, [])
    assert marked.received("SearchContacts") == 3


async def test_it_is_asked_where_it_was_sent_and_nowhere_else(marked: Runs) -> None:
    await doubtful(marked, lost="d")
    async with Sandbox() as other:
        with pytest.raises(bulk.LedgerError, match="belongs to"):
            await ask(marked, endpoint_url=other.url)


async def test_without_a_mark_or_beside_a_decision_nobody_is_asked(marked: Runs) -> None:
    await doubtful(marked, lost="d")
    with pytest.raises(bulk.CampaignError, match="a decision of its own"):
        await ask(marked, decision="resend")
    marked.settings |= {"doubt": {}}
    with pytest.raises(bulk.CampaignError, match=r"\[doubt\] attribute"):
        await ask(marked)


def test_a_mark_is_for_channels_of_one_call_and_of_a_name_of_its_own(runs: Runs) -> None:
    runs.settings |= {"doubt": {"attribute": "key"}}
    with pytest.raises(bulk.CampaignError, match="choose another name"):
        _ = runs.campaign
    runs.email(doubt={"attribute": "bulk_row"})
    with pytest.raises(bulk.CampaignError, match="not for email"):
        _ = runs.campaign
