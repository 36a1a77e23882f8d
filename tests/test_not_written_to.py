"""Nobody is written to who must not be, whatever happened between two tries or two runs, against a real sandbox."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import polars as pl
import pytest
from sandbox_runs import CHAT, CREATE, FULL, HANG, MAIL, Runs, reasons, rows, statuses

import bulk

FAULT = {"fault": "error", "code": "InternalServiceException"}


@pytest.fixture
def stop_list(runs: Runs) -> Callable[[str], None]:
    """A suppression file that the campaign names, and what adds the people of some rows to it."""
    file = runs.folder / "stop.csv"
    file.write_text("phone,email\n+12065559999,nobody@example.com\n")
    runs.settings["list"] = {"key": "key", "suppress": [str(file)]}

    def add(keys: str) -> None:
        with file.open("a") as text:
            text.writelines(f"{row['phone']},{row['email']}\n" for row in rows(keys))

    return add


async def meanwhile(runs: Runs, keys: str, act: Callable[[], None], operation: str = CHAT) -> bulk.Run:
    """Send, and act once a call of each row has come in."""

    async def wait() -> None:
        while runs.received(operation) < len(keys):  # noqa: ASYNC110 - the server tells only who asks
            await anyio.sleep(0.01)
        act()

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        run = await runs.send(rows(keys))
    return run  # noqa: RET504 - a task group may swallow, says mypy


async def test_who_said_no_while_the_service_was_full_is_left_out(
    runs: Runs, stop_list: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.run.send_pass.REFRESH", 0.05)
    runs.settings |= {"pacing": {"rate": 1000, "burst": 1000, "at_once": 1}}
    runs.faults(FULL | {"first": 1})

    run = await meanwhile(runs, "a", lambda: stop_list("a"))
    assert (statuses(run), reasons(run), run.exit_code) == ({"a": "skipped"}, {"a": "suppressed"}, 0)
    assert runs.contacts() == Counter()


async def test_who_said_no_after_a_run_was_cut_short_is_not_tried_again(
    runs: Runs, stop_list: Callable[[str], None]
) -> None:
    runs.faults(HANG)
    await runs.cut_short(rows("abc"), CHAT, 3)
    runs.faults()
    stop_list("ab")
    before = runs.received(CHAT)
    run = await runs.send(rows("abc"))
    assert (statuses(run), run.exit_code) == ({"a": "unknown", "b": "unknown", "c": "sent"}, 1)
    assert (reasons(run), runs.received(CHAT) - before) == (dict.fromkeys("ab", "suppressed"), 1)
    left = await bulk.resolve(runs.campaign, contacts=pl.DataFrame(rows("abc")), **runs.options)
    assert {one.error_code for one in left.unknown} == {"suppressed"}


async def test_the_draft_of_who_said_no_is_ended_by_the_next_run(runs: Runs, stop_list: Callable[[str], None]) -> None:
    runs.email()
    runs.faults(FULL | {"operation": MAIL})
    await runs.cut_short(rows("a"), MAIL, 1)
    runs.faults()
    stop_list("a")
    run = await runs.send(rows("a"))
    assert (statuses(run), reasons(run)) == ({"a": "skipped"}, {"a": "suppressed"})
    assert runs.received("StopContact") == 1


async def test_a_decision_to_send_again_asks_the_rules_and_keeps_the_doubt(
    runs: Runs, stop_list: Callable[[str], None]
) -> None:
    runs.settings |= {"retry": {"attempts": 1}}
    runs.faults({"fault": "drop_after"})
    await runs.send(rows("a"))
    runs.faults()
    stop_list("a")
    run = await runs.send(rows("a"), only="unknown")
    assert (statuses(run), runs.received(CHAT)) == ({"a": "unknown"}, 1)


# One person


async def test_three_spellings_of_an_address_are_one_person(runs: Runs) -> None:
    runs.email()
    runs.settings["list"] = {"dedupe": "destination", "key": "key"}
    people = [
        row | {"email": email} for row, email in zip(rows("abc"), ["ann@x.org", "Ann@x.org", "ANN@x.org"], strict=True)
    ]
    run = await runs.send(people)
    assert (run.summary.sent, run.summary.skipped) == (1, 2)


async def test_the_next_list_may_not_give_a_key_to_somebody_else(runs: Runs) -> None:
    await runs.send(rows("ab"))
    changed = [rows("a")[0] | {"phone": "+12065551234"}, rows("b")[0]]
    run = await runs.send(changed)
    assert (statuses(run), reasons(run)) == ({"a": "refused", "b": "sent"}, {"a": "key_of_another"})
    assert (run.exit_code, runs.received(CHAT)) == (1, 2)
    again = await runs.send(rows("ab"))
    assert (statuses(again), again.exit_code) == (dict.fromkeys("ab", "sent"), 0)


async def test_a_draft_is_never_gone_on_with_for_somebody_else(runs: Runs) -> None:
    runs.email()
    runs.faults(FULL | {"operation": MAIL})
    await runs.cut_short(rows("a"), MAIL, 1)
    runs.faults()
    run = await runs.send([rows("a")[0] | {"email": "bo@example.com"}])
    assert (statuses(run), runs.received(MAIL)) == ({"a": "refused"}, 1)


async def test_rows_of_one_key_survive_lists_that_shrink_and_grow(runs: Runs) -> None:
    runs.settings["list"] = {"key": "key", "dedupe": "none"}
    await runs.send(rows("abcdefghij"))
    await runs.send(rows("abcde"))
    run = await runs.send(rows("abcdejihgf"))
    assert (run.summary.sent, run.exit_code, runs.contacts()) == (10, 0, Counter("abcdefghij"))
    more = await runs.send(rows("abcdejihgff"))
    assert (more.summary.sent, runs.contacts()["f"]) == (11, 2)


# Decisions


async def test_what_was_given_up_is_not_among_the_rejected(runs: Runs) -> None:
    runs.settings |= {"retry": {"attempts": 1}}
    runs.faults({"fault": "drop_after"})
    await runs.send(rows("a"))
    runs.faults()
    await bulk.resolve(runs.campaign, "give-up", **runs.options)
    run = await runs.send(rows("a"), only="rejected")
    assert (run.summary.rejected, runs.contacts()) == (1, Counter("a"))


async def test_a_limited_decision_reopens_no_more_than_it_sends(runs: Runs) -> None:
    runs.settings |= {"retry": {"attempts": 1}}
    runs.faults({"fault": "drop_after"})
    await runs.send(rows("abc"))
    runs.faults()
    run = await runs.send(rows("abc"), only="unknown", limit=1)
    assert (run.summary.sent, run.summary.unknown, run.exit_code) == (1, 2, 1)
    assert len((await bulk.resolve(runs.campaign, contacts=pl.DataFrame(rows("abc")), **runs.options)).unknown) == 2
    assert (await runs.send(rows("abc"))).summary.calls == 0


async def test_a_row_in_doubt_is_settled_and_not_resent(runs: Runs) -> None:
    runs.faults(HANG)
    await runs.cut_short(rows("a"), CHAT, 1)
    runs.faults()
    given = runs.options | {"contacts": pl.DataFrame(rows("a"))}
    assert (await bulk.resolve(runs.campaign, "resend", **given)).decided == 0
    with pytest.raises(bulk.CampaignError, match="in doubt, and settled by the next `bulk send`"):
        await bulk.resolve(runs.campaign, "resend", rows=[0], **given)
    run = await runs.send(rows("a"))
    assert (run.summary.sent, runs.contacts()) == (1, Counter("a"))


async def test_a_skipped_row_is_sent_once_its_cause_is_gone(runs: Runs, stop_list: Callable[[str], None]) -> None:
    stop_list("a")
    assert (await runs.send(rows("ab"))).summary.skipped == 1
    (runs.folder / "stop.csv").write_text("phone\n+12065559999\n")
    assert (await runs.send(rows("ab"))).summary.calls == 0
    run = await runs.send(rows("ab"), only="skipped")
    assert (run.summary.sent, run.exit_code) == (2, 0)


async def test_rows_are_decided_about_by_where_they_stand_now(runs: Runs) -> None:
    runs.settings |= {"retry": {"attempts": 1}}
    runs.faults({"fault": "drop_after"})
    await runs.send(rows("ab"))
    given = runs.options | {"contacts": pl.DataFrame(rows("ba"))}
    told = await bulk.resolve(runs.campaign, "mark-sent", rows=[0], **given)
    assert [(one.row, one.key) for one in told.unknown] == [(1, "a")]


async def test_a_row_in_doubt_that_has_left_the_list_ends_the_run_with_1(runs: Runs) -> None:
    runs.faults(HANG)
    await runs.cut_short(rows("ab"), CHAT, 2)
    runs.faults()
    assert (await runs.send(rows("b"))).exit_code == 1


# A changed campaign


async def test_who_is_reached_is_no_change_to_be_accepted(runs: Runs) -> None:
    await runs.send(rows("ab"))
    runs.sms(DestinationEndpoint={"Address": "{{ other }}"})
    with pytest.raises(bulk.LedgerError, match=r"DestinationEndpoint\.Address has changed .*--run NEW"):
        await runs.send([row | {"other": row["phone"]} for row in rows("ab")], accept_changes=True)


async def test_a_run_sent_before_says_how_many_would_differ(runs: Runs) -> None:
    await runs.send(rows("abc"))
    changed = [row | ({"name": "Bo"} if row["key"] == "b" else {}) for row in rows("abc")]
    run = await runs.send(changed)
    assert (run.summary.sent_before, run.summary.differs, run.exit_code) == (3, 1, 0)


async def test_a_run_sent_before_with_another_text_says_that_all_would_differ(runs: Runs) -> None:
    await runs.send(rows("abc"))
    runs.sms(InitialSystemMessage={"ContentType": "text/plain", "Content": "Another text, {{ name }}"})
    run = await runs.send(rows("abcd"), accept_changes=True)
    assert (run.summary.sent_before, run.summary.differs, run.summary.sent) == (3, 3, 4)
    run = await runs.send(rows("abcd"))
    assert (run.summary.sent_before, run.summary.differs) == (4, 3)


async def test_what_was_sent_before_is_told_too_where_rows_of_one_key_are_no_repeats(runs: Runs) -> None:
    runs.settings["list"] = {"key": "key", "dedupe": "none"}
    await runs.send(rows("aab"))
    run = await runs.send(rows("aab"))
    assert (run.summary.sent, run.summary.sent_before, run.summary.calls) == (3, 3, 0)


@pytest.mark.parametrize("near", ["Default", "DEFAULT", "ｄｅｆａｕｌｔ"])
async def test_a_run_of_nearly_the_same_name_is_refused(runs: Runs, near: str) -> None:
    await runs.send(rows("a"))
    with pytest.raises(bulk.LedgerError, match="there is 'default'"):
        await runs.send(rows("a"), run_id=near)


# Clocks


async def test_an_age_behind_a_clock_that_was_set_back_is_unknown(runs: Runs) -> None:
    runs.email()
    runs.faults(HANG)
    await runs.cut_short(rows("ab"), CREATE, 2)
    runs.faults()
    with sqlite3.connect(runs.folder / "state" / "ledger.db") as ledger:  # as a clock three hours ahead wrote it
        ledger.execute("UPDATE run SET latest_at = latest_at + 10800")
    run = await runs.send(rows("abc"))
    assert statuses(run) == {"a": "unknown", "b": "unknown", "c": "sent"}
    assert reasons(run) == dict.fromkeys("ab", "clock_went_back")


async def test_a_contact_is_stopped_however_long_ago_that_was_tried(runs: Runs) -> None:
    runs.email(stop_contact={})
    runs.faults({"fault": "drop_before", "operation": "StopContact"})
    await runs.cut_short(rows("a"), "StopContact", 1)
    runs.faults()
    with sqlite3.connect(runs.folder / "state" / "ledger.db") as ledger:
        ledger.execute("UPDATE delivery SET intended_at = intended_at - 10 * 86400")
    await runs.send(rows("a"))
    assert [contact["State"] for contact in runs.sandbox.contacts] == ["ended"]


async def test_what_is_announced_after_the_clock_was_set_back_has_an_age_again(runs: Runs) -> None:
    runs.email()
    await runs.send(rows("a"))
    with sqlite3.connect(runs.folder / "state" / "ledger.db") as ledger:
        ledger.execute("UPDATE run SET latest_at = latest_at + 10800")
    runs.faults(HANG)
    await runs.cut_short(rows("ab"), CREATE, 2)
    runs.faults()
    assert statuses(await runs.send(rows("ab"))) == {"a": "sent", "b": "sent"}
    assert runs.contacts() == {"a": 1, "b": 1}


# Caps and open contacts


CAPPED = {"caps": {"sms": {"at_most": 1, "within": "24h"}, "email": {"at_most": 1, "within": "24h"}}}


async def test_a_first_row_that_is_rejected_does_not_cap_the_second(runs: Runs) -> None:
    runs.settings |= CAPPED
    same = [row | {"phone": "+12065550001"} for row in rows("ab")]
    runs.faults({"fault": "error", "code": "InvalidRequestException", "first": 1})
    assert statuses(await runs.send(same)) == {"a": "rejected", "b": "sent"}


@pytest.mark.parametrize("decision", ["give-up", "resend", "mark-sent"])
async def test_a_decision_does_not_erase_what_may_have_reached_a_person(runs: Runs, decision: str) -> None:
    runs.settings |= CAPPED | {"retry": {"attempts": 1}}
    runs.faults({"fault": "drop_after"})
    await runs.send(rows("a"))
    runs.faults()
    await bulk.resolve(runs.campaign, decision, **runs.options)
    runs.settings["name"] = "others"
    run = await runs.send(rows("a"))
    assert (statuses(run), reasons(run), runs.contacts()) == ({"a": "skipped"}, {"a": "capped"}, Counter("a"))


async def test_a_mail_whose_contact_is_still_to_be_stopped_counts(runs: Runs) -> None:
    runs.email(stop_contact={})
    runs.settings |= CAPPED
    runs.faults(FULL | {"operation": "StopContact"})
    await runs.cut_short(rows("a"), "StopContact", 1)
    runs.settings["name"] = "others"
    assert reasons(await runs.send(rows("a"))) == {"a": "capped"}


async def test_a_contact_that_was_stopped_is_open_no_more(runs: Runs) -> None:
    runs.email(stop_contact={})
    runs.settings |= {"hold": {"open_contacts": 1, "open_for": "1h"}}
    run = await runs.send(rows("abc"), max_duration=8.0)
    assert (run.summary.sent, run.exit_code) == (3, 0)


async def test_who_was_left_out_takes_no_room(runs: Runs, stop_list: Callable[[str], None]) -> None:
    runs.settings |= {"hold": {"open_contacts": 1, "open_for": "1h"}}
    stop_list("abc")
    run = await runs.send(rows("abcd"), max_duration=5.0)
    assert (run.summary.sent, run.summary.skipped, run.exit_code) == (1, 3, 0)


async def test_a_second_campaign_finds_the_contacts_that_the_first_opens_meanwhile(runs: Runs) -> None:
    runs.settings |= {"hold": {"open_contacts": 5, "open_for": "1h"}}
    first, options = runs.campaign, runs.options
    runs.settings["name"] = "others"
    second = runs.campaign

    async def send(campaign: bulk.Campaign, keys: str) -> None:
        given: dict[str, Any] = options | {"results": runs.folder / f"{campaign.name}.csv"}
        await bulk.send(campaign, contacts=pl.DataFrame(rows(keys)), max_duration=2.0, **given)

    async with anyio.create_task_group() as group:
        group.start_soon(send, first, "abcdefgh")
        group.start_soon(send, second, "ijklmnop")
    assert sum(runs.contacts().values()) == 5


# Rehearsals


async def test_a_rehearsal_in_a_named_state_directory_is_apart(runs: Runs) -> None:
    runs.settings |= CAPPED
    state: dict[str, Any] = {"state_dir": runs.folder / "state"}
    rehearsed = await bulk.send(runs.campaign, contacts=pl.DataFrame(rows("a")), sandbox=True, **state)
    assert (rehearsed.summary.sent, rehearsed.summary.rehearsal) == (1, True)
    assert (await bulk.status(runs.campaign, **state)).summary.rehearsal
    run = await runs.send(rows("a"))
    assert (statuses(run), run.summary.rehearsal) == ({"a": "sent"}, False)
    assert not (await bulk.status(runs.campaign, **state)).summary.rehearsal
