"""The commands as processes, against a sandbox in another process."""

import csv
import json
import re
import signal
import subprocess
import tomllib
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, SUMMARY, Service, at, bulk, campaign, end_of, environment, phone, program, started

import bulk as api
from bulk.channels import CHANNELS
from bulk.model import mask

CREEPING = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 2\nburst = 1")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_send_ends_with_contact_ids_and_sent_again_sends_nothing(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=20)
    first = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    again = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (first.code, again.code) == (0, 0)
    assert list(first.json) == SUMMARY
    assert first.out.count("\n") == 1
    assert (first.json["sent"], first.json["calls"], again.json["sent"], again.json["calls"]) == (20, 20, 20, 0)
    results = rows_of(tmp_path / "results" / "reminders-default.csv")
    assert first.json["results"] == "results/reminders-default.csv"
    assert {row["contact_id"]: row["destination"] for row in results} == {
        contact["ContactId"]: contact["Destination"] for contact in sandbox.contacts
    }


def test_a_send_shows_the_first_rows_the_troubles_and_what_to_type_next(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=4)
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("0004,call reception,Bo\x1b[31m,2027-01-12\n")
    sandbox.faults({"fault": "error", "code": "InvalidRequestException", "destinations": [phone(1)]})
    ended = bulk("send", "campaign.toml", "--run", "two", cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.out) == (1, "")
    lines = ended.err.splitlines()
    assert lines[0].split() == ["line", "key", "destination", "status", "contact", "id,", "or", "why", "not"]
    assert lines[1].split()[:4] == ["2", "0000", mask(phone(0)), "sent"]
    assert {"  1 rejected: InvalidRequestException", "  1 refused: invalid_phone"} <= set(lines)
    assert "reminders, run two: 5 rows: 3 sent, 1 refused, 1 rejected" in lines
    assert "results: results/reminders-two.csv" in lines
    again = "python -m bulk send campaign.toml --run two --only"
    assert [line.rpartition(": ")[2] for line in lines[-2:]] == [f"{again} refused", f"{again} rejected"]
    assert max(map(len, lines[: lines.index("results: results/reminders-two.csv")])) <= 100


