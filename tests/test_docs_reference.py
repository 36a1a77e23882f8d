"""The pages of reference are complete and true: every code, every key with its default, every fault of the sandbox."""

import ast
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

import bulk
from bulk.account.prices import PriceTable
from bulk.campaign import Campaign, seconds
from bulk.campaign.budget import BudgetTable
from bulk.campaign.consent import ConsentTable
from bulk.campaign.destination import AtTable
from bulk.campaign.doubt_table import DoubtTable
from bulk.campaign.pacing_table import Pacing
from bulk.campaign.rule_tables import CapsTable, HoursTable
from bulk.campaign.schema import Hold, ListTable, Retry, StopTable
from bulk.campaign.track_table import TrackTable
from bulk.ledger.run_reader import OTHER_PERSON
from bulk.loader.ambiguity import UNUSABLE
from bulk.loader.text_error import LONGEST
from bulk.rules.caps import CAPPED
from bulk.sandbox import control, simulator
from bulk.sandbox.directory import KINDS, Directory
from bulk.sandbox.fault_config import _READERS, declare
from bulk.sandbox.faults import FAULTS

HOME = Path(bulk.__file__).parent
ROOT = HOME.parent
CODES, KEYS, SANDBOX = ((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("codes", "campaign", "sandbox"))
SOURCES = {path: path.read_text("utf-8") for path in HOME.rglob("*.py") if "sandbox" not in path.parts}
NAMED = {  # codes that no call below spells out
    "no_consent",
    "template_error",
    "missing_parameter",
    "invalid_parameter",
    "duplicate",
    "unanswered",
    "marked_sent",
    "given_up",
    CAPPED,
    OTHER_PERSON,
    *(code for code, _ in UNUSABLE.values()),
}


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Read the rows of the tables below a heading."""
    section = re.search(rf"^## {re.escape(heading)}.*?\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, heading
    for line in section[1].splitlines():
        if line.startswith("| ") and not set(line) <= set("|- "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Codes


def spelled() -> set[str]:
    """Find the codes that are arguments of what says no: of `Refusal` the first, of a call's end the second."""
    found = set()
    for text in SOURCES.values():
        for node in ast.walk(ast.parse(text)):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            place = {"Refusal": 0, "CallUnsettled": 1, "CallRejected": 1}.get(name)
            if isinstance(node, ast.Call) and place is not None and len(node.args) > place:
                code = node.args[place]
                found |= {str(code.value)} if isinstance(code, ast.Constant) and code.value else set()
    return found


def test_every_code_of_ours_is_told() -> None:
    exports = tomllib.loads((HOME / "loader/exports.toml").read_text("utf-8"))["export"]
    left_out = {rule.get("code", "opted_out") for export in exports for rule in export.get("leave_out", ())}
    told = {code for code, *_ in rows(CODES, "Codes of `bulk`") for code in ticked(code)}
    assert told == spelled() | left_out | NAMED


@pytest.mark.parametrize(
    "row", [row for row in rows(CODES, "Codes of `bulk`") if row[0] != "Code"], ids=lambda row: row[0]
)
def test_a_code_that_is_told_stands_in_the_program_and_has_a_status(row: list[str]) -> None:
    (code,) = ticked(row[0])
    data = (HOME / "loader/exports.toml").read_text("utf-8")
    assert any(re.search(rf"[\"']{code}[\"']", text) for text in [data, *SOURCES.values()])
    assert row[1] in {"refused", "skipped", "unknown", "sent", "rejected"}


def test_a_code_of_the_line_that_is_told_stands_in_the_program() -> None:
    told = [code for row in rows(CODES, "Connection errors") for code in ticked(row[0])]
    assert len(told) > 5
    assert [code for code in told if not any(f'"{code}"' in text for text in SOURCES.values())] == []


def test_the_errors_of_the_service_are_told_with_what_is_done_about_them() -> None:
    assert runpy.run_path(str(ROOT / "scripts/make_code_docs.py"))["page"]() == CODES


# Keys of the campaign


TABLES: dict[str, dict[str, FieldInfo]] = {
    "At the top": Campaign.model_fields,
    "`[list]`": ListTable.model_fields,
    "`[at]`": AtTable.model_fields,
    "`[pacing]`": Pacing.model_fields,
    "`[hold]`": Hold.model_fields,
    "`[retry]`": Retry.model_fields,
    "`[doubt]`": DoubtTable.model_fields,
    "`[stop]`": StopTable.model_fields,
    "`[consent]`": ConsentTable.model_fields,
    "`[track]`": TrackTable.model_fields,
    "`[budget]`": BudgetTable.model_fields,
    "`[hours]`, `[caps]`": HoursTable.model_fields
    | dict.fromkeys(CapsTable.gathered(), CapsTable.model_fields["any"])
    | CapsTable.model_fields,
}
ELSEWHERE = {  # tables of their own, and what a file does not say
    *(
        "budget",
        "doubt",
        "consent",
        "track",
        "list",
        "at",
        "request",
        "create_contact",
        "stop_contact",
        "pacing",
        "hold",
        "retry",
        "stop",
        "hours",
        "caps",
    ),
    *("folder", "files", "operations", "further", "channels"),
}


def written(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_of_a_table_is_told_with_its_default(heading: str) -> None:
    fields = {field.alias or name: field for name, field in TABLES[heading].items()}
    told = {key: cell for keys, cell, _ in rows(KEYS, heading) if keys != "Key" for key in ticked(keys)}
    assert set(told) == set(fields) - (ELSEWHERE - {"at"} if heading == "`[consent]`" else ELSEWHERE)
    for key, cell in told.items():
        default = None if fields[key].is_required() else written(fields[key].default)
        said = None if cell == "–" else tomllib.loads(f"it = {ticked(cell)[0]}")["it"]
        in_seconds = isinstance(default, float) and isinstance(said, str)
        assert (seconds(said) if in_seconds else said) == default, key


def test_how_long_a_line_may_be_is_told() -> None:
    assert f"{LONGEST >> 20} MiB" in KEYS


# The sandbox


def test_every_fault_is_told() -> None:
    told = dict(row[:2] for row in rows(SANDBOX, "A bad day") if row[1] != "What happens")
    assert told == {f"`{name}`": said for name, said in FAULTS.items()}


def test_every_key_of_a_rule_is_told() -> None:
    assert [key for key in _READERS if not re.search(rf"(?m)^(# )?{key} *= |or {key} = ", SANDBOX)] == []


def test_the_example_of_a_bad_day_is_one() -> None:
    (example,) = [text for text in re.findall(r"```toml\n(.*?)```", SANDBOX, re.DOTALL) if "[[rules]]" in text]
    operations: dict[str, dict[str, str]] = {"CreateContact": {}}
    statuses = {"TooManyRequestsException": 429, "InvalidRequestException": 400, "ThrottlingException": 429}
    assert len(declare(tomllib.loads(example), operations=operations, statuses=statuses).rules) == 3


def test_the_example_of_an_account_is_one_and_shows_every_kind_of_thing() -> None:
    (example,) = [text for text in re.findall(r"```toml\n(.*?)```", SANDBOX, re.DOTALL) if "[[flows]]" in text]
    declared = tomllib.loads(example)
    Directory(declared)
    assert set(declared) == {"account", "quotas", "keys", *KINDS}


def test_the_example_of_prices_is_a_table() -> None:
    text = (ROOT / "docs" / "account.md").read_text("utf-8")
    (example,) = [text for text in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[[prices]]" in text]
    assert PriceTable(**tomllib.loads(example)).price("sms", "us-west-2") is not None


def test_every_magic_recipient_is_told() -> None:
    told = [(number, address) for number, address, _ in rows(SANDBOX, "Magic recipients") if number != "Number"]
    assert told == [(number, f"{name}@{simulator.DOMAIN}") for number, name in simulator.NUMBERS.items()]
    assert [said.replace("`", "") for *_, said in rows(SANDBOX, "Magic recipients")] == [
        line.split("|")[3].strip() for line in (simulator.__doc__ or "").splitlines() if line.startswith("| ")
    ]


def test_every_request_of_the_control_is_told_as_the_code_does() -> None:
    told = [line for line in SANDBOX.splitlines() if "/_sandbox/" in line and line.startswith("| ")]
    assert told == [line for line in (control.__doc__ or "").splitlines() if "/_sandbox/" in line and line[0] == "|"]
