"""A campaign is bounded before it is parsed, and what it holds before it is walked: each bound is a sentence."""

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from cli_runs import CAMPAIGN, bulk, campaign

from bulk.campaign import Campaign, load
from bulk.campaign.bounds import HIGHEST, LARGEST
from bulk.errors import CampaignError
from bulk.run.options import Options

START = 'name = "reminder"\nchannel = "sms"\n'
REQUEST = START + 'request = "request.{}"\n'
SOON = 5.0  # seconds, on a machine that has much else to do


def trouble(path: Path) -> str:
    """Return the sentence that a campaign is refused with, soon."""
    began = time.process_time()
    with pytest.raises(CampaignError) as caught:
        load(path)
    assert time.process_time() - began < SOON
    assert len(str(caught.value)) < 1500 or "\n" in str(caught.value)
    return str(caught.value)


def written(folder: Path, text: str, request: str = "", suffix: str = "json") -> Path:
    (folder / f"request.{suffix}").write_text(request)
    (folder / "campaign.toml").write_text(text)
    return folder / "campaign.toml"


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def plug(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as open_socket:
        open_socket.bind(str(path))


def endless(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # a sparse file of 10 GB


def binary(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))


NO_FILES = {
    "folder": (folder, "cannot be read: Is a directory"),
    "pipe": (pipe, "pipe and no file"),
    "device": (device, "device and no file"),
    "socket": (plug, "cannot be read: No such device"),
    "endless": (endless, "larger than 8 MB"),
    "binary": (binary, "not UTF-8"),
}


@pytest.mark.parametrize("make, told", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_campaign_file_is_a_sentence(tmp_path: Path, make: Any, told: str) -> None:
    make(tmp_path / "x")
    assert told in trouble(tmp_path / "x")
    path = written(tmp_path, START + 'request = "x"\n')
    assert told in trouble(path)


def test_a_device_as_campaign_ends_with_2(tmp_path: Path) -> None:
    for words in ("send", "/dev/zero", "--sandbox"), ("check", "/dev/zero"), ("status", "/dev/zero"):
        ended = bulk(*words, cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert "/dev/zero: cannot be read: it is a device and no file" in ended.err


def test_a_file_of_exactly_the_bound_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, START)
    with path.open("a") as file:
        file.write("#" + "x" * (LARGEST - path.stat().st_size - 1))
    assert load(path)[0].name == "reminder"


DEEP = 100_000
NESTED = {
    "arrays": START + "x = " + "[" * DEEP,
    "closed arrays": START + "x = " + "[" * DEEP + "]" * DEEP,
    "few arrays": START + "[request]\nx = " + "[" * 60 + "]" * 60,
    "tables": START + "[request]\nx = " + "{a=" * DEEP,
    "a dotted key": START + "request." + "a." * DEEP + "b = 1",
    "a dotted header": START + "[request." + "a." * DEEP + "b]",
    "a dotted key in a table": START + "request = { " + "a . " * DEEP + "b = 1 }",
    "a long number": START + "[pacing]\nburst = " + "9" * 5000,
    "many values": START + "[request]\nx = [" + "1," * 150_000 + "]",
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_toml_that_is_too_much_is_a_sentence(tmp_path: Path, text: str) -> None:
    assert "not TOML" in trouble(written(tmp_path, text))


JSON = {
    "arrays": '{"x": ' + "[" * DEEP + "]" * DEEP + "}",
    "objects": '{"x": ' * DEEP + "1" + "}" * DEEP,
    "fewer": '{"x": ' * 60 + "1" + "}" * 60,
    "a long number": '{"x": ' + "9" * 5000 + "}",
    "cut short": '{"x": ',
}


@pytest.mark.parametrize("text", JSON.values(), ids=JSON)
def test_json_that_is_too_much_is_a_sentence(tmp_path: Path, text: str) -> None:
    assert "request.json: not JSON" in trouble(written(tmp_path, REQUEST.format("json"), text))


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGED = "a0: &a0 {x: 1, y: 2}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)
YAML = {
    "lists": "x: " + "[" * 2000,
    "maps": "x: " + "{a: " * 2000,
    "indents": "".join(" " * n + "a:\n" for n in range(700)),
    "aliases": LAUGHS,
    "merges": MERGED,
    "itself": "x: &x [*x]",
    "itself in a map": "x: &x {y: {z: *x}}",
    "a long number": "x: " + "9" * 5000,
    "a tag": "x: !!python/object/apply:os.system ['true']",
}


@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_yaml_that_is_too_much_is_a_sentence(tmp_path: Path, text: str) -> None:
    assert "request.yaml: not YAML" in trouble(written(tmp_path, REQUEST.format("yaml"), text, "yaml"))


def test_yaml_may_use_aliases(tmp_path: Path) -> None:
    text = "Attributes: &a {x: one}\nReferences: {r: {Value: *a, <<: *a}}\n"
    read, _ = load(written(tmp_path, REQUEST.format("yaml"), text, "yaml"))
    assert read.request == {"Attributes": {"x": "one"}, "References": {"r": {"Value": {"x": "one"}, "x": "one"}}}


HUGE = "9" * 400
NUMBERS = {
    f"{key} = {value}": (table, key, value)
    for table, key in (
        ("pacing", "rate"),
        ("pacing", "burst"),
        ("pacing", "at_once"),
        ("pacing", "parts_per_second"),
        ("hold", "open_contacts"),
        ("hold", "open_for"),
        ("retry", "attempts"),
        ("retry", "longest_wait"),
        ("stop", "same_error_in_a_row"),
        ("stop", "failure_share"),
        ("stop", "grace"),
        ("caps.sms", "at_most"),
        ("caps.sms", "within"),
    )
    for value in (HUGE, "1e300", "inf", "-inf", "nan", "-1", f'"{HUGE}s"', '"1e300"')
}


@pytest.mark.parametrize("table, key, value", NUMBERS.values(), ids=NUMBERS)
def test_a_number_out_of_all_bounds_is_named_with_its_line(tmp_path: Path, table: str, key: str, value: str) -> None:
    beside = {"at_most": 'within = "1d"', "within": "at_most = 1"}.get(key, "")
    told = trouble(written(tmp_path, f"{START}[{table}]\n{key} = {value}\n{beside}\n"))
    assert f"campaign.toml:4: [{table}] {key}: " in told


@pytest.mark.parametrize("value", ['"1e300"', "1e300", "inf", "nan", "-5", HUGE, f'"{HUGE}d"', '"-5s"', '"99999999d"'])
def test_an_expiry_out_of_all_bounds_is_named_with_its_line(tmp_path: Path, value: str) -> None:
    assert "campaign.toml:3: expires: " in trouble(written(tmp_path, f"{START}expires = {value}\n"))


WINDOWS = [{"per_second": float("inf")}, {"per_day": 1e-300}, {"per_hour": 1e300}, {"per_second": 1, "burst": 10**400}]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_windows_are_bounded_too(window: dict[str, Any]) -> None:
    with pytest.raises(CampaignError, match=r"pacing\.rate"):
        Campaign(name="a", channel="sms", pacing={"rate": [window]})


def test_a_holiday_does_not_last_for_ever(tmp_path: Path) -> None:
    told = trouble(written(tmp_path, START + '[hours]\nholidays = ["0001-01-01/9999-12-31"]\n'))
    assert "campaign.toml:4: [hours] holidays: '0001-01-01/9999-12-31' is longer than ten years" in told


def test_a_number_that_python_will_not_write_is_told_all_the_same() -> None:
    with pytest.raises(CampaignError, match="digits"):
        Campaign(name="a", channel="sms", pacing={"burst": 10**5000})


def test_the_highest_are_taken() -> None:
    pacing = {"rate": HIGHEST, "burst": HIGHEST, "at_once": HIGHEST, "parts_per_second": HIGHEST}
    assert Campaign(name="a", channel="sms", pacing=pacing).pacing.rate == HIGHEST


TEMPLATES = {
    "brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "lists": "{{ " + "[" * 50_000 + " }}",
    "ifs": "{% if name %}" * 3000 + "{% endif %}" * 3000,
    "fors": "{% for a in name %}" * 200 + "{% endfor %}" * 200,
    "filters": "{{ name" + "|lower" * 5000 + " }}",
    "sums": "{{ name" + " ~ name" * 20_000 + " }}",
    "nots": "{{ " + "not " * 5000 + "name }}",
    "attributes": "{{ name" + ".a" * 5000 + " }}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_that_is_nested_too_deeply_is_a_sentence(tmp_path: Path, template: str) -> None:
    text = CAMPAIGN.replace("Hi {{ name }}, see you on {{ date }}.", template)
    campaign(tmp_path, text=text)
    ended = bulk("check", "campaign.toml", cwd=tmp_path)
    assert ended.code in {1, 2}  # or it can be rendered, and makes no message
    assert len(ended.err) < 3000


OPTIONS: list[dict[str, Any]] = [
    {"rate": 1e300},
    {"burst": 10**400},
    {"burst": 10**5000},
    {"at_once": 10**9},
    {"limit": 10**400},
    {"max_duration": 1e300},
    {"read_timeout": 1e300},
    {"rate_share": 2.0},
]


@pytest.mark.parametrize("given", OPTIONS, ids=lambda given: next(iter(given)))
def test_an_option_out_of_all_bounds_is_a_sentence(given: dict[str, Any]) -> None:
    with pytest.raises(CampaignError, match="must be at most") as caught:
        Options.of(given)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("share", ["1e999999999", "1/1e9", "1" * 5000, "-1", "nan", "2", "1/0", ""])
def test_a_share_that_is_none_is_refused_at_once(tmp_path: Path, share: str) -> None:
    campaign(tmp_path)
    ended = bulk("check", "campaign.toml", "--rate-share", share, cwd=tmp_path)
    assert ended.code == 2
    assert "--rate-share" in ended.err


def test_of_many_troubles_the_first_are_told_and_the_rest_are_counted(tmp_path: Path) -> None:
    told = trouble(written(tmp_path, START + "".join(f"key_{n} = {n}\n" for n in range(2000))))
    assert "campaign.toml:3: key_0: no such key" in told
    assert told.endswith("campaign.toml: and 1,980 more")
