"""The documents run: what they say to type is typed, what they list is counted."""

import ast
import re
import runpy
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_runs import bulk as run
from cli_runs import started

import bulk
from bulk import errors
from bulk.cli.examples import HELP
from bulk.cli.main import bulk as group

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CAMPAIGN = (ROOT / "docs/campaign.md").read_text("utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("input_examples/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

# Commands that no test of this file runs, by how they begin, and why not.
ELSEWHERE = {
    "./scripts/test": "it is what runs this test",
    "aws ": "the AWS CLI is no dependency; tests/test_sandbox_wire.py speaks to the sandbox with the SDK below it",
    "./scripts/bulk sandbox": "it runs until it is interrupted: test_the_sandbox_is_where_the_readme_says",
    "./scripts/bulk send reminder/campaign.toml": "it asks: tests/test_cli_terminal.py answers",
}
NO_CODE = {"__pycache__", "py.typed"}
REFUSES = "./scripts/bulk send input_examples/sms/campaign.toml --sandbox"  # 8 rows of that list are wrong on purpose


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str


def blocks(text: str, *languages: str) -> list[Block]:
    return [block for block in map(Block._make, FENCE.findall(text)) if block.language in languages]


def commands(text: str) -> Iterator[str]:
    for block in blocks(text, "sh", "bash", "console"):
        for line in block.text.splitlines():
            if command := re.sub(r"\s+#.*", "", line.removeprefix("$ ")).strip():
                yield command


def runs_here(command: str) -> bool:
    return command not in ELSEWHERE and not any(
        command.startswith(start) for start in ELSEWHERE if not start.endswith(".toml")
    )


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the checkout as far as the README uses it, whose examples go faster."""
    shutil.copytree(
        ROOT / "input_examples", tmp_path / "input_examples", ignore=shutil.ignore_patterns("results", ".bulk")
    )
    for path in tmp_path.rglob("campaign.toml"):
        path.write_text(re.sub(r"(?m)^(rate|burst)( *)= \d+", r"\1\2= 1000", path.read_text("utf-8")), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_readme_runs(at_home: Path) -> None:
    typed = [command for command in commands(README) if runs_here(command)]
    assert len(typed) >= 4
    for command in typed:
        words = shlex.split(command)
        assert words[0] == "./scripts/bulk", command
        ended = run(*words[1:], cwd=at_home, BULK_RATE="1000" if "reminder" in command and "init" not in words else "")
        assert ended.code == (1 if command == REFUSES else 0), (command, ended)


def test_every_exception_is_still_in_the_readme() -> None:
    everything = list(commands(README))
    assert [start for start in ELSEWHERE if not any(one.startswith(start) for one in everything)] == []


async def test_the_notebook_cell_of_the_readme_runs(at_home: Path) -> None:
    names: dict[str, Any] = {}
    for block in blocks(README, "python"):
        code = compile(block.text, str(at_home / "README.md"), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        await eval(code, names)
    rows = names["results"].height
    assert names["run"].summary.rows == rows
    assert f"a list of {rows} reminders" in README
    assert f"because {names['run'].summary.refused} rows of the list are wrong on purpose" in README


def test_the_sandbox_is_where_the_readme_says(tmp_path: Path) -> None:
    (line,) = [command for command in commands(README) if command.startswith("./scripts/bulk sandbox")]
    words = shlex.split(line)[1:]
    with started(*words, cwd=tmp_path) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
    assert url == f"http://127.0.0.1:{words[words.index('--port') + 1]}"
    assert f"--endpoint-url {url} " in README


def test_the_campaign_of_the_page_on_campaigns_is_one() -> None:
    (block,) = blocks(CAMPAIGN, "toml")
    campaign = bulk.Campaign(**tomllib.loads(block.text))
    assert campaign.name == "appointment-reminder"


def test_every_table_of_the_page_on_pacing_is_one() -> None:
    tables = blocks((ROOT / "docs" / "pacing.md").read_text("utf-8"), "toml")
    assert len(tables) == 3
    for table in tables:
        channel = "email" if "CreateContact" in table.text else "sms"
        assert bulk.Campaign(name="paced", channel=channel, **tomllib.loads(table.text))


def test_the_readme_has_every_command_in_order() -> None:
    assert re.findall(r"^\| `bulk ([a-z]+)", README, re.MULTILINE) == list(group.commands)


def said(pattern: str, text: str) -> dict[str, str]:
    """Take a table of exit codes apart, without what stands in brackets."""
    return {code: re.sub(r" \([^)]*\)", "", means) for code, means in re.findall(pattern, text, re.MULTILINE)}


def test_the_exit_codes_are_the_same_everywhere() -> None:
    table = said(r"^\| (\d[\d, ]*) \| (.*) \|$", README)
    assert list(table) == ["0", "1", "2", "3", "4", "75", "130, 143"]
    assert said(r"^  (\d[\d, ]*?) {2,}(.*)$", HELP) == table
    assert (errors.BulkError.exit_code, errors.Halted.exit_code, errors.RunBusy.exit_code) == (2, 3, 75)


def test_the_map_shows_every_package() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (drawn,) = [block.text for block in blocks(contributing, "") if block.text.startswith("bulk/\n")]
    packages = {path.name + "/" * path.is_dir() for path in (ROOT / "bulk").iterdir() if path.name not in NO_CODE}
    assert set(re.findall(r"(?:^  |   )(\w+(?:\.py|/))  +\S", drawn, re.MULTILINE)) == packages


def test_the_reference_is_what_help_says() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_cli_docs.py"))
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == script["page"](), "run scripts/make_cli_docs.py"


def test_the_table_of_exports_is_what_the_data_says() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "make_list_docs.py"))
    assert (ROOT / "docs" / "lists.md").read_text("utf-8") == script["page"](), "run scripts/make_list_docs.py"


def test_what_the_readme_calls_in_python_is_public() -> None:
    assert set(re.findall(r"\bbulk\.([A-Za-z]\w*)\(", README)) | {"Campaign"} <= set(bulk.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    local = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in local if link and not (page.parent / link).exists()] == []
