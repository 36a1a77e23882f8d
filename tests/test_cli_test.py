"""`bulk test`: one row's message to somebody else, by command and in Python."""

from pathlib import Path

import polars as pl
import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, environment, phone

import bulk as api

ME = "+12065559999"
TEST = "test", "campaign.toml", "--row", "1", "--to", ME
KEYS = [
    *("campaign", "channel", "row", "line", "file", "destination", "status"),
    *("contact_id", "error_code", "error_message", "request_id"),
]


def listed(folder: Path) -> Path:
    """A campaign of which row 1 is like no other."""
    path = campaign(folder)
    contacts = (folder / "contacts.csv").read_text()
    (folder / "contacts.csv").write_text(contacts.replace(f"{phone(1)},Ann", f"{phone(1)},Bo"))
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_it_sends_what_the_row_would_get_to_somebody_else(tmp_path: Path, sandbox: Service) -> None:
    listed(tmp_path)
    ended = bulk(*TEST, cwd=tmp_path, **at(sandbox.url))
    (contact,) = sandbox.contacts
    assert (ended.code, ended.out) == (0, contact["ContactId"] + "\n")
    assert ended.err == "line 3, to +120…99: sent\n"
    assert contact["Destination"] == ME
    assert "Hi Bo, see you on 2027-01-12." in str(contact)


def test_it_leaves_no_trace_and_the_row_is_still_to_be_sent(tmp_path: Path, sandbox: Service) -> None:
    listed(tmp_path)
    before = files(tmp_path)
    bulk(*TEST, cwd=tmp_path, **at(sandbox.url))
    assert files(tmp_path) == before
    sent = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (sent.json["sent"], sent.json["calls"]) == (3, 3)


def test_it_sends_each_time_it_is_told_to(tmp_path: Path, sandbox: Service) -> None:
    listed(tmp_path)
    told = [bulk(*TEST, cwd=tmp_path, **at(sandbox.url)).out for _ in range(2)]
    assert [one["ContactId"] + "\n" for one in sandbox.contacts] == told


def test_json_is_one_object_and_quiet_says_nothing(tmp_path: Path, sandbox: Service) -> None:
    listed(tmp_path)
    ended = bulk(*TEST, "--json", "--quiet", cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.out.count("\n"), ended.err) == (0, 1, "")
    told = ended.json
    assert list(told) == KEYS
    assert (told["campaign"], told["channel"]) == ("reminders", "sms")
    assert (told["row"], told["line"], told["file"]) == (1, 3, "")
    assert (told["destination"], told["status"], told["error_code"]) == (ME, "sent", None)
    assert told["contact_id"] == sandbox.contacts[0]["ContactId"]


def test_the_destination_is_told_as_it_was_sent(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, text=CAMPAIGN.replace('key = "id"', 'key = "id"\ncountry = "US"'))
    typed = *TEST[:-1], "(206) 555-9999"
    ended = bulk(*typed, "--json", cwd=tmp_path, **at(sandbox.url))
    assert ended.json["destination"] == sandbox.contacts[0]["Destination"] == ME


@pytest.mark.parametrize(
    "fault, status, code",
    [
        ({"fault": "error", "code": "InvalidRequestException"}, "rejected", "InvalidRequestException"),
        ({"fault": "drop_after"}, "unknown", "ConnectionClosed"),
    ],
)
def test_a_message_that_was_not_certainly_accepted_ends_with_1(
    tmp_path: Path, sandbox: Service, fault: dict[str, str], status: str, code: str
) -> None:
    listed(tmp_path)
    sandbox.faults({**fault, "destinations": [ME]})
    ended = bulk(*TEST, cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"line 3, to +120…99: {status}: {code}")
    as_json = bulk(*TEST, "--json", cwd=tmp_path, **at(sandbox.url))
    assert (as_json.code, as_json.json["status"], as_json.json["contact_id"]) == (1, status, None)
    assert as_json.json["error_code"] == code


def test_a_rehearsal_needs_no_yes_and_says_what_it_is(tmp_path: Path) -> None:
    listed(tmp_path)
    ended = bulk(*TEST, "--sandbox", cwd=tmp_path)
    assert ended.code == 0
    assert ended.err.splitlines()[1:] == ["a rehearsal, nothing was sent. To send it, leave --sandbox out"]


async def test_python_has_it_too(tmp_path: Path, sandbox: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    path = listed(tmp_path)
    for name, value in environment(**at(sandbox.url)).items():
        monkeypatch.setenv(name, value)
    outcome = await api.test(path, row=1, to=ME, endpoint_url=sandbox.url)
    assert (outcome.status, outcome.contact_id) == ("sent", sandbox.contacts[0]["ContactId"])


def test_the_row_may_be_named_by_its_line_as_the_list_shows_it(tmp_path: Path, sandbox: Service) -> None:
    listed(tmp_path)
    ended = bulk("test", "campaign.toml", "--line", "3", "--to", ME, cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.err) == (0, "line 3, to +120…99: sent\n")
    assert "Hi Bo" in str(sandbox.contacts[0])


@pytest.mark.parametrize(
    "line, said",
    [
        ("1", "line 1 holds no row of the list: the first is in line 2"),
        ("4", "line 4 holds no row of the list: the nearest are in lines 3 and 5"),
        ("99", "line 99 holds no row of the list: the last is in line 5"),
    ],
)
def test_a_line_that_holds_no_row_is_refused_with_the_nearest_that_does(tmp_path: Path, line: str, said: str) -> None:
    path = campaign(tmp_path)
    head, first, second, third = (tmp_path / "contacts.csv").read_text().splitlines()
    (tmp_path / "contacts.csv").write_text(f"{head}\n{first}\n{second}\n\n{third}\n")
    ended = bulk("test", path.name, "--line", line, "--to", ME, "--sandbox", cwd=tmp_path)
    assert (ended.code, ended.err) == (2, f"bulk: {said}\n")


def test_a_line_of_a_list_in_several_files_is_refused_with_their_names(tmp_path: Path) -> None:
    path = campaign(tmp_path, text=CAMPAIGN.replace("contacts.csv", "lists"))
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "june.csv").write_text((tmp_path / "contacts.csv").read_text())
    (tmp_path / "contacts.csv").rename(tmp_path / "lists" / "july.csv")
    ended = bulk("test", path.name, "--line", "3", "--to", ME, "--sandbox", cwd=tmp_path)
    assert (ended.code, "2 files (july.csv, june.csv)" in ended.err, "--row N" in ended.err) == (2, True, True)
    by_row = bulk("test", path.name, "--row", "4", "--to", ME, "--sandbox", cwd=tmp_path)
    assert by_row.err.startswith("line 3 of june.csv, to +120…99: sent\n")


@pytest.mark.parametrize("words", [(), ("--line", "3", "--row", "1")])
def test_a_test_needs_a_line_or_a_row_and_not_both(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = campaign(tmp_path)
    ended = bulk("test", path.name, *words, "--to", ME, "--sandbox", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "--line N, as the list shows it, or --row N, from 0" in ended.err


async def test_python_takes_a_line_or_a_row_and_not_both(tmp_path: Path) -> None:
    path = listed(tmp_path)
    assert (await api.test(path, line=3, to=ME, sandbox=True)).status == "sent"
    for row, line in ((None, None), (1, 3)):
        with pytest.raises(api.CampaignError, match="whose message is it"):
            await api.test(path, row=row, line=line, to=ME, sandbox=True)
    with pytest.raises(api.ListError, match="stand in no lines: give --row N"):
        await api.test(path, line=3, to=ME, sandbox=True, contacts=pl.read_csv(tmp_path / "contacts.csv"))
