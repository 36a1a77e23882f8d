"""All that a report tells, as data: of a run on a bad day, of one that is under way, without its list: it …"""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from report_pages import Read
from sandbox_runs import CHAT, SMS, Runs, rows

import bulk
from bulk.account.prices import load
from bulk.errors import CampaignError
from bulk.ledger.lock import sole_sender
from bulk.run.report import reported

PEOPLE = [
    *rows("abcdef"),
    {"key": "g", "phone": "", "email": "", "name": "Ann g"},
    {"key": "a", "phone": "+12065550300", "email": "", "name": "+1 206 555 0300"},
]
COUNTS = {"sent": 4, "skipped": 1, "refused": 1, "rejected": 1, "unknown": 1, "pending": 0}
UNREAD = "The contact list cannot be read, so here is what the ledger alone can tell"
TYPED = "bulk {} CAMPAIGN --state-dir STATE"
COST = [
    "What may have been accepted: about 0.07 USD: 5 at 0.014 USD a message, sms in us-west-2.",
    f"Prices of 2026-10-07 (uncertain): {load().source}.",
    f"Not in it: {'; '.join(load().excluded)}.",
]
FAILED = {
    "why": "Write the rows that failed, beside the list's own columns.",
    "words": f"{TYPED.format('results')} -o failed.xlsx --only failed --join",
}


async def bad_day(runs: Runs, **options: Any) -> None:
    """Send to eight rows: b is rejected, nobody knows of c, d is throttled once, g has no number, a stands twice."""
    runs.settings["retry"] = {"attempts": 1}
    who = [one["phone"] for one in PEOPLE]
    runs.faults(
        {"fault": "error", "code": "InvalidRequestException", "message": "no", "destinations": [who[1]]},
        {"fault": "drop_after", "destinations": [who[2]]},
        {"fault": "error", "code": "ThrottlingException", "first": 1, "destinations": [who[3]]},
    )
    await runs.send(PEOPLE, **options)


async def told(runs: Runs, contacts: Any = None, **options: Any) -> dict[str, Any]:
    """Return what the report tells, without what differs from run to run: moments, places, and how fast it was."""
    frame = pl.DataFrame(PEOPLE) if contacts is None else contacts
    given = {**runs.options, **options}
    path, made = await reported(runs.campaign, contacts=frame, **given)
    assert path is None
    text = json.dumps(made).replace(runs.sandbox.url, "URL").replace(str(runs.folder / "state"), "STATE")
    found: dict[str, Any] = json.loads(re.sub(r"20\d\d-\d\d-\d\dT\d\d:[\d:.+]+", "T", text))
    for one in found["wire"]:
        del one["latency"], one["busiest"], one["bars"]
    for one in found["who"]:
        del one["sender"], one["version"]
    del found["timeline"], found["throughput"]
    return found


def group(value: str, rows: int, **counts: int) -> dict[str, Any]:
    nothing = {"accepted": 0, "left_out": 0, "failed": 0, "in_flight": 0, "pending": 0}
    return {"value": value, "rows": rows, **nothing, **counts}


def breakdown(*groups: dict[str, Any]) -> dict[str, Any]:
    return {"groups": list(groups), "other_values": 0, "others": None}


def looked_at(number: int, key: str | None, whom: str | None, status: str, why: tuple[str, str]) -> dict[str, Any]:
    code, message = why
    place = {"place": f"row {number}", "key": key, "destination": whom, "status": status}
    return {**place, "code": code, "message": message, "attempts": int(status != "refused"), "at": "T"}


CLOSED = (
    "ConnectionClosed",
    'Connection was closed before we received a valid response from endpoint URL: "URL/contact/outbound-chat".',
)
NO, EMPTY = (
    ("InvalidRequestException", "no"),
    (
        "missing_destination",
        "the phone number is empty: fill it in, or leave the row out",
    ),
)


def reason(status: str, number: int, key: str, why: tuple[str, str], **remedy: str | None) -> dict[str, Any]:
    code, message = why
    return {
        "status": status,
        "code": code,
        "rows": 1,
        "place": f"row {number}",
        "key": key,
        "message": message,
        **remedy,
    }


