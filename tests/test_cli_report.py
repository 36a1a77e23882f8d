"""`bulk report`: a run as a page, at any time, from the command line and from Python."""

import getpass
import os
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, phone
from report_pages import Read

import bulk as product
from bulk.ledger.lock import sole_sender

REPORT = "report", "campaign.toml", "-o", "report.html"


def report(folder: Path, *more: str) -> Read:
    """Make the page and read it."""
    ended = bulk(*REPORT, *more, cwd=folder)
    assert ended.code == 0, ended
    return read(folder)


def read(folder: Path) -> Read:
    return Read((folder / "report.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, running: Service) -> Path:
    folder = tmp_path_factory.mktemp("sent")
    campaign(folder, rows=5)
    with (folder / "contacts.csv").open("a") as file:
        file.write("0005,,Ann,2027-01-12\n0000,+12065559999,Ann,2027-01-12\n")
    running.faults(
        {"fault": "error", "code": "InvalidRequestException", "message": "no", "destinations": [phone(1)]},
        {"fault": "drop_after", "destinations": [phone(2)]},
    )
    ended = bulk("send", "campaign.toml", cwd=folder, **at(running.url))
    assert ended.code == 1, ended
    return folder


@pytest.fixture
def sent(once: Path, tmp_path: Path) -> Path:
    """A run on a bad day: row 1 is rejected, row 2 unknown, row 5 has no number, row 6 repeats a key."""
    shutil.copytree(once, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_it_tells_how_a_run_went(sent: Path) -> None:
    page = report(sent)
    for told in (
        "reminders, run default",
        "3 of 7 rows (42.9 %) were accepted by Amazon Connect; 3 need a look. It came to its end",
        "at http://127.0.0.1:",
        "1 row unknown",
        "missing_destination refused 1 line 7, key 0005",
        "duplicate skipped 1 line 8, key 0000: the key is that of line 2",
        "InvalidRequestException rejected 1 line 3, key 0001: no",
        "line 4 0002 +120…02 unknown",
    ):
        assert told in page.words
    assert phone(1) not in page.text


def test_it_is_for_its_owner_alone_and_takes_its_place_whole(sent: Path) -> None:
    (sent / "report.html").write_text("the last one")
    report(sent)
    assert (sent / "report.html").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in sent.iterdir() if path.name.startswith(".report")] == []


def test_its_path_goes_to_stdout(sent: Path) -> None:
    assert bulk(*REPORT, cwd=sent)[:2] == (0, "report.html\n")
    assert bulk(*REPORT, "--json", cwd=sent).json["report"] == "report.html"


async def test_python_has_the_same(sent: Path) -> None:
    assert await product.report(sent / "campaign.toml", sent / "report.html") == sent / "report.html"
    by_python = read(sent).text.replace(f"{sent}/", "").splitlines()
    by_command = report(sent).text.splitlines()
    assert [line for line in by_python if "Made 20" not in line] == [
        line for line in by_command if "Made 20" not in line
    ]


@pytest.mark.parametrize("key", ['key = "phone"', ""])
def test_keys_that_are_destinations_are_masked(tmp_path: Path, sandbox: Service, key: str) -> None:
    campaign(tmp_path, rows=2, text=CAMPAIGN.replace('key = "id"', key))
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("0002,206 55 501,Ann,2027-01-12\n")
    sandbox.faults({"fault": "error", "code": "InvalidRequestException", "destinations": [phone(1)]})
    bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
    page = report(tmp_path)
    assert "line 3 +120…01 +120…01 rejected" in page.words
    assert "206 55 501" not in page.text
    assert phone(1) not in page.text


def test_it_tells_what_was_sent_to_whom_by_whom_and_how_fast(sent: Path) -> None:
    page = report(sent, "--by", "Date")
    for told in (
        "Sender arn:aws:connect:us-west-2:123456789012:phone-number/33333333",
        "Flow 22222222-2222-4222-8222-222222222222",
        "InitialSystemMessage.Content Hi {{ name }}, see you on {{ date }}.",
        (
            "To whom, by country Failed are refused, rejected and unknown rows; left out are skipped ones. country "
            "Rows Accepted Left out Failed Pending US 6 3 1 2 0 unknown 1 0 0 1 0"
        ),
        "To whom, by time zone",
        (
            "To whom, by Date Failed are refused, rejected and unknown rows; left out are skipped ones. Date Rows "
            "Accepted Left out Failed Pending 2027-01-12 7 3 1 3 0"
        ),
        "StartOutboundChatContact 500/s",
        "3 SMS segments",
        f"1 {getpass.getuser()}@{socket.gethostname()} {product.__version__}",
        "bulk send campaign.toml --only refused",
        "bulk resolve campaign.toml",
        "bulk results campaign.toml -o failed.xlsx --only failed --join",
        "Fill in the phone number or address of these rows.",
    ):
        assert told in page.words
    assert "Hi Ann" not in page.text


def test_its_numbers_are_those_of_the_page(sent: Path) -> None:
    told = bulk("report", "campaign.toml", "--json", "--by", "phone", cwd=sent).json
    assert told["report"] is None
    assert (told["rows"], told["in_flight"], told["segments"], told["left"]) == (7, 0, 3, None)
    assert told["counts"] == {"sent": 3, "skipped": 1, "refused": 1, "rejected": 1, "unknown": 1, "pending": 0}
    assert told["breakdowns"]["country"]["groups"][0] | {"rows": 6} == told["breakdowns"]["country"]["groups"][0]
    (wire,) = told["wire"]
    assert (wire["calls"], wire["throttled"], wire["permitted"]) == (5, 0, 500)
    assert told["calls"] == 5
    assert {one["code"] for one in told["reasons"]} >= {"missing_destination", "duplicate", "InvalidRequestException"}
    assert [one["number"] for one in told["who"]] == [1]
    assert "+1206555" not in str(told), "no destination is whole"
    page = report(sent)
    assert "3 of 7 rows (42.9 %)" in page.words


def test_a_column_that_is_not_there_is_answered_with_the_nearest(sent: Path) -> None:
    ended = bulk(*REPORT, "--by", "dat", cwd=sent)
    assert (ended.code, ended.out) == (2, "")
    assert "date" in ended.err
    assert not (sent / "report.html").exists()


def test_what_is_left_is_told_with_its_end(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=5)
    assert bulk("send", "campaign.toml", "--limit", "2", cwd=tmp_path, **at(sandbox.url)).code == 4
    page = report(tmp_path)
    assert "3 rows pending. At the campaign's rates they take about" in page.words
    assert "Go on with the rows that are pending. bulk send campaign.toml" in page.words


def test_rows_on_their_way_are_in_flight_while_somebody_sends_and_in_doubt_after(sent: Path) -> None:
    with closing(sqlite3.connect(sent / ".bulk" / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE delivery SET state = 'pending', decisions = decisions + 1 WHERE state = 'sent'")
        ledger.execute("UPDATE delivery SET state = 'intended', contact_id = NULL WHERE state = 'pending'")
    with sole_sender(sent / ".bulk", "reminders", "default"):
        told = bulk("report", "campaign.toml", "--json", cwd=sent).json
        page = report(sent)
    assert (told["in_flight"], told["counts"]["unknown"], told["counts"]["sent"], told["rows"]) == (3, 1, 0, 7)
    assert "3 in flight" in page.words
    assert "in flight its call is under way at the moment 3" in page.words
    told = bulk("report", "campaign.toml", "--json", cwd=sent).json
    assert (told["in_flight"], told["counts"]["unknown"]) == (0, 4)


def test_a_campaign_that_changed_since_is_not_what_was_sent(sent: Path) -> None:
    file = sent / "campaign.toml"
    file.write_text(file.read_text().replace("see you on", "until"))
    assert (
        "It is not what the last pass sent: request.InitialSystemMessage.Content changed since." in report(sent).words
    )


def test_without_the_list_it_tells_what_the_ledger_knows(sent: Path) -> None:
    (sent / "contacts.csv").unlink()
    ended = bulk(*REPORT, cwd=sent)
    assert (ended.code, ended.out) == (0, "report.html\n")
    assert "warning: The contact list cannot be read" in ended.err
    page = read(sent)
    for told in ("The contact list cannot be read", "contacts.csv", "3 of 7 rows", "row 2 – +120…02 unknown"):
        assert told in page.words


def test_a_list_that_lost_rows_is_told_of(sent: Path) -> None:
    lines = (sent / "contacts.csv").read_text().splitlines()
    (sent / "contacts.csv").write_text("\n".join(lines[:4]) + "\n")
    assert "The list has changed: 3 rows that have an end are not in it any more" in report(sent).words


def test_a_run_that_is_being_sent_is_shown_as_it_is_now(sent: Path) -> None:
    with sole_sender(sent / ".bulk", "reminders", "default"):
        page = report(sent)
    assert f"It is being sent by process {os.getpid()}" in page.words
    assert "all figures are those of this moment" in page.words


def test_a_rehearsal_has_a_report_too(tmp_path: Path) -> None:
    campaign(tmp_path)
    assert bulk("send", "campaign.toml", "--sandbox", cwd=tmp_path).code == 0
    page = report(tmp_path, "--sandbox")
    assert "REHEARSAL reminders, run default 3 of 3 rows (100 %)" in page.words
    assert "It was a rehearsal. Send it for good: bulk send campaign.toml" in page.words
    assert "<title>REHEARSAL: reminders" in (tmp_path / "report.html").read_text("utf-8")
    ended = bulk(*REPORT, cwd=tmp_path)
    assert (ended.code, "REHEARSAL: there is no real run of this name" in ended.err) == (0, True)


@pytest.mark.parametrize(
    "words, told",
    [
        (("-o", "report.pdf"), ("report.pdf", "name it report.html")),
        (("-o", "report"), ("name it report.html",)),
        (("-o", "campaign.toml/report.html"), ("report.html: the report cannot be written", "-o FILE.html")),
        (("-o", "."), ("'-o'", "directory")),
        ((), ("'-o'", "--json")),
        (("-o", "report.html", "--run", "other"), ("no run 'other'", "reminders --run default")),
        (("-o", "report.html", "--state-dir", "nowhere"), ("no ledger", "--state-dir")),
    ],
)
def test_a_wrong_word_is_answered_with_the_remedy(sent: Path, words: tuple[str, ...], told: tuple[str, ...]) -> None:
    ended = bulk("report", "campaign.toml", *words, cwd=sent)
    assert (ended.code, ended.out) == (2, "")
    assert [one for one in told if one not in ended.err] == []
    assert not (sent / "report.html").exists()


async def test_a_folder_is_no_place_for_a_page(sent: Path) -> None:
    (sent / "report.html").mkdir()
    with pytest.raises(product.CampaignError, match=r"report\.html: the report cannot be written: Is a directory"):
        await product.report(sent / "campaign.toml", sent / "report.html")


def test_who_looks_at_a_run_needs_no_credentials_to_ask_who_opted_out(sent: Path) -> None:
    campaign(sent, text=CAMPAIGN.replace('key = "id"', 'key = "id"\nopt_out_list = "Default"'), rows=5)
    for words in (("results", "campaign.toml", "-o", "results.csv"), REPORT):
        ended = bulk(*words, cwd=sent)
        assert ended.code == 0, ended
        assert "credentials" not in ended.err
