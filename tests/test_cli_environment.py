"""Options from the environment, and options that reach AWS in every command that reads a list."""

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, Service, at, bulk, campaign, end_of, phone, started

ME = "+12065559999"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize("env", [{"BULK_RATE": "auto"}, {"BULK_RATE": "50", "BULK_BURST": "7"}])
def test_a_sandbox_starts_whatever_rate_is_set_for_sending(tmp_path: Path, env: dict[str, str]) -> None:
    with started("sandbox", "--port", "0", cwd=tmp_path, **env) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert end_of(process).code in {0, 130}


def test_whose_test_message_goes_to_whom_can_come_from_the_environment(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    ended = bulk("test", "campaign.toml", cwd=tmp_path, **at(sandbox.url), BULK_ROW="1", BULK_TO=ME)
    assert (ended.code, ended.err) == (0, "line 3, to +120…99: sent\n")
    assert [contact["Destination"] for contact in sandbox.contacts] == [ME]


def test_what_is_typed_comes_before_the_environment(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    words = "test", "campaign.toml", "--row", "2"
    ended = bulk(*words, cwd=tmp_path, **at(sandbox.url), BULK_ROW="1", BULK_TO=ME)
    assert ended.err == "line 4, to +120…99: sent\n"


@pytest.fixture
def doubt(tmp_path: Path, sandbox: Service) -> dict[str, str]:
    """The environment of somebody who sent to four people, two of whom are unknown."""
    campaign(tmp_path, rows=4)
    sandbox.faults({"fault": "drop_after", "destinations": [phone(1), phone(3)]})
    env = at(sandbox.url)
    assert bulk("send", "campaign.toml", cwd=tmp_path, **env).code == 1
    sandbox.faults()
    return env


def test_a_decision_can_come_from_the_environment(tmp_path: Path, doubt: dict[str, str]) -> None:
    decided = bulk("resolve", "campaign.toml", "--json", cwd=tmp_path, **doubt, BULK_MARK_SENT="1", BULK_ROW="1")
    assert (decided.code, decided.json["decision"], decided.json["decided"]) == (1, "mark-sent", 1)
    assert [one["row"] for one in decided.json["unknown"]] == [3]


def test_rows_of_the_environment_hinder_no_listing(tmp_path: Path, doubt: dict[str, str]) -> None:
    listed = bulk("resolve", "campaign.toml", "--json", cwd=tmp_path, **doubt, BULK_ROW="1")
    assert (listed.code, len(listed.json["unknown"])) == (1, 2)


BOTH = {"BULK_RESEND": "1", "BULK_GIVE_UP": "y"}


@pytest.mark.parametrize(
    "words, env", [(("--resend", "--give-up"), {}), (("--resend",), {"BULK_GIVE_UP": "1"}), ((), BOTH)]
)
def test_two_decisions_at_once_are_none(
    tmp_path: Path, doubt: dict[str, str], words: tuple[str, ...], env: dict[str, str]
) -> None:
    refused = bulk("resolve", "campaign.toml", *words, cwd=tmp_path, **doubt, **env)
    assert (refused.code, refused.out) == (2, "")
    assert "one decision at a time, not --resend and --give-up" in refused.err
    assert len(bulk("resolve", "campaign.toml", "--json", cwd=tmp_path, **doubt).json["unknown"]) == 2


# What is kept at AWS: every command that reads it can be told Region and profile


class OptedOut(BaseHTTPRequestHandler):
    """End User Messaging, with an opt-out list of one number."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        number = {"OptedOutNumber": phone(1), "OptedOutTimestamp": 0, "EndUserOptedOut": True}
        content = json.dumps({"OptedOutNumbers": [number]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base spells it
        """Write nothing on the test's output."""


@pytest.fixture(scope="module")
def opt_outs() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OptedOut) as http:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_an_opt_out_list_is_read_where_it_is_told_and_nobody_on_it_is_planned_or_written_to(
    tmp_path: Path, opt_outs: str, sandbox: Service
) -> None:
    campaign(tmp_path, text=CAMPAIGN.replace("[list]", '[list]\nopt_out_list = "Default"'))
    env = {**KEYS, "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": opt_outs}
    words = "campaign.toml", "--region", "us-west-2", "--json"
    plan = bulk("check", *words, cwd=tmp_path, **env).json
    assert (plan["rows"], plan["sendable"]) == (3, 2)
    assert [reason["code"] for reason in plan["reasons"] if reason["code"]] == ["suppressed"]
    sent = bulk("send", *words, "--yes", "--endpoint-url", sandbox.url, cwd=tmp_path, **env).json
    assert (sent["sent"], sent["skipped"]) == (2, 1)
    assert sorted(contact["Destination"] for contact in sandbox.contacts) == [phone(0), phone(2)]


@pytest.mark.parametrize("reach", [("--region", "us-west-2"), ("--profile", "sender")])
def test_a_list_in_s3_is_read_by_every_command_that_shows_a_run(
    tmp_path: Path, s3: str, reach: tuple[str, str]
) -> None:
    campaign(tmp_path, text=CAMPAIGN.replace("contacts.csv", "s3://campaigns/today.csv"))
    (tmp_path / "config").write_text(
        "[profile sender]\nregion = us-west-2\naws_access_key_id = key\naws_secret_access_key = secret\n"
    )
    env = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ENDPOINT_URL_S3": s3}
    env |= KEYS if "--region" in reach else {}
    words = ["campaign.toml", *reach, "--sandbox", "--json"]
    assert bulk("send", *words, cwd=tmp_path, **env).json["sent"] == 3
    results = bulk("results", *words, "-o", "results.csv", cwd=tmp_path, **env)
    assert (results.code, len((tmp_path / "results.csv").read_text().splitlines())) == (0, 4)
    report = bulk("report", *words, "-o", "report.html", cwd=tmp_path, **env)
    assert (report.code, "cannot be read" in report.err) == (0, False)
    assert bulk("resolve", *words, cwd=tmp_path, **env).json["unknown"] == []
