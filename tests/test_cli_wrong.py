"""What a person gets wrong: a sentence that names it and the remedy, the right exit code, nothing sent."""

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cli_runs import CAMPAIGN, Ended, Service, at, bulk, campaign, environment, program

NOWHERE = "http://127.0.0.1:9"


def nothing_was_sent(ended: Ended, *told: str) -> None:
    assert ended.out == ""
    assert [words for words in told if words not in ended.err] == []
    assert len(ended.err) < 2000


# A campaign or a list that is wrong: how, and what is said of it.
Wrong = Callable[[Path], object]


def edited(old: str, new: str) -> Wrong:
    assert old in CAMPAIGN
    return lambda folder: campaign(folder, text=CAMPAIGN.replace(old, new))


def listed(content: bytes) -> Wrong:
    return lambda folder: (folder / "contacts.csv").write_bytes(content)


def a_parquet_file_cut_short(folder: Path) -> None:
    pl.DataFrame({"id": ["1"] * 99, "phone": ["+12065550100"] * 99}).write_parquet(folder / "whole.parquet")
    whole = (folder / "whole.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    campaign(folder, text=CAMPAIGN.replace("contacts.csv", "cut.parquet"))


WRONG: dict[str, tuple[Wrong, tuple[str, ...]]] = {
    "a column that the list lacks": (edited("{{ name }}", "{{ nmae }}"), ("campaign.toml:13", "'nmae'", "'name'")),
    "an unknown key": (edited("[retry]\nattempts", "[retry]\nattemps"), ("campaign.toml", "attemps", "attempts")),
    "an unknown parameter": (edited("ContactFlowId", "ContactFlow"), ("campaign.toml", "ContactFlow")),
    "a wrong type": (edited("burst = 500", 'burst = "many"'), ("campaign.toml", "burst", "many")),
    "an unknown channel": (edited('"sms"', '"pigeon"'), ("campaign.toml", "pigeon", "sms, whatsapp, email")),
    "no TOML": (edited("[retry]", "[retry"), ("campaign.toml", "not TOML", "line")),
    "a key column that the list lacks": (edited('key = "id"', 'key = "ident"'), ("ident", "id")),
    "a list that is not there": (edited("contacts.csv", "people.csv"), ("people.csv",)),
    "a list of no name": (edited('"contacts.csv"', '""'), ("campaign.toml:4", "contacts", "is empty")),
    "a list on the web": (
        edited('"contacts.csv"', '"https://lists.example/contacts.csv"'),
        ("https://lists.example/contacts.csv", "download"),
    ),
    "a rate without end": (edited("rate = 500", "rate = inf"), ("campaign.toml", "rate", "inf")),
    "an empty list": (listed(b""), ("contacts.csv",)),
    "a header alone": (listed(b"id,phone,name,date\n"), ("contacts.csv", "no rows")),
    "no CSV at all": (
        listed(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0" + bytes(range(256)) * 9),
        ("contacts.csv",),
    ),
    "a Parquet file cut short": (a_parquet_file_cut_short, ("cut.parquet",)),
}


@pytest.mark.parametrize("wrong, told", WRONG.values(), ids=WRONG)
def test_a_wrong_campaign_or_list_stops_before_anything_is_sent(
    tmp_path: Path, wrong: Wrong, told: tuple[str, ...]
) -> None:
    campaign(tmp_path)
    wrong(tmp_path)
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **at(NOWHERE))
    assert ended.code == 2, ended
    nothing_was_sent(ended, "bulk: ", *told)


SEND = "send", "campaign.toml"
TEST = "test", "campaign.toml", "--row", "1"
OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]] = {
    "no terminal and no --yes": (SEND, {}, ("--yes", "--sandbox")),
    "no such campaign": (("send", "other.toml", "--yes"), {}, ("other.toml", "No such file")),
    "no Region": (
        (*SEND, "--yes"),
        {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
        ("--region", "AWS_REGION"),
    ),
    "a Region that is none": (SEND, at(NOWHERE, region="us west"), ("us west", "--region")),
    "an endpoint that is none": (SEND, at("here"), ("here", "--endpoint-url")),
    "a profile that is none": ((*SEND, "--profile", "mine"), at(NOWHERE), ("mine", "--profile")),
    "certificates that are none": (
        (*SEND, "--ca-bundle", "ca.pem"),
        at("https://127.0.0.1:9"),
        ("ca.pem", "--ca-bundle"),
    ),
    "a rate that is none": ((*SEND, "--rate", "fast"), {}, ("--rate", "'fast'", "auto")),
    "a rate of nothing": ((*SEND, "--rate", "0"), {}, ("--rate", "above 0")),
    "a rate without end": ((*SEND, "--rate", "inf"), {}, ("rate", "above 0")),
    "a run that climbs out of its folder": (
        (*SEND, "--run", "/../../evil", "--sandbox"),
        {},
        ("'/../../evil'", "letters, digits"),
    ),
    "a run without a name": ((*SEND, "--run", "", "--sandbox"), {}, ("''", "letters, digits")),
    "a run of a long name": ((*SEND, "--run", "x" * 300, "--sandbox"), {}, ("up to 100",)),
    "a rate of the environment": (SEND, {"BULK_RATE": "-1"}, ("BULK_RATE", "above 0")),
    "a share that is none": ((*SEND, "--rate-share", "3/2"), {}, ("--rate-share", "1/3")),
    "a duration that is none": ((*SEND, "--max-duration", "soon"), {}, ("--max-duration", "2h30m")),
    "results of another suffix": (
        (*SEND, "--results", "sent.txt"),
        at(NOWHERE),
        ("sent.txt", ".csv, .parquet, .ndjson"),
    ),
    "results in no folder": ((*SEND, "--results", "campaign.toml/sent.csv"), at(NOWHERE), ("sent.csv", "--results")),
    "a state directory that is a file": ((*SEND, "--state-dir", "campaign.toml"), {}, ("--state-dir",)),
    "a status of nothing": (("status", "campaign.toml"), {}, ("no ledger", "--state-dir")),
    "results of nothing": (("results", "campaign.toml", "-o", "x.csv"), {}, ("no ledger", "--state-dir")),
    "unknown rows of nothing": (("resolve", "campaign.toml", "--resend"), {}, ("no ledger", "--state-dir")),
    "a row without a decision": (("resolve", "campaign.toml", "--row", "1"), {}, ("--row", "--give-up")),
    "a channel that is none": (("init", "pigeon"), {}, ("pigeon", "sms")),
    "neither a channel nor a list": (("init",), {}, ("CHANNEL (sms, whatsapp, email, inbound-email)", "--from LIST")),
    "a channel that is none for a list": (
        ("init", "fax", "x", "--from", "contacts.csv"),
        {},
        ("'fax'", "sms, whatsapp"),
    ),
    "a list that is not there": (("init", "--from", "contact.csv"), {}, ("contact.csv", "'contacts.csv'")),
    "a list without addresses": (("init", "email", "--from", "contacts.csv"), {}, ("contacts.csv", "phone", "rename")),
    "a campaign where one is": (
        ("init", "sms", "."),
        {},
        ("campaign.toml", "another folder"),
    ),
    "a test that nobody was asked about": ((*TEST, "--to", "+12065550100"), {}, ("--yes", "--sandbox")),
    "a test of a row that is none": (
        ("test", "campaign.toml", "--row", "99", "--to", "+12065550100", "--sandbox"),
        {},
        ("--row 99", "no such row"),
    ),
    "a test to nobody": ((*TEST, "--to", "reception", "--sandbox"), {}, ("--to", "letters")),
    "a test of no row": (("test", "campaign.toml", "--to", "+12065550100", "--sandbox"), {}, ("--row",)),
    "faults that are none": (("sandbox", "--port", "0", "--faults", "campaign.toml"), {}, ("faults", "name")),
    "faults that are not there": (("sandbox", "--port", "0", "--faults", "bad.toml"), {}, ("bad.toml",)),
    "a port that is none": (("sandbox", "--port", "99999"), {}, ("--port",)),
    "a command that is none": (("chek",), {}, ("'check'",)),
}


@pytest.mark.parametrize("words, env, told", OPTIONS.values(), ids=OPTIONS)
def test_a_wrong_option_stops_before_anything_is_sent(
    tmp_path: Path, words: tuple[str, ...], env: dict[str, str], told: tuple[str, ...]
) -> None:
    campaign(tmp_path)
    ended = bulk(*words, cwd=tmp_path, **env)
    assert ended.code == 2, ended
    nothing_was_sent(ended, *told)


def test_it_does_not_start_where_there_are_no_credentials(tmp_path: Path) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--yes", "--region", "us-east-1", cwd=tmp_path)
    assert ended.code == 2
    nothing_was_sent(ended, "no usable AWS credentials", "AWS_PROFILE")


def test_it_halts_where_nothing_answers_at_the_endpoint(tmp_path: Path) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(NOWHERE))
    assert ended.code == 3
    assert (ended.json["pending"], ended.json["sent"]) == (3, 0)
    assert "127.0.0.1:9" in ended.json["halted"]
    assert "once that is fixed, to go on with the rest: python -m bulk send campaign.toml" in ended.err


