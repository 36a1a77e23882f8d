"""The help: light, in every command, with examples that run."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_runs import CAMPAIGN, Ended, at, bulk, bulk_as_module, campaign, environment, service

from bulk.cli.examples import EXAMPLES
from bulk.cli.main import bulk as group

HEAVY = {
    "aioboto3",
    "aiohttp",
    "anyio",
    "asyncio",
    "botocore",
    "jinja2",
    "phonenumbers",
    "polars",
    "pydantic",
    "rich",
    "sqlite3",
    "yaml",
}
SHOW_MODULES = """
import atexit, json, sys
sys.argv = ["bulk", "--help"]
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from bulk.cli.main import main
main()
"""


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: bulk ")
    assert HEAVY & set(json.loads(done.stderr)) == set()


@pytest.mark.parametrize("name", group.commands)
def test_every_command_has_help_that_ends_with_examples(name: str) -> None:
    command = group.commands[name]
    ctx = click.Context(command, info_name=f"bulk {name}", terminal_width=100, **group.context_settings)
    text = command.get_help(ctx)
    assert command.help
    examples = text.rpartition("\n  Examples:\n")[2].splitlines()
    assert [line for line in examples if not line.startswith("    ")] == []
    assert any(line.startswith(f"    bulk {name} ") or line == f"    bulk {name}" for line in examples)
    assert max(map(len, text.splitlines())) <= 100


def test_every_option_has_help() -> None:
    silent = [
        f"{name} {param.name}"
        for name, command in group.commands.items()
        for param in command.params
        if isinstance(param, click.Option) and not param.help
    ]
    assert silent == []


def test_every_option_that_is_no_file_names_its_environment_variable() -> None:
    unnamed = {
        str(param.name)
        for command in group.commands.values()
        for param in command.params
        if isinstance(param, click.Option) and not param.envvar
    }
    files = {"contacts", "results", "ca_bundle", "output", "faults", "source", "metrics_file", "account", "prices"}
    assert unnamed == files | {"events"}, "those are files"


def test_an_option_of_one_name_has_one_variable_in_every_command() -> None:
    options = [
        (param.opts[-1], param.envvar)
        for command in group.commands.values()
        for param in command.params
        if isinstance(param, click.Option) and param.envvar
    ]
    assert {envvar for _, envvar in options} == {
        "BULK_" + name.removeprefix("--").replace("-", "_").upper() for name, _ in options
    }


def test_help_goes_to_stdout(tmp_path: Path) -> None:
    told = bulk("-h", cwd=tmp_path)
    assert (told.code, told.err) == (0, "")
    assert [line.split()[0] for line in told.out.partition("Commands:\n")[2].split("\n\n")[0].splitlines()] == list(
        group.commands
    )
    assert bulk("--version", cwd=tmp_path).out.startswith("bulk, version ")


def commands(name: str) -> list[list[str]]:
    """Take the commands of the examples apart; a gap of two spaces ends one."""
    lines = [line for line in EXAMPLES[name].splitlines() if line.startswith("  bulk ")]
    return [shlex.split(line.strip().split("  ")[0])[1:] for line in lines]


def test_the_examples_run(tmp_path: Path) -> None:
    campaign(tmp_path)
    for name in ("us", "eu", "jp"):
        (tmp_path / f"{name}.toml").write_text(CAMPAIGN.replace("reminders", name))
    with service() as sandbox:
        for words in (
            *commands("bulk"),
            *commands("send")[1:],
            commands("results")[0],
            commands("report")[0],
            commands("resolve")[2],
        ):
            ended = bulk(*words, cwd=tmp_path, **at(sandbox.url), BULK_RATE="500")
            assert ended.code == 0, (words, ended)


@pytest.mark.parametrize("words", [("check", "campaign.toml"), ("send", "other.toml"), ("chek",)])
def test_a_forked_program_is_the_same_program(tmp_path: Path, words: tuple[str, ...]) -> None:
    """What the other tests run to save time does what `python -m bulk` does."""
    campaign(tmp_path)
    forked, itself = bulk(*words, cwd=tmp_path), bulk_as_module(*words, cwd=tmp_path)
    assert at_any_time(forked) == at_any_time(itself)


def at_any_time(ended: Ended) -> Ended:
    """Take out when a plan would end: it was made at another time than its like."""
    return ended._replace(out=re.sub(r"(?m)^begun now, it ends about .*", "", ended.out))


def test_windows_is_refused_in_a_sentence(tmp_path: Path) -> None:
    code = "import sys; sys.platform = 'win32'; import bulk.__main__"
    refused = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "bulk: runs on Linux and macOS; on Windows, in WSL or in a container\n"
