"""Text from outside on its way through a run: the ledger, the log, the terminal, the results and the report."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest
from cli_runs import CAMPAIGN, Ended, Service, at, bulk, campaign

from bulk.run.results import results as results_of

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2066\r\n12:00:00 forged: 3 sent\n"
LIST = (
    "id,phone,name,date\n"
    "0001,+12065550100,Ada Lovelace,2027-01-12\n"
    "0002,(206) 555-0101,Grace Hopper,2027-01-13\n"
    "0003,+12065550102,Mary Kay,2027-01-14\n"
)
PERSONAL = ["+1206555010", "12065550", "555-010", "Ada", "Lovelace", "Grace", "Hopper", "Mary", "2027-01-1", "see you"]


def on_the_line(text: str) -> str:
    """Write UTF-8 as `http.server` takes it, which encodes headers as Latin-1."""
    return text.encode().decode("latin-1")


class Service400(BaseHTTPRequestHandler):
    """Answers each request with its own body, as some services and firewalls do, and much else."""

    status, code, long = 400, "InvalidRequestException", False

    def do_PUT(self) -> None:
        echo = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = f"cannot take {echo} {ESCAPES}" + ("x" * 300_000 if self.long else "")
        body = json.dumps({"message": told}).encode()
        self.send_response(self.status)
        self.send_header("x-amzn-ErrorType", on_the_line(self.code))
        self.send_header("x-amzn-RequestId", on_the_line("id \u202e\x9b2J"))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def answering(**how: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (Service400,), how)) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def prepared(folder: Path, text: str = CAMPAIGN) -> Path:
    path = campaign(folder, text=text.replace('key = "id"', 'key = "id"\ncountry = "US"'))
    (folder / "contacts.csv").write_text(LIST)
    return path


def ledger(folder: Path) -> str:
    """Return all text of the ledger, and its bytes."""
    path = folder / ".bulk" / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        rows = (
            connection.execute("SELECT * FROM delivery").fetchall() + connection.execute("SELECT * FROM run").fetchall()
        )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return repr(rows) + path.read_bytes().decode("latin-1")


def told(text: str) -> list[str]:
    return [personal for personal in PERSONAL if personal in text]


def steers(text: str) -> list[str]:
    return [sign for sign in text if not sign.isprintable() and sign != "\n"]


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
@pytest.mark.parametrize(
    "status, code", [(400, "InvalidRequestException"), (403, "AccessDeniedException"), (400, "Odd\x9bCode")]
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_an_echoed_request_tells_nothing_of_its_row(
    tmp_path: Path, status: int, code: str, form: str, *, long: bool
) -> None:
    prepared(tmp_path)
    with answering(status=status, code=code, long=long) as url:
        ended = bulk("send", "campaign.toml", "--log-format", form, cwd=tmp_path, **at(url))
    assert ended.code == (3 if status == 403 else 1), ended
    assert "cannot take" in ledger(tmp_path)
    assert told(ledger(tmp_path)) == []
    assert told(ended.err) == []
    assert steers(ended.err) == []
    assert not any(line.startswith("12:00:00") for line in ended.err.splitlines())
    assert len(ended.err) < 12_000


def test_what_is_written_of_it_later_tells_nothing_either(tmp_path: Path) -> None:
    prepared(tmp_path)
    with answering() as url:
        bulk("send", "campaign.toml", cwd=tmp_path, **at(url))
    found = pl.read_csv(tmp_path / "results" / "reminders-default.csv", infer_schema=False)
    for message in found["error_message"]:
        assert "cannot take" in message
        assert told(message) == []
        assert steers(message) == []
    bulk("report", "campaign.toml", "-o", "report.html", cwd=tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "cannot take" in page
    assert set(told(page)) <= {"see you"}, "the campaign's own words are shown, and nothing of a row"
    assert steers(page) == []


def test_our_own_refusals_keep_no_cell(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("[pacing]", 'ChatDurationInMinutes = "{{ name }}"\n[pacing]')
    prepared(tmp_path, text)
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **at("http://127.0.0.1:9"))
    assert ended.code == 1
    assert "ChatDurationInMinutes" in ledger(tmp_path)
    assert told(ledger(tmp_path)) == []
    assert told(ended.err) == []


def test_a_failing_template_keeps_no_cell(tmp_path: Path) -> None:
    prepared(tmp_path, CAMPAIGN.replace("Hi {{ name }}", "{{ row[name] }}"))
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **at("http://127.0.0.1:9"))
    assert ended.code == 1
    assert "template_error" in ledger(tmp_path)
    assert told(ledger(tmp_path)) == []


def test_the_first_rows_are_masked_in_a_log(tmp_path: Path, sandbox: Service) -> None:
    prepared(tmp_path, CAMPAIGN.replace('key = "id"', ""))
    text = (tmp_path / "campaign.toml").read_text()
    (tmp_path / "campaign.toml").write_text(text.replace("[list]", '[list]\ncountry = "US"'))
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
    assert ended.code == 0, ended
    assert "+120…00" in ended.err
    assert told(ended.err) == []


def test_a_contact_id_that_can_be_none_is_no_acceptance(tmp_path: Path) -> None:
    class Odd(Service400):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"ContactId": f"id{ESCAPES}"}).encode()
            self.send_response(200)
            self.send_header("x-amzn-RequestId", "r-1")  # Amazon Connect answers, and nothing between
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    prepared(tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        ended = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(url))
        server.shutdown()
        thread.join()
    assert (ended.code, ended.json["unknown"]) == (1, 3)
    assert steers(ended.out + ended.err) == []


@pytest.mark.timeout(60)
def test_a_cell_of_any_length_stops_no_run(tmp_path: Path) -> None:
    evil = "a@" + "x" * 200_000 + "."
    campaign(tmp_path)
    rows = (f"1,{evil},Ann,x", f"{evil},+12065550101,Ann,x", f"3,+12065550102,{evil},x", f"4,{'9' * 200_000},Ann,x")
    (tmp_path / "contacts.csv").write_text("\n".join(("id,phone,name,date", *rows, "")))
    ended = bulk("send", "campaign.toml", "--sandbox", cwd=tmp_path)
    assert ended.code == 1, ended
    assert "4 rows: 1 sent, 3 refused" in ended.err
    assert len(ended.err) < 4000


# File names


NAME = "a\x1b[2J\n12:00:00 forged\u202e"


def shown(ended: Ended) -> None:
    assert ended.code == 2, ended
    assert steers(ended.err) == []
    assert not any(line.startswith("12:00:00") for line in ended.err.splitlines())


def test_a_file_name_steers_no_terminal_and_forges_no_line(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.csv").write_bytes(b"")
    path = campaign(tmp_path)
    shown(bulk("send", path, "--sandbox", "--contacts", f"{NAME}.csv", cwd=tmp_path))
    shown(bulk("send", path, "--sandbox", "--contacts", f"{NAME}.parquet", cwd=tmp_path))
    shown(bulk("send", path, "--sandbox", "--state-dir", f"{NAME}.csv", cwd=tmp_path))


def test_json_spells_out_what_could_steer_a_terminal(tmp_path: Path) -> None:
    path = campaign(tmp_path)
    (tmp_path / "contacts.csv").write_text(f'id,phone,name,date\n1,+12065550100,"{NAME}\U000e0001",x\n')
    ended = bulk("check", path, "--json", cwd=tmp_path)
    assert steers(ended.out) == []
    assert NAME in ended.out.encode().decode() or NAME in json.dumps(ended.json, ensure_ascii=False).replace(
        "\\u001b", "\x1b"
    ).replace("\\n", "\n")


# Spreadsheets


FORMULAS = (
    "id,phone,name,=cmd\n"
    "=1+1,+12065550100,=HYPERLINK(1),a\n"
    "-2+3,+12065550101,@SUM(1),-5\n"
    '0003,+12065550102,"\t=1",+1.5\n'
    "+1|cmd,+12065550103,plain,\uff1dcmd\n"
)


def test_results_for_a_spreadsheet_hold_no_formula(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path, text=CAMPAIGN.replace(", see you on {{ date }}", ""))
    (tmp_path / "contacts.csv").write_text(FORMULAS)
    bulk("send", path, "--spreadsheet-safe", "--results", "safe.csv", cwd=tmp_path, **at(sandbox.url))
    bulk("results", path, "-o", "plain.csv", cwd=tmp_path)
    bulk("results", path, "-o", "again.csv", "--spreadsheet-safe", cwd=tmp_path)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "safe.csv").read_bytes()
    safe = pl.read_csv(tmp_path / "safe.csv", infer_schema=False)
    assert safe["key"].to_list() == ["'=1+1", "'-2+3", "0003", "'+1|cmd"]
    assert safe["destination"].to_list() == [f"+1206555010{row}" for row in range(4)]
    assert safe["name"].to_list() == ["'=HYPERLINK(1)", "'@SUM(1)", "'\t=1", "plain"]
    assert safe["'=cmd"].to_list() == ["a", "-5", "+1.5", "'\uff1dcmd"]
    assert pl.read_csv(tmp_path / "plain.csv", infer_schema=False)["key"].to_list()[0] == "=1+1"


async def test_other_results_keep_what_the_list_says(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path, text=CAMPAIGN.replace(", see you on {{ date }}", ""))
    (tmp_path / "contacts.csv").write_text(FORMULAS)
    bulk("send", path, cwd=tmp_path, **at(sandbox.url))
    await results_of(path, tmp_path / "table.parquet", spreadsheet_safe=True)
    await results_of(path, tmp_path / "table.csv", spreadsheet_safe=True)
    assert pl.read_parquet(tmp_path / "table.parquet")["key"][0] == "=1+1"
    assert pl.read_csv(tmp_path / "table.csv")["key"][0] == "'=1+1"
