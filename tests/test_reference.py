"""The documentation as the program knows it: the schema of a campaign, `bulk help`, `bulk docs`: it …"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_runs import bulk, bulk_as_module

from bulk.campaign import Campaign
from bulk.channels import CHANNELS
from bulk.reference import entries_of, names, pages, write_html
from bulk.reference.schema import campaign_schema

ROOT = Path(__file__).parents[1]
TAPLO = Path(sys.executable).parent / "taplo"
EXAMPLES = sorted((ROOT / "input_examples").glob("*/*.toml"))
SCHEMA = campaign_schema()
START = {"name": "x", "channel": "sms"}


@pytest.mark.parametrize("seed", ["1", "3"])
def test_the_examples_have_the_schema_of_today_beside_them_whatever_the_seed_of_hashes(
    tmp_path: Path, seed: str
) -> None:
    kept = (ROOT / "input_examples/campaign.schema.json").read_text("utf-8")
    assert bulk_as_module("schema", cwd=tmp_path, PYTHONHASHSEED=seed).out == kept
    assert json.loads(kept) == SCHEMA


def wrong(**campaign: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.json_path for error in validator.iter_errors({**START, **campaign})]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_example_keeps_to_the_schema(path: Path) -> None:
    said = json.loads(json.dumps(tomllib.loads(path.read_text("utf-8")), default=str))
    assert wrong(**said) == []


@pytest.mark.parametrize(
    "tables",
    [
        {"pacing": {"rate": "auto", "StartOutboundChatContact": {"rate": 2}}},
        {"pacing": {"rate": [{"per_second": 2, "burst": 5}, {"per_day": 10000}]}},
        {"hours": {"weekdays": "09:00-17:00", "unknown_zone": "closed", "holidays": ["2026-12-25"]}},
        {"caps": {"sms": {"at_most": 1, "within": "24h"}, "any": {"at_most": 3, "within": 604800}}},
        {"list": {"sheet": 2, "suppress": ["stop.csv"], "dedupe": "none"}},
        {"retry": {"longest_wait": "20s", "attempts": 3}},
    ],
)
def test_what_the_program_takes_the_schema_takes(tables: dict[str, Any]) -> None:
    Campaign(**START, **tables)
    assert wrong(**tables) == []


@pytest.mark.parametrize(
    "tables, place",
    [
        ({"channel": "fax"}, "$.channel"),
        ({"pacing": {"rat": 2}}, "$.pacing"),
        ({"list": {"dedupe": "phone"}}, "$.list.dedupe"),
        ({"retry": {"longest_wait": "soon"}}, "$.retry.longest_wait"),
        ({"hours": {"monday": "all day"}}, "$.hours.monday"),
        ({"hold": {"open_contacts": 0}}, "$.hold.open_contacts"),
    ],
)
def test_what_the_program_refuses_the_schema_finds(tables: dict[str, Any], place: str) -> None:
    with pytest.raises(Exception, match=r"\w"):
        Campaign(**{**START, **tables})
    assert wrong(**tables) == [place]


def test_every_key_has_its_description() -> None:
    tables = [
        SCHEMA,
        *(table for name, table in SCHEMA["$defs"].items() if name not in {"Cap", "Window", "OperationPacing"}),
    ]
    bare = {key for table in tables for key, said in table["properties"].items() if not said.get("description")}
    assert bare <= {
        "list",
        "consent",
        "at",
        "request",
        "create_contact",
        "stop_contact",
        *("pacing", "hold", "retry", "doubt", "stop", "hours", "caps", "budget", "track"),
    }


def test_the_parameters_of_the_channels_operation_are_offered() -> None:
    for branch, (name, channel) in zip(SCHEMA["allOf"], CHANNELS.items(), strict=True):
        assert branch["if"]["properties"]["channel"]["const"] == name
        assert branch["then"]["properties"].keys() == channel.OPERATIONS.keys()
    assert "InitialSystemMessage" in SCHEMA["allOf"][0]["then"]["properties"]["request"]["properties"]


@pytest.mark.skipif(not TAPLO.exists(), reason="taplo is not on this machine")
def test_a_starter_names_its_schema_and_keeps_to_it_by_taplos_rules(tmp_path: Path) -> None:
    assert bulk("init", "sms", "s", cwd=tmp_path).code == 0
    campaign, schema = tmp_path / "s/campaign.toml", tmp_path / "s/campaign.schema.json"
    assert campaign.read_text("utf-8").startswith("#:schema campaign.schema.json\n")

    def linted() -> int:
        words = [str(TAPLO), "lint", "--schema", schema.as_uri(), str(campaign)]
        return subprocess.run(words, capture_output=True, check=False, cwd=tmp_path).returncode

    assert linted() == 0
    campaign.write_text(campaign.read_text("utf-8").replace("rate  =", "rat  ="), "utf-8")
    assert linted() != 0


def test_a_schema_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/campaign.schema.json").write_text("{}")
    assert bulk("init", "sms", "s", cwd=tmp_path).code == 0
    assert (tmp_path / "s/campaign.schema.json").read_text() == "{}"


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    assert json.loads(bulk("schema", cwd=tmp_path).out) == SCHEMA
    assert bulk("schema", "-o", "x.json", cwd=tmp_path).code == 0
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == SCHEMA


@pytest.mark.parametrize(
    "word, full",
    [
        ("dedupe", "[list] dedupe"),
        ("list.key", "[list] key"),
        ("[list] key", "[list] key"),
        ("DEDUPE", "[list] dedupe"),
        ("name", "name"),
        ("expired", "expired"),
        ("ThrottlingException", "ThrottlingException"),
    ],
)
def test_a_key_or_code_is_found_by_its_name(word: str, full: str) -> None:
    found, _ = entries_of(word)
    assert full in [entry.full_name for entry in found]
    assert all(entry.meaning for entry in found)


def test_every_name_of_the_reference_is_explained() -> None:
    assert len(names()) > 100
    assert [name for name in names() if not entries_of(name)[0][0].meaning] == []


def test_help_explains_a_key_and_names_the_nearest_of_one_that_is_unknown(tmp_path: Path) -> None:
    told = bulk("help", "list", "country", cwd=tmp_path)
    assert (told.code, told.out.split("    ")[0]) == (0, "[list] country")
    lost = bulk("help", "dedupp", cwd=tmp_path)
    assert (lost.code, lost.err.strip()) == (2, "bulk: no key and no code 'dedupp'. Did you mean 'dedupe'?")
    assert bulk("help", "send", cwd=tmp_path).out == bulk("send", "--help", cwd=tmp_path).out


def test_docs_prints_a_page_where_nobody_looks_and_names_the_pages(tmp_path: Path) -> None:
    assert bulk("docs", "codes", cwd=tmp_path).out == (ROOT / "docs/codes.md").read_text("utf-8")
    lost = bulk("docs", "campain", cwd=tmp_path)
    assert (lost.code, "Did you mean 'campaign'? There are: README, account, campaign, " in lost.err) == (2, True)


def test_the_pages_as_html_load_nothing_and_their_links_lead_somewhere(tmp_path: Path) -> None:
    written = write_html(tmp_path)
    assert written.keys() == pages().keys()
    ids = {file.name: set(re.findall(r' id="([^"]*)"', file.read_text("utf-8"))) for file in written.values()}
    for file in written.values():
        text = file.read_text("utf-8")
        assert not re.search(r"<(script|link)\b", text)
        images = re.findall(r'<img src="([^"]*)"', text)
        assert [image for image in images if not (tmp_path / image).is_file()] == []
        for target, anchor in re.findall(r'href="([^"#:]*\.html)(?:#([^"]*))?"', text):
            assert target in ids, (file.name, target)
            assert not anchor or anchor in ids[target], (file.name, target, anchor)
