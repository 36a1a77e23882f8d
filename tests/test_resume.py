"""A run cut short, and gone on with, against a sandbox that outlives it: it …"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from disks import mount
from sandbox_runs import CHAT, CREATE, DRAFT, FULL, HANG, MAIL, Runs, reasons, rows, statuses

import bulk

# What was under way


async def test_it_asks_again_for_the_answer_it_did_not_get_and_nothing_is_sent_twice(runs: Runs) -> None:
    runs.faults(HANG)
    cut = await runs.cut_short(rows("abc"), CHAT, 3)
    assert (cut.exit_code, statuses(cut)) == (143, dict.fromkeys("abc", "unknown"))
    assert reasons(cut) == dict.fromkeys("abc", "unanswered")
    runs.faults()
    run = await runs.send(rows("abcd"))
    assert (run.exit_code, statuses(run)) == (0, dict.fromkeys("abcd", "sent"))
    assert runs.contacts() == Counter("abcd")
    assert set(run.results()["contact_id"]) == {contact["ContactId"] for contact in runs.sandbox.contacts}


async def test_it_starts_nothing_after_the_stop(runs: Runs) -> None:
    runs.faults({"fault": "delay", "seconds": 0.1})
    runs.settings |= {"pacing": {"rate": 1000, "burst": 1000, "at_once": 4}, "stop": {"grace": "30s"}}
    cut = await runs.cut_short(rows("abcdefgh"), CHAT, 4)
    assert runs.received(CHAT) == 4
    assert (cut.summary.sent, cut.summary.pending, cut.summary.unknown) == (4, 4, 0)
    assert runs.contacts() == Counter("abcd")


async def test_it_goes_on_with_the_draft_of_an_email_and_makes_no_second(runs: Runs) -> None:
    runs.email()
    runs.faults(FULL | {"operation": MAIL})
    cut = await runs.cut_short(rows("a"), MAIL, 1)
    assert statuses(cut) == {"a": "pending"}
    (draft,) = runs.sandbox.contacts
    runs.faults()
    run = await runs.send(rows("a"))
    assert (statuses(run), runs.received(CREATE)) == ({"a": "sent"}, 1)
    (mailed,) = runs.sandbox.contacts
    assert (mailed["ContactId"], mailed["Mailed"]) == (draft["ContactId"], True)
    assert run.results()["contact_id"].to_list() == [draft["ContactId"]]


async def test_a_mail_that_is_out_is_sent_though_its_contact_is_not_stopped_yet(runs: Runs) -> None:
    runs.email(stop_contact={})
    runs.faults(FULL | {"operation": "StopContact"})
    cut = await runs.cut_short(rows("a"), "StopContact", 1)
    assert statuses(cut) == {"a": "sent"}
    (mailed,) = runs.sandbox.contacts
    assert (cut.results()["contact_id"].to_list(), mailed["State"]) == ([mailed["ContactId"]], "open")
    runs.faults()
    run = await runs.send(rows("a"))
    assert (run.summary.sent, runs.received(MAIL)) == (1, 1)
    assert [contact["State"] for contact in runs.sandbox.contacts] == ["ended"]


KEYS = [{"code": f"{code}Exception"} for code in ("ExpiredToken", "InvalidSignature", "UnrecognizedClient")]


@pytest.mark.parametrize("no", [*KEYS, {"status": 403}])  # the last is what a proxy may say
async def test_a_stop_that_is_refused_for_its_keys_or_its_way_is_made_by_the_next_run(runs: Runs, no: Any) -> None:
    runs.email(stop_contact={})
    runs.faults({"fault": "error", "operation": "StopContact", **no})
    halted = await runs.send(rows("a"))
    assert (halted.exit_code, halted.summary.sent) == (3, 1)
    runs.faults()
    assert (await runs.send(rows("a"))).exit_code == 0
    assert [contact["State"] for contact in runs.sandbox.contacts] == ["ended"]


async def test_a_mail_refused_after_a_doubtful_try_is_unknown(runs: Runs) -> None:
    """It may be refused because it is out: who sent the rejected rows again would then send it twice."""
    runs.email()
    runs.faults(HANG | {"operation": MAIL})
    await runs.cut_short(rows("a"), MAIL, 1)
    runs.faults({"fault": "error", "code": "InvalidRequestException", "operation": MAIL})
    run = await runs.send(rows("a"))
    assert reasons(run) == {"a": "InvalidRequestException"}
    assert statuses(run) == {"a": "unknown"}
    assert [(contact["Mailed"], contact["State"]) for contact in runs.sandbox.contacts] == [(True, "open")]


async def test_the_draft_of_a_rejected_mail_is_stopped_by_the_next_run(runs: Runs) -> None:
    runs.email()
    no = {"fault": "error", "code": "InvalidRequestException", "operation": MAIL}
    runs.faults(no, {"fault": "drop_before", "operation": "StopContact"})
    runs.settings |= {"retry": {"attempts": 1000, "longest_wait": "1h"}}
    await runs.cut_short(rows("ab"), "StopContact", 2)
    runs.faults(no)
    run = await runs.send(rows("ab"))
    assert statuses(run) == dict.fromkeys("ab", "rejected")
    assert {contact["State"] for contact in runs.sandbox.contacts} == {"ended"}


async def test_a_lost_ledger_sends_nothing_twice_to_a_service_that_knows_the_tokens(runs: Runs) -> None:
    await runs.send(rows("abc"))
    (runs.folder / "state" / "ledger.db").unlink()
    run = await runs.send(rows("abc"))
    assert (run.summary.sent, runs.received(CHAT)) == (3, 6)
    assert runs.contacts() == Counter("abc")


# What changed meanwhile


async def test_a_list_that_was_sorted_anew_and_grew_is_known_by_its_keys(runs: Runs) -> None:
    runs.faults(HANG | {"destinations": [row["phone"] for row in rows("bc")]})
    await runs.cut_short(rows("abc"), CHAT, 3)
    runs.faults()
    run = await runs.send(rows("dcxba"))
    assert list(run.results()["key"]) == list("dcxba")
    assert statuses(run) == dict.fromkeys("dcxba", "sent")
    assert runs.contacts() == Counter("abcdx")


@pytest.mark.parametrize("operation", [CREATE, MAIL])
async def test_users_in_turn_stay_with_their_rows_when_the_list_is_sorted_anew(runs: Runs, operation: str) -> None:
    users = ["agent-1", "agent-2", "agent-3"]
    runs.email(create_contact=DRAFT | {"UserInfo": {"UserId": users}})
    runs.faults(HANG | {"operation": operation})
    await runs.cut_short(rows("abcdef"), operation, 6)
    runs.faults()
    run = await runs.send(rows("gfhedcbai"))
    assert (statuses(run), reasons(run)) == (dict.fromkeys("gfhedcbai", "sent"), {})
    assert runs.contacts() == Counter("abcdefghi")
    taken = Counter(contact["Parameters"]["UserInfo"]["UserId"] for contact in runs.sandbox.contacts)
    assert taken == dict.fromkeys(users, 3)


async def test_a_row_that_changed_since_it_was_tried_is_unknown_and_not_sent_twice(runs: Runs) -> None:
    runs.faults(HANG)
    await runs.cut_short(rows("ab"), CHAT, 2)
    runs.faults()
    changed = [row | ({"name": "Bob"} if row["key"] == "b" else {}) for row in rows("abc")]
    run = await runs.send(changed)
    assert (statuses(run), reasons(run)) == ({"a": "sent", "b": "unknown", "c": "sent"}, {"b": "changed"})
    assert runs.contacts() == Counter("abc")
    again = await runs.send(changed)
    assert (again.summary.calls, statuses(again)["b"]) == (0, "unknown")


async def test_a_changed_campaign_is_not_gone_on_with_unasked(runs: Runs) -> None:
    await runs.send(rows("abc"), limit=1)
    runs.sms(InitialSystemMessage={"Content": "Hello {{ name }}."})
    with pytest.raises(bulk.LedgerError, match=r"request\.InitialSystemMessage\.Content.*--run NEW.*--accept-changes"):
        await runs.send(rows("abc"))
    assert runs.received(CHAT) == 1


def texts(runs: Runs) -> list[str]:
    return [contact["Parameters"]["InitialSystemMessage"]["Content"] for contact in runs.sandbox.contacts]


async def test_rows_not_yet_sent_take_an_accepted_change(runs: Runs) -> None:
    await runs.send(rows("abc"), limit=1)
    runs.sms(InitialSystemMessage={"Content": "Hello {{ name }}."})
    run = await runs.send(rows("abc"), accept_changes=True)
    assert run.summary.sent == 3
    assert sorted(texts(runs)) == ["Hello Ann b.", "Hello Ann c.", "Hi Ann a."]


async def test_a_changed_campaign_is_sent_to_all_as_another_run(runs: Runs) -> None:
    await runs.send(rows("ab"))
    runs.sms(InitialSystemMessage={"Content": "Hello {{ name }}."})
    await runs.send(rows("ab"), run_id="second")
    assert sorted(texts(runs)) == ["Hello Ann a.", "Hello Ann b.", "Hi Ann a.", "Hi Ann b."]


# What people decide


async def test_only_the_rows_that_ended_so_are_sent_again(runs: Runs) -> None:
    fixed, (bad,) = rows("abcd"), rows("b")
    broken = [row | ({"phone": "nowhere"} if row["key"] == "c" else {}) for row in fixed]
    runs.settings |= {"retry": {"attempts": 1}}
    runs.faults(
        {"fault": "error", "code": "InvalidRequestException", "destinations": [bad["phone"]]},
        {"fault": "drop_after", "destinations": [fixed[3]["phone"]]},
    )
    first = await runs.send(broken)
    assert statuses(first) == {"a": "sent", "b": "rejected", "c": "refused", "d": "unknown"}
    runs.faults()
    for only, key in (("rejected", "b"), ("refused", "c"), ("unknown", "d")):
        run = await runs.send(fixed, only=bulk.Status(only))
        assert (run.summary.calls, statuses(run)[key]) == (1, "sent")
    assert runs.contacts() == Counter("abcdd")  # the last was accepted before; somebody decided


async def test_a_row_sent_again_by_decision_has_a_new_token_and_keeps_it(runs: Runs) -> None:
    runs.settings |= {"retry": {"attempts": 1}}
    runs.faults({"fault": "drop_after"})
    await runs.send(rows("a"))
    runs.faults(HANG)
    await bulk.resolve(runs.campaign, "resend", **runs.options)
    await runs.cut_short(rows("a"), CHAT, 2)
    runs.faults()
    run = await runs.send(rows("a"))
    assert (statuses(run), runs.received(CHAT)) == ({"a": "sent"}, 3)
    first, second = runs.sandbox.contacts
    assert first["ClientToken"] != second["ClientToken"]
    assert run.results()["contact_id"].to_list() == [second["ContactId"]]


async def test_a_token_too_old_to_be_known_is_not_used_again(runs: Runs) -> None:
    runs.email(retry={"replay_within": "0s"})
    runs.faults(HANG)
    await runs.cut_short(rows("ab"), CREATE, 2)
    runs.faults()
    run = await runs.send(rows("abc"))
    assert statuses(run) == {"a": "unknown", "b": "unknown", "c": "sent"}
    assert reasons(run) == dict.fromkeys("ab", "token_expired")
    assert (runs.contacts(), runs.received(CREATE)) == (Counter("abc"), 3)


# Contacts that are open still

BRIEFLY = {"max_duration": 1.5}  # seconds, of which a call takes some milliseconds


async def test_contacts_that_an_earlier_sending_opened_take_room_until_they_end(runs: Runs) -> None:
    runs.settings |= {"hold": {"open_contacts": 3, "open_for": "1h"}}
    begun = anyio.current_time()
    assert (await runs.send(rows("abcdef"), **BRIEFLY)).summary.sent == 3
    again = await runs.send(rows("abcdef"), **BRIEFLY)
    assert (again.summary.calls, again.exit_code) == (0, 4)
    runs.settings |= {"hold": {"open_contacts": 3, "open_for": "2s"}}
    assert (await runs.send(rows("abcdef"))).summary.sent == 6
    assert anyio.current_time() - begun > 2


async def test_contacts_of_other_campaigns_take_room_where_they_are_of_one_instance_and_channel(runs: Runs) -> None:
    runs.settings |= {"hold": {"open_contacts": 3, "open_for": "1h"}}
    await runs.send(rows("abc"))
    runs.settings["name"] = "others"
    assert (await runs.send(rows("xyz"), **BRIEFLY)).summary.calls == 0
    runs.sms(InstanceId="99999999-1111-4111-8111-111111111111")
    assert (await runs.send(rows("xyz"), accept_changes=True)).summary.sent == 3


async def test_what_was_under_way_waits_for_no_room(runs: Runs) -> None:
    runs.settings |= {"hold": {"open_contacts": 3, "open_for": "1h"}}
    runs.faults(HANG)
    await runs.cut_short(rows("abcd"), CHAT, 3)
    runs.faults()
    run = await runs.send(rows("dabc"), **BRIEFLY)
    assert statuses(run) == {"a": "sent", "b": "sent", "c": "sent", "d": "pending"}


async def test_what_was_refused_or_tried_again_takes_no_room(runs: Runs) -> None:
    runs.settings |= {
        "hold": {"open_contacts": 2, "open_for": "1h"},
        "pacing": {"rate": 1000, "burst": 1000, "at_once": 1},
    }
    (bad,) = rows("a")
    runs.faults(
        {"fault": "error", "code": "InvalidRequestException", "destinations": [bad["phone"]]},
        {"fault": "drop_after", "first": 1},
    )
    run = await runs.send(rows("abcd"), max_duration=4.0)
    assert statuses(run) == {"a": "rejected", "b": "sent", "c": "sent", "d": "pending"}


# Trouble with the disk


def beyond_the_header(content: bytes) -> bytes:
    return content[:4096] + os.urandom(len(content) - 4096)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "header": lambda content: os.urandom(100) + content[100:],
    "pages": beyond_the_header,
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_ledger_is_left_as_it_is_and_nothing_is_sent(runs: Runs, damage: str) -> None:
    await runs.send(rows("abc"), limit=1)
    ledger = runs.folder / "state" / "ledger.db"
    ledger.write_bytes(DAMAGE[damage](ledger.read_bytes()))
    damaged = ledger.read_bytes()
    with pytest.raises(bulk.LedgerError, match=r"ledger\.db: .*damaged.*--state-dir") as caught:
        await runs.send(rows("abc"))
    assert caught.value.exit_code == 2
    assert (ledger.read_bytes(), runs.received(CHAT)) == (damaged, 1)


def many(count: int) -> list[dict[str, str]]:
    return [row | {"key": f"k{number}"} for number, row in enumerate(rows("a") * count)]


async def halted(runs: Runs, options: dict[str, Any]) -> str:
    """Return the words with which a run ends that cannot go on."""
    try:
        run = await bulk.send(runs.campaign, **options)
    except bulk.BulkError as error:
        return str(error)
    return run.summary.halted or ""


async def test_a_full_disk_halts_before_anything_is_sent_that_could_not_be_recorded(
    runs: Runs, small_disk: Path
) -> None:
    runs.settings |= {"pacing": {"rate": 1000, "burst": 20}}
    there = {"state_dir": small_disk / "state"}
    people = pl.DataFrame(many(600))
    options = runs.options | there | {"contacts": people}
    assert "the disk is full. Nothing is sent that cannot be recorded; make room" in await halted(runs, options)
    sent = runs.contacts()
    assert 0 < len(sent) < 600
    recorded = await bulk.status(runs.campaign, **options)
    assert recorded.summary.sent + recorded.summary.unknown >= len(sent)
    mount("-o", "remount,size=50m", small_disk)
    run = await bulk.send(runs.campaign, **options)
    assert run.summary.sent == 600
    assert (len(runs.contacts()), set(runs.contacts().values())) == (600, {1})


async def test_a_read_only_disk_is_said_to_be_so_before_anything_is_sent(runs: Runs, small_disk: Path) -> None:
    mount("-o", "remount,ro", small_disk)
    with pytest.raises(bulk.LedgerError, match=r"Read-only file system.*--state-dir"):
        await bulk.send(
            runs.campaign, contacts=pl.DataFrame(rows("a")), **runs.options | {"state_dir": small_disk / "state"}
        )
    assert runs.received(CHAT) == 0


async def test_a_state_directory_that_cannot_be_made_is_named(runs: Runs) -> None:
    (runs.folder / "file").touch()
    with pytest.raises(bulk.LedgerError, match=r"file/state.*--state-dir"):
        await bulk.send(
            runs.campaign, contacts=pl.DataFrame(rows("a")), **runs.options | {"state_dir": runs.folder / "file/state"}
        )
    assert runs.received(CHAT) == 0