def test_it_halts_where_another_service_answers_at_the_endpoint(tmp_path: Path, sandbox: Service) -> None:
    campaign(tmp_path)
    ended = bulk("send", "campaign.toml", "--json", cwd=tmp_path, **at(f"{sandbox.url}/_sandbox"))
    assert ended.code == 3
    assert (ended.json["pending"], ended.json["rejected"]) == (3, 0)
    assert "404: not an answer of AWS" in ended.json["halted"]
    assert "--endpoint-url" in ended.json["halted"]


@pytest.mark.parametrize("variable", ["BULK_ENDPOINT_URL", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CONNECT"])
def test_plain_http_to_another_machine_is_refused_unless_it_is_allowed(tmp_path: Path, variable: str) -> None:
    campaign(tmp_path)
    env = {**at(""), variable: "http://connect.invalid"}
    if variable != "BULK_ENDPOINT_URL":
        del env["BULK_ENDPOINT_URL"]
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **env)
    assert ended.code == 2
    nothing_was_sent(ended, "http://connect.invalid: without TLS", "--allow-http")
    allowed = bulk("send", "campaign.toml", "--allow-http", "--json", cwd=tmp_path, **env)
    assert allowed.code == 3
    assert "EndpointConnectionError" in allowed.json["halted"]


@pytest.mark.parametrize("wrong", ["folder", "missing.pem", "text.pem"])
def test_a_ca_bundle_of_the_environment_that_is_none_is_named(tmp_path: Path, wrong: str) -> None:
    campaign(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.pem").write_text("no certificate")
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **at(NOWHERE), AWS_CA_BUNDLE=str(tmp_path / wrong))
    assert ended.code == 2
    nothing_was_sent(ended, wrong, "Check AWS_CA_BUNDLE")


def test_a_proxy_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    campaign(tmp_path)
    env = {**at(""), "HTTPS_PROXY": "http://user:pass@proxy:80a"}
    del env["BULK_ENDPOINT_URL"]
    ended = bulk("send", "campaign.toml", cwd=tmp_path, **env)
    assert ended.code == 2
    nothing_was_sent(ended, "is no proxy", "HTTPS_PROXY")
    assert "pass" not in ended.err


def test_a_rehearsal_goes_through_no_proxy(tmp_path: Path) -> None:
    campaign(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        proxies = dict.fromkeys(names, url)
        ended = bulk("send", "campaign.toml", "--sandbox", "--json", cwd=tmp_path, **proxies)
        assert (ended.code, ended.json["sent"]) == (0, 3)
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_closed_stdin_is_nobody_to_be_asked(tmp_path: Path) -> None:
    campaign(tmp_path)
    closed = ["sh", "-c", '"$@" <&-', "sh", *program("send", "campaign.toml")]
    ended = subprocess.run(closed, cwd=tmp_path, env=environment(), check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    nothing_was_sent(Ended(ended.returncode, ended.stdout, ended.stderr), "nobody is there to be asked")


def test_a_service_that_never_answers_leaves_its_rows_unknown(tmp_path: Path) -> None:
    campaign(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = bulk("send", "campaign.toml", "--json", "--read-timeout", "0.3", cwd=tmp_path, **at(url))
    assert ended.code == 1
    assert (ended.json["unknown"], ended.json["sent"]) == (3, 0)
    assert "python -m bulk resolve campaign.toml" in ended.err


def test_a_test_message_is_not_sent_where_there_are_no_credentials(tmp_path: Path) -> None:
    campaign(tmp_path)
    ended = bulk(*TEST, "--to", "+12065550100", "--yes", "--region", "us-east-1", cwd=tmp_path)
    assert ended.code == 2
    nothing_was_sent(ended, "no usable AWS credentials")


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "campaign.toml").write_text("mine")
    ended = bulk("init", "sms", cwd=tmp_path)
    assert ended.code == 2
    nothing_was_sent(ended, "sms/campaign.toml", "another folder")
    assert (tmp_path / "sms" / "campaign.toml").read_text() == "mine"
