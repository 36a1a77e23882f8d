"""Starts and ends that nobody watches: times, locks, commands, metrics. It …"""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import anyio
import pytest
from cli_runs import CAMPAIGN, SUMMARY, Service, at, bulk, campaign, started

from bulk.cli.notice import Notice, Occasion
from bulk.errors import CampaignError
from bulk.ledger.lock import sole_sender
from bulk.reports.metrics import emf, prometheus
from bulk.run.options import Options
from bulk.run.run_name import dated
from bulk.run.start import moment, wait_to_start
from bulk.stop import Stop

NINE = datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 - by the clock of this machine


@pytest.mark.parametrize(
    "said, after",
    [
        ("09:00", timedelta()),
        ("8:57", timedelta(minutes=-3)),  # a scheduler is never on the second
        ("08:54", timedelta(days=1, minutes=-6)),
        ("09:00:30", timedelta(seconds=30)),
        ("2026-11-20T10:00", timedelta(hours=1)),
        ("2026-11-20", timedelta(hours=-9)),
    ],
)
def test_a_time_to_start_is_the_next_one_by_the_clock_of_the_machine(said: str, after: timedelta) -> None:
    assert moment(said, NINE.timestamp()) == (NINE + after).timestamp()


def test_a_time_with_an_offset_is_that_and_what_is_none_is_refused() -> None:
    assert moment("2026-11-20T09:00-07:00", 0.0) == datetime.fromisoformat("2026-11-20T16:00+00:00").timestamp()
    for said in ("soon", "25:00", "9", "2026-13-01"):
        with pytest.raises(CampaignError, match=r"start-at is .* and no time: write 09:00"):
            moment(said, 0.0)


def test_date_in_the_name_of_a_run_is_today() -> None:
    assert dated("news-{date}") == f"news-{datetime.now():%Y-%m-%d}"  # noqa: DTZ005 - likewise
    assert dated("default") == "default"


@pytest.mark.parametrize(
    "said, told",
    [
        ("success", "--on-exit success says when --notify-command runs: give that too, or 'success: COMMAND'"),
        ("1,3", "--on-exit 1,3 says when --notify-command runs"),
        ("sucess", "--on-exit 'sucess': write exit codes such as 1,3, or always, success, failure"),
    ],
)
def test_an_occasion_without_a_command_is_refused_before_anything_is_sent(
    tmp_path: Path, sandbox: Service, said: str, told: str
) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--on-exit", said, cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, sandbox.received()) == (2, 0)
    assert told in ended.err


@pytest.mark.parametrize(
    "command, on_exit, code, run",
    [
        ("tell", [], 0, ["tell"]),
        ("tell", ["1,3"], 0, []),
        ("tell", ["1,3"], 3, ["tell"]),
        ("tell", ["failure", "0"], 0, ["tell"]),
        ("tell", ["failure"], 75, ["tell"]),
        ("tell", ["success"], 1, []),
        ("tell", ["3: page me"], 3, ["tell", "page me"]),
        (None, ["3: page me", "always: log"], 1, ["log"]),
        (None, ["touch done"], 4, ["touch done"]),
        (None, ["failure"], 1, []),
    ],
)
def test_commands_are_run_at_the_exit_codes_that_are_named(
    command: str | None, on_exit: list[str], code: int, run: list[str]
) -> None:
    assert list(Notice([], "default", command, on_exit).commands(code)) == run


def test_a_command_with_a_colon_is_no_list_of_codes() -> None:
    assert Occasion.of("curl https://example.com/1") == Occasion("always", "curl https://example.com/1")


def test_metrics_have_the_form_that_prometheus_and_cloudwatch_read() -> None:
    run = {"campaign": 'a"b', "run": "x", "channel": "sms", "sent": 3, "rows": 3, "seconds": 1.5, "exit_code": 0}
    text = prometheus([run], 1e9)
    assert '# TYPE bulk_rows gauge\nbulk_rows{campaign="a\\"b",run="x",channel="sms",status="sent"} 3\n' in text
    assert all(line.startswith(("# HELP bulk_", "# TYPE bulk_", "bulk_")) for line in text.splitlines())
    line = json.loads(emf(run, 1e9))
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (line["_aws"]["Timestamp"], directive["Dimensions"]) == (10**12, [["campaign"]])
    assert all(isinstance(line[metric["Name"]], int | float) for metric in directive["Metrics"])


