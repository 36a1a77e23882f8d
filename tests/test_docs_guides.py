"""The guides are true: their commands are ones, their campaigns are campaigns, their messages are said."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name

import bulk
from bulk.cli.main import bulk as group

ROOT = Path(__file__).parents[1]
GUIDES = [
    *("first-sms", "first-email", "unknown-rows", "track", "quotas", "many-accounts", "notebook", "from-pinpoint"),
    *("opt-outs", "troubleshooting", "faq"),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TEXTS = {name: (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in GUIDES}
SOURCE = "\n".join(path.read_text("utf-8") for path in Path(bulk.__file__).parent.rglob("*.py"))


def blocks(language: str) -> list[tuple[str, str]]:
    return [(name, text) for name in GUIDES for kind, text in FENCE.findall(TEXTS[name]) if kind == language]


def typed() -> list[str]:
    lines = [line for _, text in blocks("sh") for line in text.splitlines()]
    return sorted({re.sub(r"\s+#.*", "", line).strip() for line in lines} - {""})


@pytest.mark.parametrize("line", [line for line in typed() if line.startswith("bulk ")])
def test_a_command_of_a_guide_is_one_with_its_options(line: str) -> None:
    _, name, *words = shlex.split(line)
    command = group.commands[name]
    with click.Context(group, info_name="bulk") as root:
        command.make_context(name, list(words), parent=root)


@pytest.mark.parametrize("line", [line for line in typed() if line.startswith("aws ")])
def test_a_call_of_the_aws_cli_is_one_with_its_parameters(line: str) -> None:
    _, service, operation, *words = shlex.split(line)
    if service == "sso":
        return
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names
    members = {xform_name(member, "-") for member in model.operation_model(names[operation]).input_shape.members}
    options = {word.removeprefix("--") for word in words if word.startswith("--")} - {"query"}
    assert options <= members


@pytest.mark.parametrize("name, text", blocks("toml"))
def test_a_campaign_of_a_guide_is_one(name: str, text: str) -> None:
    assert bulk.Campaign(**tomllib.loads(text)).channel in {"sms", "email"}, name


@pytest.mark.parametrize("name, text", blocks("python"))
def test_a_cell_of_a_guide_is_python(name: str, text: str) -> None:
    assert compile(text, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def spoken() -> list[str]:
    """Return the messages of the tables: the words in backticks of the first cells under "It says"."""
    found, says = [], False
    for line in TEXTS["troubleshooting"].splitlines():
        cell = line.split("|")[1] if line.startswith("|") else ""
        says = cell.strip() == "It says" or (says and bool(cell))
        found += re.findall(r"`([^`]+)`", cell) if says else []
    return found


def test_troubleshooting_has_messages() -> None:
    assert len(spoken()) > 10


@pytest.mark.parametrize("words", spoken())
def test_a_message_of_troubleshooting_is_said_by_the_program(words: str) -> None:
    pieces = [piece.strip() for piece in words.split("…") if piece.strip()]
    assert [piece for piece in pieces if piece not in SOURCE] == []


def test_every_guide_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in GUIDES if f"docs/{name}.md" not in readme] == []