def test_only_a_run_of_which_nothing_is_left_says_that_there_is_nothing_to_do(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    bulk("send", "campaign.toml", "--limit", "2", cwd=tmp_path, **at(sandbox.url))
    part = bulk("send", "campaign.toml", "--dry-run", cwd=tmp_path, **at(sandbox.url))
    assert "2 rows were sent before" in part.err
    assert "nothing to do" not in part.err
    bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
    whole = bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
    assert re.search("nothing to do: 3 rows were sent before, the last at 20", whole.err)


def test_the_rows_that_were_rejected_are_sent_again_alone(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=4)
    sandbox.faults({"fault": "error", "code": "InvalidRequestException", "destinations": [phone(1)]})
    assert bulk("send", "campaign.toml", "--quiet", cwd=tmp_path, **at(sandbox.url)).code == 1
    sandbox.faults()
    ended = bulk("send", "campaign.toml", "--only", "rejected", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.json["sent"], ended.json["calls"]) == (0, 4, 1)


def test_quiet_says_nothing_where_all_is_well(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--quiet", cwd=tmp_path, **at(sandbox.url))
    assert ended == (0, "", "")


def test_a_limit_leaves_the_rest_for_the_next_time(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=5)
    ended = bulk("send", "campaign.toml", "--limit", "2", cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, len(sandbox.contacts)) == (4, 2)
    assert "to go on with the rest: python -m bulk send campaign.toml" in ended.err


def test_a_time_that_is_over_ends_with_4(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=9, text=CREEPING)
    ended = bulk("send", "campaign.toml", "--max-duration", "700ms", "--json", cwd=tmp_path, **at(sandbox.url))
    assert ended.code == 4
    assert (ended.json["sent"] + ended.json["pending"], ended.json["halted"]) == (9, None)
    assert 0 < ended.json["sent"] == len(sandbox.contacts) < 9


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_ends_it_and_nothing_is_started_after(
    tmp_path: Path, sandbox: Service, number: signal.Signals, code: int
) -> None:
    campaign(tmp_path, rows=30, text=CREEPING)
    sandbox.faults({"fault": "delay", "seconds": 1.2})
    with started("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(2, process)  # a call has just gone out; the next one is half a second away
        process.send_signal(number)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"{number.name}: finishing what is in flight")
        then = sandbox.received()
        ended = end_of(process)
    assert ended.code == code
    assert sandbox.received() == then == ended.json["sent"] == len(sandbox.contacts)
    assert (ended.json["unknown"], ended.json["pending"]) == (0, 30 - then)
    assert len(rows_of(tmp_path / "results" / "reminders-default.csv")) == 30


def test_a_second_signal_leaves_at_once_and_says_how_to_go_on(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=30, text=CREEPING)
    sandbox.faults({"fault": "hang"})
    with started("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(1, process)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("SIGTERM: finishing what is in flight")
        process.send_signal(signal.SIGHUP)
        ended = end_of(process)
    assert ended.code == 143
    assert "What was in flight is in doubt, and settled by: python -m bulk send campaign.toml" in ended.err


def test_who_ignores_a_lost_terminal_keeps_that(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=4, text=CREEPING)
    words = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *program("send", "campaign.toml", "--json")]
    with subprocess.Popen(
        words,
        cwd=tmp_path,
        env=environment(**at(sandbox.url)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        sandbox.wait_for(1, process)
        process.send_signal(signal.SIGHUP)
        ended = end_of(process)
    assert (ended.code, ended.json["sent"]) == (0, 4)


def test_a_run_in_progress_is_told_of_and_left_alone_by_others(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=60, text=CREEPING)
    with started("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(1, process)
        status = bulk("status", "campaign.toml", cwd=tmp_path)
        assert (status.code, status.err) == (0, "")
        assert f"being sent by process {process.pid} on " in status.out
        second = bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
        assert (second.code, second.out) == (75, "")
        assert f"process {process.pid} on " in second.err
        decision = bulk("resolve", "campaign.toml", "--give-up", cwd=tmp_path)
        assert (decision.code, decision.out) == (75, "")
        results = bulk("results", "campaign.toml", "-o", "now.ndjson", cwd=tmp_path)
        assert (results.code, results.out, results.err) == (0, "now.ndjson\n", "")
        now = [json.loads(line)["status"] for line in (tmp_path / "now.ndjson").read_text().splitlines()]
        assert (len(now), {"sent", "pending"} <= set(now)) == (60, True)
        assert process.stderr is not None
        line = process.stderr.readline()  # after ten seconds
        assert re.search(
            r"\d+ of 60 rows \(\d+%\): \d+ sent, 0 failed, .*\d\.\d/s of \d+/s, 0 throttled, ends .* left", line
        )
        process.terminate()
        assert end_of(process).code == 143
    assert "being sent" not in bulk("status", "campaign.toml", cwd=tmp_path).out


def test_status_needs_no_list(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    sent = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url))
    (tmp_path / "contacts.csv").unlink()
    told = bulk("status", "campaign.toml", cwd=tmp_path)
    assert (told.code, told.out) == (0, "reminders, run default: 3 rows: 3 sent\n3 calls so far, 0 throttled\n")
    counted = bulk("status", "campaign.toml", "--json", cwd=tmp_path)
    unlike = {name for name in SUMMARY if counted.json[name] != sent.json[name]}
    assert (list(counted.json), unlike) == (SUMMARY, {"results", "seconds"})


def test_a_dry_run_makes_no_call_and_leaves_no_ledger(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--dry-run", "--json", cwd=tmp_path, **at(sandbox.url))
    assert (ended.code, ended.json["pending"], ended.json["results"]) == (0, 3, None)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"contacts.csv", "campaign.toml"}
    named = bulk("send", "campaign.toml", "--dry-run", "--results", "plan.csv", cwd=tmp_path)
    assert named.code == 0
    assert [row["status"] for row in rows_of(tmp_path / "plan.csv")] == ["pending"] * 3
    assert sandbox.received() == 0


def test_results_that_cannot_be_written_do_not_hide_what_was_sent(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    sandbox.faults({"fault": "delay", "seconds": 0.5})
    with started("send", "campaign.toml", "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(1, process)
        (tmp_path / "results" / "reminders-default.csv").mkdir(parents=True)
        ended = end_of(process)
    assert (ended.code, ended.json["sent"], ended.json["results"]) == (1, 3, None)
    assert "reminders-default.csv: the results cannot be written" in ended.err


def test_all_of_stderr_can_be_json(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--log-format", "json", cwd=tmp_path, **at(sandbox.url))
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert (ended.code, {"at", "level", "message"} <= set(lines[0])) == (0, True)
    assert any("3 rows: 3 sent" in line["message"] for line in lines)
    wrong = bulk("send", "other.toml", "--log-format", "json", cwd=tmp_path, **at(sandbox.url))
    assert json.loads(wrong.err)["level"] == "error"


def test_every_option_that_is_no_file_can_come_from_the_environment(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path, rows=3)
    given = {
        "BULK_RUN": "night",
        "BULK_STATE_DIR": str(tmp_path / "state"),
        "BULK_LIMIT": "2",
        "BULK_JSON": "1",
        "BULK_QUIET": "1",
        "BULK_OUTCOMES_ONLY": "1",
    }
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url), **given)
    assert (ended.code, ended.json["run"], ended.json["sent"], ended.err) == (4, "night", 2, "")
    assert (tmp_path / "state" / "ledger.db").exists()
    assert "name" not in rows_of(tmp_path / "results" / "reminders-night.csv")[0]


def test_a_check_with_refused_rows_ends_with_1_and_sends_nothing(tmp_path: Path) -> None:
    campaign(tmp_path)
    good = bulk("check", "campaign.toml", "--json", cwd=tmp_path)
    assert (good.code, good.json["rows"], good.json["sendable"], good.err) == (0, 3, 3, "")
    assert good.json["previews"][0]["texts"] == {"InitialSystemMessage.Content": "Hi Ann, see you on 2027-01-12."}
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("0003,call reception,Bo,2027-01-12\n")
    bad = bulk("check", "campaign.toml", cwd=tmp_path)
    assert (bad.code, bad.err) == (1, "")
    assert "  1 refused: invalid_phone\n    line 5, key '0003': call…on has letters" in bad.out


def test_a_check_says_where_the_rows_go_and_what_was_seen_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Id,ChannelType,Address\n1,SMS,+12065550100\n2,SMS,+12065550101\n3,EMAIL,x\n")
    bulk("init", "sms", ".", "--from", "people.csv", cwd=tmp_path)
    lines = bulk("check", "people.toml", cwd=tmp_path).out.splitlines()
    assert {"countries: US 2", "time zones: America/Los_Angeles 2"} <= set(lines)
    assert [line for line in lines if re.fullmatch(r"begun now, it ends about \d{4}-\d\d-\d\d \d\d:\d\d UTC", line)]
    assert "note: read as Amazon Pinpoint segment, rows of other channels by ChannelType left out" in lines


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_starter_runs_as_it_is(tmp_path: Path, channel: str) -> None:
    begun = bulk("init", channel, "mine", cwd=tmp_path)
    assert (begun.code, begun.out) == (0, "mine/campaign.toml\nmine/contacts.csv\n")
    assert begun.err == "to try it: python -m bulk send mine/campaign.toml --sandbox\n"
    ended = bulk("send", "mine/campaign.toml", "--sandbox", "--rate", "50", "--json", cwd=tmp_path)
    named = tomllib.loads((tmp_path / "mine" / "campaign.toml").read_text())["name"]
    assert (ended.code, ended.json["campaign"]) == (0, named)
    assert ended.json["rows"] == ended.json["sent"] > 0
    assert "a rehearsal, nothing was sent. To send: python -m bulk send mine/campaign.toml --rate 50" in ended.err


async def test_python_finds_the_run_that_a_process_sent(tmp_path: Path, sandbox: Service) -> None:
    path = campaign(tmp_path)
    bulk("send", "campaign.toml", cwd=tmp_path, **at(sandbox.url))
    run = await api.status(path)
    assert (run.summary.sent, run.sender, run.results()["status"].to_list()) == (3, None, ["sent"] * 3)


def test_the_environment_of_these_tests_has_no_aws_settings() -> None:
    assert [name for name in environment() if name.startswith("AWS_") and name != "AWS_EC2_METADATA_DISABLED"] == []