def test_the_summary_reaches_the_command_and_the_metrics_whichever_way_it_ends(
    tmp_path: Path, sandbox: Service
) -> None:
    campaign(tmp_path)
    told = ("--notify-command", "cat > told.json; test $BULK_EXIT_CODE = 0", "--metrics-file", "m.prom", "--emf")
    ended = bulk("send", "campaign.toml", "--json", *told, "--run", "{date}", cwd=tmp_path, **at(sandbox.url))
    summary = json.loads((tmp_path / "told.json").read_text())
    assert list(summary) == [*SUMMARY, "exit_code"]
    assert {**ended.json, "exit_code": 0} == summary
    assert summary["run"] == f"{datetime.now():%Y-%m-%d}"  # noqa: DTZ005 - likewise
    assert 'status="sent"} 3' in (tmp_path / "m.prom").read_text()
    assert [json.loads(line)["sent"] for line in ended.err.splitlines() if line.startswith('{"_aws"')] == [3]
    (tmp_path / "contacts.csv").unlink()
    ended = bulk("send", "campaign.toml", *told, cwd=tmp_path, **at(sandbox.url))
    assert ended.code == 2
    summary = json.loads((tmp_path / "told.json").read_text())
    assert summary["exit_code"] == 2
    assert "contacts.csv" in summary["halted"]
    assert "ended with 1" in ended.err
    assert "bulk_exit_code" in (tmp_path / "m.prom").read_text()


def test_who_sends_a_run_is_waited_for_and_tells_where_it_stands(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=200, text=CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 2\nburst = 1"))
    with started("send", "campaign.toml", "--quiet", cwd=tmp_path, **at(sandbox.url)) as first:
        while not list(tmp_path.rglob("*.progress")):
            assert first.poll() is None
            time.sleep(0.02)
        waited = bulk("send", "campaign.toml", "--lock-wait", "0.3", cwd=tmp_path, **at(sandbox.url))
        stands = bulk("status", "campaign.toml", "--json", cwd=tmp_path)
        in_words = bulk("status", "campaign.toml", cwd=tmp_path).out
    assert waited.code == 75
    assert "the run is being sent by process" in waited.err
    assert "waiting up to 0.3 s (--lock-wait)" in waited.err
    told = stands.json["progress"]
    assert (told["total"] in {None, 200}, told["permitted"], told["run"]) == (True, 2.0, "default")
    assert "this pass: " in in_words
    assert " of 2/s, 0 throttled" in in_words


async def test_it_begins_at_its_time_once_the_lock_is_free(tmp_path: Path) -> None:
    path = campaign(tmp_path)
    begun = time.time()
    options = Options(start_at=datetime.fromtimestamp(begun + 0.2, UTC), lock_wait=20.0)
    with sole_sender(tmp_path / ".bulk", "reminders", "default"):
        async with anyio.create_task_group() as group:
            group.start_soon(wait_to_start, [path], options, stop := Stop())
            await anyio.sleep(0.4)
            stop.ask("enough", 130)  # it heeds that at any time
    assert 0.3 < time.time() - begun < 10
    await wait_to_start([path], options, Stop())
    assert time.time() - begun < 15


def test_the_counts_are_sent_over_otlp(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk")
    bodies: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        campaign(tmp_path)
        url = f"http://127.0.0.1:{server.server_port}"
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "PYTHONWARNINGS": "ignore"}
        ended = bulk("send", "campaign.toml", "--sandbox", "--otel", cwd=tmp_path, **env)
        server.shutdown()
    assert ended.code == 0, ended.err
    assert [(path, b"bulk.rows" in body, b"reminders" in body) for path, body in bodies] == [
        ("/v1/metrics", True, True)
    ]
