"""The rows of unknown fate: listed and decided about, by command and in Python."""

from pathlib import Path
from typing import Any

import pytest
from cli_runs import Service, at, bulk, campaign, environment, phone

import bulk as api
from bulk.ledger.lock import sole_sender

LOST = {"fault": "drop_after", "destinations": [phone(1), phone(3)]}  # accepted, and the answer is lost


@pytest.fixture
async def left(tmp_path: Path, sandbox: Service, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of five rows, of which rows 1 and 3 are unknown."""
    sandbox.faults(LOST)
    path = campaign(tmp_path, rows=5)
    for name, value in environment(**at(sandbox.url)).items():
        monkeypatch.setenv(name, value)
    run = await api.send(path, endpoint_url=sandbox.url)
    assert run.summary.unknown == 2
    sandbox.faults()
    return path


def test_it_lists_the_unknown_rows_with_what_is_known_of_them(left: Path) -> None:
    told = bulk("resolve", "campaign.toml", cwd=left.parent)
    assert told.code == 1
    head, *lines = told.out.splitlines()
    assert head == "reminders, run default: 2 unknown rows"
    assert [line.split(", tried ")[0] for line in lines] == [
        "  line 3, key '0001', to +120…01",
        "  line 5, key '0003', to +120…03",
    ]
    assert told.err.endswith("resolve campaign.toml with --resend, --mark-sent or --give-up\n")


def test_it_sends_again_what_it_was_told_to_and_nothing_else(left: Path, sandbox: Service) -> None:
    decided = bulk("resolve", "campaign.toml", "--resend", "--row", "3", "--json", cwd=left.parent)
    assert decided.code == 1
    assert list(decided.json) == ["campaign", "run", "decision", "decided", "unknown"]
    assert (decided.json["decision"], decided.json["decided"]) == ("resend", 1)
    assert [(one["row"], one["key"]) for one in decided.json["unknown"]] == [(1, "0001")]
    assert "to send them: python -m bulk send campaign.toml" in decided.err
    sent = bulk("send", "campaign.toml", "--json", cwd=left.parent, **at(sandbox.url))
    assert (sent.json["sent"], sent.json["unknown"], sent.json["calls"]) == (4, 1, 1)
    assert [one["Destination"] for one in sandbox.contacts].count(phone(3)) == 2
    assert [one["Destination"] for one in sandbox.contacts].count(phone(1)) == 1


def test_a_row_that_is_not_unknown_stops_the_whole_decision(left: Path) -> None:
    refused = bulk("resolve", "campaign.toml", "--give-up", "--row", "1", "--row", "2", cwd=left.parent)
    assert (refused.code, refused.out) == (2, "")
    assert "row 2" in refused.err
    assert bulk("resolve", "campaign.toml", "--json", cwd=left.parent).json["unknown"][0]["row"] == 1


async def states(left: Path) -> list[tuple[str, Any]]:
    frame = (await api.status(left)).results()
    return list(zip(frame["status"].to_list(), frame["error_code"].to_list(), strict=True))


async def test_rows_marked_sent_count_as_sent(left: Path) -> None:
    told = await api.resolve(left, "mark-sent")
    assert (told.decided, told.unknown) == (2, [])
    assert [state for state, _ in await states(left)] == ["sent"] * 5
    assert (await states(left))[1] == ("sent", "marked_sent")


async def test_rows_given_up_count_as_rejected(left: Path) -> None:
    await api.resolve(left, "give-up", rows=[1])
    assert [code for _, code in await states(left)] == [None, "given_up", None, "ConnectionClosed", None]


async def test_it_needs_no_list(left: Path) -> None:
    (left.parent / "contacts.csv").unlink()
    told = await api.resolve(left)
    assert [(one.row, one.key, one.destination) for one in told.unknown] == [(1, None, "+120…01"), (3, None, "+120…03")]


async def test_it_names_rows_by_where_they_stand_now(left: Path) -> None:
    contacts = left.parent / "contacts.csv"
    head, *rows = contacts.read_text().splitlines(keepends=True)
    contacts.write_text("".join([head, *reversed(rows), "0009,+12065550009,Ann,\n"]))
    assert [(one.row, one.key) for one in (await api.resolve(left)).unknown] == [(1, "0003"), (3, "0001")]
    contacts.write_text("".join([head, *rows[2:], *rows[:2]]))
    assert [(one.row, one.key) for one in (await api.resolve(left)).unknown] == [(1, "0003"), (4, "0001")]
    contacts.write_text("".join([head, *rows[2:]]))
    assert [(one.row, one.key) for one in (await api.resolve(left)).unknown] == [(1, "0003"), (None, None)]


async def test_the_run_stays_what_it_was_but_for_the_decision(left: Path) -> None:
    before = (await api.status(left)).summary.as_dict()
    await api.resolve(left, "mark-sent")
    after = (await api.status(left)).summary.as_dict()
    assert {name for name in before if before[name] != after[name]} <= {"sent", "unknown", "seconds"}


async def test_a_decision_where_nothing_is_unknown_says_so(left: Path) -> None:
    await api.resolve(left, "give-up")
    told = await api.resolve(left, "resend")
    assert (told.decided, told.unknown) == (0, [])
    ended = bulk("resolve", "campaign.toml", "--resend", cwd=left.parent)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "there was nothing to decide\nreminders, run default: 0 unknown rows\n"


async def test_a_decision_there_is_not_names_those_there_are(left: Path) -> None:
    with pytest.raises(api.CampaignError, match=r"'forget'; there are resend, mark-sent, give-up"):
        await api.resolve(left, "forget")


async def test_nothing_is_decided_while_the_run_is_being_sent(left: Path) -> None:
    with sole_sender(left.parent / ".bulk", "reminders", "default"):
        assert len((await api.resolve(left)).unknown) == 2
        with pytest.raises(api.RunBusy):
            await api.resolve(left, "resend")


def test_rows_may_be_named_by_their_lines_as_the_list_shows_them(left: Path) -> None:
    decided = bulk("resolve", "campaign.toml", "--mark-sent", "--line", "5", "--json", cwd=left.parent)
    assert [(one["row"], one["line"], one["file"]) for one in decided.json["unknown"]] == [(1, 3, "")]
    other = bulk("resolve", "campaign.toml", "--give-up", "--line", "3", "--row", "2", cwd=left.parent)
    assert (other.code, "nothing to decide: row 2. Nothing was changed" in other.err) == (2, True)
    other = bulk("resolve", "campaign.toml", "--give-up", "--line", "3", "--line", "4", cwd=left.parent)
    assert (other.code, "nothing to decide: line 4. Nothing was changed" in other.err) == (2, True)
    none = bulk("resolve", "campaign.toml", "--give-up", "--line", "1", cwd=left.parent)
    assert (none.code, none.err) == (2, "bulk: line 1 holds no row of the list: the first is in line 2\n")
    typed = bulk("resolve", "campaign.toml", "--line", "3", cwd=left.parent)
    assert (typed.code, "--line needs a decision" in typed.err) == (2, True)


async def test_lines_cannot_be_told_without_the_list(left: Path) -> None:
    (left.parent / "contacts.csv").unlink()
    with pytest.raises(api.ListError, match="no list"):
        await api.resolve(left, "give-up", lines=[3])
    listed = bulk("resolve", "campaign.toml", cwd=left.parent)
    assert "  row 1, to +120…01" in listed.out
    assert "the list cannot be read, so rows are named as they stood when it last was" in listed.err
