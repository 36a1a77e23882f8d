"""`bulk send` with several campaigns, as a process, against a sandbox in another process."""

import json
import signal
from pathlib import Path

import pytest
from cli_runs import CAMPAIGN, SUMMARY, Service, at, bulk, contact_list, end_of, phone, started

from bulk.errors import ExitCode
from bulk.run.send import Run
from bulk.run.send_all import gravest
from bulk.run.summary import Summary

QUICK = CAMPAIGN
CREEPING = CAMPAIGN.replace("rate = 500\nburst = 500", "rate = 5\nburst = 1")


def campaigns(folder: Path, *names: str, rows: int = 4, text: str = QUICK) -> list[str]:
    """Write campaigns of one list."""
    (folder / "contacts.csv").write_text(contact_list(rows))
    for name in names:
        (folder / f"{name}.toml").write_text(text.replace("reminders", name))
    return [f"{name}.toml" for name in names]


def test_several_campaigns_are_sent_together_and_each_says_how_it_ended(tmp_path: Path, sandbox: Service) -> None:
    ended = bulk("send", *campaigns(tmp_path, "one", "two"), "--json", cwd=tmp_path, **at(sandbox.url))
    assert ended.code == 0
    assert [list(run) for run in ended.json["runs"]] == [[*SUMMARY, "exit_code"]] * 2
    assert [(run["campaign"], run["sent"], run["exit_code"]) for run in ended.json["runs"]] == [
        ("one", 4, 0),
        ("two", 4, 0),
    ]
    assert len(sandbox.contacts) == 8
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"one-default.csv", "two-default.csv"}


def test_several_campaigns_are_checked_and_looked_at_together(tmp_path: Path, sandbox: Service) -> None:
    names = campaigns(tmp_path, "one", "two")
    with (tmp_path / "other.csv").open("w") as file:
        file.write(contact_list(1) + "0001,call reception,Bo,2027-01-12\n")
    (tmp_path / "two.toml").write_text(QUICK.replace("reminders", "two").replace("contacts.csv", "other.csv"))
    checked = bulk("check", *names, "--json", cwd=tmp_path)
    assert (checked.code, [plan["campaign"] for plan in checked.json["plans"]]) == (1, ["one", "two"])
    assert bulk("check", names[0], "--json", cwd=tmp_path).json["campaign"] == "one"
    assert bulk("check", names[0], "missing.toml", cwd=tmp_path).code == 2
    bulk("send", *names, cwd=tmp_path, **at(sandbox.url))
    looked = bulk("status", *names, "--json", cwd=tmp_path)
    assert [(run["campaign"], run["sent"]) for run in looked.json["runs"]] == [("one", 4), ("two", 1)]
    shown = bulk("status", *names, cwd=tmp_path).out
    assert shown.index("one, run default: 4 rows") < shown.index("two, run default: 2 rows")


def test_what_to_type_next_names_the_campaign_that_it_is_for(tmp_path: Path, sandbox: Service) -> None:
    names = campaigns(tmp_path, "one", "two")
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("0004,call reception,Bo,2027-01-12\n")
    sandbox.faults({"fault": "error", "code": "InvalidRequestException", "destinations": [phone(1)]})
    ended = bulk("send", *names, cwd=tmp_path, **at(sandbox.url))
    assert ended.code == 1
    for name in ("one", "two"):
        assert f"{name}, run default: 5 rows: 3 sent, 1 refused, 1 rejected" in ended.err.splitlines()
        assert f"python -m bulk send {name}.toml --only rejected" in ended.err


def test_a_campaign_that_is_wrong_keeps_the_others_from_being_sent(tmp_path: Path, sandbox: Service) -> None:
    names = campaigns(tmp_path, "one", "two")
    (tmp_path / "two.toml").write_text(QUICK.replace("{{ name }}", "{{ nmae }}"))
    ended = bulk("send", *names, cwd=tmp_path, **at(sandbox.url))
    assert ended.code == 2
    assert "two.toml" in ended.err
    assert bulk("send", names[0], "missing.toml", cwd=tmp_path, **at(sandbox.url)).code == 2
    assert bulk("send", names[0], f"./{names[0]}", cwd=tmp_path, **at(sandbox.url)).code == 2
    assert sandbox.received() == 0


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_of_them_and_each_can_be_resumed(
    tmp_path: Path, sandbox: Service, number: signal.Signals, code: int
) -> None:
    names = campaigns(tmp_path, "one", "two", rows=30, text=CREEPING)
    sandbox.faults({"fault": "delay", "seconds": 0.5})
    with started("send", *names, "--json", cwd=tmp_path, **at(sandbox.url)) as process:
        sandbox.wait_for(3, process)
        process.send_signal(number)
        ended = end_of(process)
    told = json.loads(ended.out)["runs"]
    assert (ended.code, [run["exit_code"] for run in told]) == (code, [code, code])
    assert sum(run["sent"] for run in told) == len(sandbox.contacts) == sandbox.received()
    assert all((run["unknown"], run["pending"] + run["sent"]) == (0, 30) for run in told)


def test_lines_of_the_log_name_the_campaign(tmp_path: Path, sandbox: Service) -> None:
    names = campaigns(tmp_path, "one", "two", text=QUICK.replace("rate = 500", "rate = 20").replace("burst = 500", ""))
    options = ["--rate", "auto", "--rate-share", "1/2"]
    text = bulk("send", *names, *options, cwd=tmp_path, **at(sandbox.url))
    lines = [line.partition(" ")[2] for line in text.err.splitlines()]
    for name in ("one", "two"):
        assert any(line.startswith(f"{name}: --rate-share 0.5") for line in lines), text.err
    told = bulk("send", *names, *options, "--log-format", "json", "--run", "2", cwd=tmp_path, **at(sandbox.url))
    named = [(record.get("campaign"), record["message"]) for record in map(json.loads, told.err.splitlines())]
    assert {name for name, said in named if said.startswith("--rate-share")} == {"one", "two"}


def ended(code: int, calls: int) -> Run:
    summary = Summary("one", "1", "sms", 1, 0, 0, 0, 0, 0, 1, calls, 0, 0.0, None, None)
    return Run(summary, code, lambda: pytest.fail("nobody asks for results"))


def test_the_exit_code_of_the_process_is_the_gravest() -> None:
    assert {code for code in ExitCode if gravest([ended(0, 0), ended(code, 0)]) == code} == set(ExitCode)
    order = [143, 130, 3, 2, 75, 4, 1, 0]
    assert [gravest([ended(code, 0) for code in order[place:]]) for place in range(len(order))] == order


def test_no_exit_code_says_that_nothing_was_sent_after_a_call_went_out() -> None:
    assert gravest([ended(0, 5), ended(2, 0)]) == ExitCode.HALTED
    assert gravest([ended(0, 0), ended(2, 0)]) == ExitCode.NOT_STARTED