async def test_tells_all_of_a_bad_day(runs: Runs) -> None:
    await bad_day(runs)
    place = {"endpoint": "URL", "region": "us-west-2", "instance": SMS["InstanceId"]}
    again, resolve = TYPED.format("send"), TYPED.format("resolve")
    known = breakdown(group("US", 7, accepted=4, left_out=1, failed=2), group("unknown", 1, failed=1))
    zones = breakdown(group("America/Los_Angeles", 7, accepted=4, left_out=1, failed=2), group("unknown", 1, failed=1))
    found = await told(runs, by=["NAME", "phone"], with_track=True)
    names, phones = (found["breakdowns"].pop(name) for name in ("NAME", "phone"))
    assert [one["value"] for one in names["groups"]] == ["+1 2…00", *(f"Ann {name}" for name in "abcdefg")]
    assert [one["value"] for one in phones["groups"]][:2] == ["+120…00", "(empty)"]
    assert found == {
        "campaign": "reminders",
        "run": "default",
        "channel": "sms",
        **place,
        "operations": [CHAT],
        "started_at": "T",
        "ended_at": "T",
        "passes": 1,
        "calls": 7,
        "throttled": 1,
        "halted": None,
        "sender": None,
        "rehearsal": False,
        "complete": True,
        "made_at": "T",
        "notes": COST,
        "message": {
            "sender": SMS["SourceEndpoint"]["Address"],
            "flow": SMS["ContactFlowId"],
            "texts": {"InitialSystemMessage.Content": "Hi {{ name }}."},
            "template": {},
            "changed": [],
        },
        "rows": 8,
        "counts": COUNTS,
        "in_flight": 0,
        "to_look_at": 3,
        "breakdowns": {"country": known, "time zone": zones},
        "reasons": [
            reason(
                "rejected",
                1,
                "b",
                NO,
                remedy="See what the service says of them, correct it, then send them.",
                command=f"{again} --only rejected",
            ),
            reason(
                "unknown",
                2,
                "c",
                CLOSED,
                remedy="Decide: send them again, count them as sent, or give them up.",
                command=resolve,
            ),
            reason(
                "refused",
                6,
                "g",
                EMPTY,
                remedy="Fill in the phone number or address of these rows.",
                command=f"{again} --only refused",
            ),
            reason(
                "skipped",
                7,
                "a",
                ("duplicate", "the key is that of row 0"),
                remedy="Nothing: each of them is sent once.",
                command=None,
            ),
        ],
        "look": [
            looked_at(2, "c", "+120…99", "unknown", CLOSED),
            looked_at(1, "b", "+120…98", "rejected", NO),
            looked_at(6, "g", None, "refused", EMPTY),
        ],
        "attempts": [5, 1, 0, 0, 0, 0],
        "segments": 4,
        "wire": [{"operation": CHAT, "permitted": 1000.0, "calls": 7, "throttled": 1, "segments": 4, "interval": 1}],
        "who": [{"number": 1, "started_at": "T", "ended_at": "T", "halted": None}],
        "left": None,
        "outcomes": {
            "contacts": 4,
            "states": {"not asked about": 4},
            "reasons": {},
            "answers": {"not told": 4},
            "feedback": {},
            "note": "how contacts ended at Amazon Connect; whether a message reached the person, it does not tell",
        },
        "commands": [
            {"why": "See and decide about the rows that are unknown.", "words": resolve},
            {"why": "Once the cause is fixed, send the refused rows.", "words": f"{again} --only refused"},
            {"why": "Once the cause is fixed, send the rejected rows.", "words": f"{again} --only rejected"},
            FAILED,
        ],
    }


