"""`bulk report`: a run as a page, at any time, from the command line and from Python."""

import os
import shutil
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
    assert bulk(*REPORT, "--json", cwd=sent).json == {"report": "report.html"}


async def test_python_has_the_same(sent: Path) -> None:
    assert await product.report(sent / "campaign.toml", sent / "report.html") == sent / "report.html"
    by_python = read(sent).text.splitlines()
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
    assert "3 of 3 rows (100 %)" in report(tmp_path, "--sandbox").words
    ended = bulk(*REPORT, cwd=tmp_path)
    assert ended.code == 2, "nothing was sent for good"


@pytest.mark.parametrize(
    "words, told",
    [
        (("-o", "report.pdf"), ("report.pdf", "name it report.html")),
        (("-o", "report"), ("name it report.html",)),
        (("-o", "campaign.toml/report.html"), ("report.html: the report cannot be written", "-o FILE.html")),
        (("-o", "."), ("'-o'", "directory")),
        ((), ("'-o'",)),
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