async def test_tells_what_the_ledger_knows_where_the_list_is_gone(
    runs: Runs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await bad_day(runs)
    found = await told(runs, tmp_path / "+12065550199.csv", rate_share=0.5, burst=7)
    trouble = f"{UNREAD}: there is no list {tmp_path}/+120…99.csv: check the path"
    assert found["notes"][0] == trouble
    assert ("bulk", 30, trouble) in caplog.record_tuples
    assert found["notes"][1:] == COST
    assert (found["complete"], found["counts"], found["left"], found["outcomes"]) == (False, COUNTS, None, None)
    assert found["look"] == [looked_at(2, None, "+120…99", "unknown", CLOSED)]
    assert found["message"]["flow"] == SMS["ContactFlowId"]
    assert [(one["calls"], one["permitted"]) for one in found["wire"]] == [(7, 500.0)]
    assert [one["number"] for one in found["who"]] == [1]
    assert FAILED["words"].replace(" --state-dir", f" --contacts {tmp_path}/+12065550199.csv --state-dir") in [
        one["words"] for one in found["commands"]
    ]


async def test_tells_what_the_ledger_knows_where_the_list_breaks_off(runs: Runs, tmp_path: Path) -> None:
    await bad_day(runs)
    listed = tmp_path / "list.ndjson"
    pl.DataFrame(PEOPLE * 2000).write_ndjson(listed)
    with listed.open("a") as file:
        file.write('{"key": ')
    found = await told(runs, listed)
    assert found["notes"][0].startswith(f"{UNREAD}: list.ndjson, line 16001: the line is no JSON")
    assert (found["complete"], found["counts"]) == (False, COUNTS)


async def under_way(runs: Runs) -> None:
    """Leave three rows on their way, as a sender does that is sending."""
    await bad_day(runs)
    with closing(sqlite3.connect(runs.folder / "state" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE delivery SET state = 'pending', decisions = 1 WHERE state = 'sent' AND row < 5")
        ledger.execute("UPDATE delivery SET state = 'intended', contact_id = NULL WHERE state = 'pending'")


@pytest.mark.parametrize("gone", [False, True], ids=["with its list", "without"])
async def test_counts_rows_on_their_way_as_in_flight_while_somebody_sends(
    runs: Runs, tmp_path: Path, *, gone: bool
) -> None:
    await under_way(runs)
    contacts = tmp_path / "gone.csv" if gone else pl.DataFrame(PEOPLE)
    before = await told(runs, contacts)
    with sole_sender(tmp_path / "state", "reminders", "default"):
        during = await told(runs, contacts)
    assert (before["in_flight"], before["counts"]["unknown"], before["sender"]) == (0, 4, None)
    assert (during["in_flight"], during["counts"]["unknown"], during["counts"]["sent"]) == (3, 1, 1)
    assert [one["place"] for one in during["look"] if one["status"] == "unknown"] == ["row 2"]
    assert len([one for one in before["look"] if one["status"] == "unknown"]) == 4
    assert [one["why"] for one in during["commands"]] == ["See how it goes on.", FAILED["why"]]
    assert during["sender"].startswith("process ")


async def test_tells_of_rows_that_are_in_the_list_no_more_unless_somebody_sends(runs: Runs, tmp_path: Path) -> None:
    await bad_day(runs)
    less = pl.DataFrame(PEOPLE[1:6])
    said = "The list has changed: 2 rows that have an end are not in it any more, and not on this page."
    assert (await told(runs, less))["notes"] == [said, *COST]
    with sole_sender(tmp_path / "state", "reminders", "default"):
        assert (await told(runs, less))["notes"] == COST


async def test_tells_what_was_changed_since(runs: Runs) -> None:
    await bad_day(runs)
    runs.sms(InitialSystemMessage={"Content": "Oh {{ name }}."})
    assert (await told(runs))["message"]["changed"] == ["request.InitialSystemMessage.Content"]


async def test_tells_what_is_left_of_a_run_that_was_cut_short(runs: Runs) -> None:
    runs.settings["pacing"] = {"rate": 1, "burst": 1}
    await runs.send(rows("abcdef"), limit=1)
    found = await told(runs, pl.DataFrame(rows("abcdef")))
    assert (found["left"]["rows"], found["left"]["seconds"], found["counts"]["pending"]) == (5, 4.0, 5)
    assert found["commands"] == [{"why": "Go on with the rows that are pending.", "words": TYPED.format("send")}]


async def test_hides_keys_that_are_destinations(runs: Runs) -> None:
    for key, shown in (({}, "+120…98"), ({"key": "phone"}, "+120…98"), ({"key": "name"}, "Ann b")):
        runs.settings |= {"list": key, "name": f"by-{shown[-1]}-{len(key)}"}
        await bad_day(runs)
        assert [one["key"] for one in (await told(runs))["look"] if one["status"] == "rejected"] == [shown]


async def test_hides_what_stands_in_the_column_of_destinations_however_it_is_written(runs: Runs) -> None:
    people = [{"key": "206 55 501", "phone": "206 55 501", "name": "206 55 501"}]
    for key, shown in (({"key": "phone"}, "206 …01"), ({"key": "name"}, "206 55 501")):
        runs.settings |= {"list": key, "name": f"by-{key['key']}"}
        await runs.send(people)
        found = await told(runs, pl.DataFrame(people), by=["Phone", "name"])
        assert [one["key"] for one in found["look"]] == [shown]
        groups = {name: one["groups"][0]["value"] for name, one in found["breakdowns"].items()}
        assert (groups["Phone"], groups["name"]) == ("206 …01", "206 55 501")


async def test_a_rehearsal_is_called_one_first_of_all(tmp_path: Path) -> None:
    source = bulk.Campaign(name="c", channel="sms", request=SMS, folder=tmp_path)
    frame = pl.DataFrame(rows("ab"))
    await bulk.send(source, contacts=frame, sandbox=True)
    _, found = await reported(source, contacts=frame, sandbox=True)
    assert found["notes"][0] == "REHEARSAL: it went to a sandbox, and nobody was written to."
    assert (found["rehearsal"], found["counts"]["sent"], found["endpoint"]) == (True, 2, "sandbox")
    assert found["commands"] == [{"why": "It was a rehearsal. Send it for good:", "words": "bulk send CAMPAIGN"}]


@pytest.mark.parametrize("name, said", [("r.pdf", "name it r.html"), (".PDF", "name it .PDF.html")])
async def test_a_page_has_the_name_of_one(runs: Runs, name: str, said: str) -> None:
    with pytest.raises(CampaignError, match=rf"a report is a page: {said}"):
        await reported(runs.campaign, name, **runs.options)


@pytest.mark.parametrize("name", ["r.html", "r.HTM"])
async def test_a_page_is_written_where_it_is_wanted(runs: Runs, tmp_path: Path, name: str) -> None:
    await runs.send(rows("a"))
    given: dict[str, Any] = {"contacts": pl.DataFrame(rows("a")), "by": "name", "with_track": True, **runs.options}
    path = await bulk.report(runs.campaign, tmp_path / name, **given)
    assert path == tmp_path / name
    words = Read(path.read_text("utf-8")).words
    assert "To whom, by name" in words
    assert "not asked about" in words


async def test_a_page_does_not_take_the_place_of_the_list(runs: Runs, tmp_path: Path) -> None:
    await runs.send(rows("a"))
    listed = tmp_path / "list.html"
    pl.DataFrame(rows("a")).write_csv(listed)
    with pytest.raises(CampaignError, match=r"list\.html"):
        await reported(runs.campaign, listed, contacts=listed, **runs.options)
