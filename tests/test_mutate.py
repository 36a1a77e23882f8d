"""The runner of faults, on a project of two functions: it …"""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

MUTATE = Path(__file__).parents[1] / "scripts" / "mutate.py"
PEOPLE = """
def adult(age):
    return age >= 18

def spin(n):
    while n > 0:
        n -= 1
"""
TEST = """
import pytest
from people import adult, spin

def test_an_adult_is_told_from_a_child():
    assert adult(19) is True
    assert adult(5) is False

@pytest.mark.timeout(1)
def test_it_ends():
    spin(2)
"""
BOUNDARY = "people.py adult: return age >= 18 -> return age > 18"


class Ran(NamedTuple):
    """A project, and what was said of it."""

    project: Path
    log: Path
    out: str
    progress: str


def made(project: Path, **files: str) -> Path:
    (project / "tests").mkdir(parents=True)
    for name, text in files.items():
        (project / name.replace("_py", ".py").replace("_toml", ".toml")).write_text(text)
    return project


def mutate(project: Path, *words: str | Path, code: int = 0) -> tuple[str, str]:
    equivalent = project / "equivalent.txt"
    ended = subprocess.run(
        [sys.executable, MUTATE, "--project", project, "--equivalent", equivalent, "--jobs", "1", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout, ended.stderr


def listed(project: Path, target: str) -> list[str]:
    return mutate(project, target, "--list")[0].splitlines()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    project = made(tmp_path_factory.mktemp("mutate") / "project", people_py=PEOPLE)
    (project / "tests/test_people.py").write_text(TEST)
    log = project.with_name("log")
    return Ran(project, log, *mutate(project, "people.py", "--log", log, "--map", log.with_name("map"), code=1))


def test_a_fault_that_a_test_notices_is_told_from_one_that_none_does(ran: Ran) -> None:
    assert "noticed   people.py adult: return age >= 18 -> return age < 18" in ran.progress
    assert f"survived  {BOUNDARY}" in ran.progress
    assert f"\npeople.py:3 comparison\n  {BOUNDARY}\n" in ran.out
    assert "age < 18" not in ran.out


def test_a_loop_without_end_is_a_timeout_and_counts_as_noticed(ran: Ran) -> None:
    assert "timeout   people.py spin: n -= 1 -> n += 1" in ran.progress
    assert "n += 1" not in ran.out


def test_the_table_counts_them(ran: Ran) -> None:
    survived = ran.out.count("\npeople.py:")
    timeouts = ran.progress.count("timeout ")
    faults = len(listed(ran.project, "people.py"))
    score = f"{100 * (faults - survived) / faults:.1f}"
    row = f"{faults} | {faults - survived - timeouts} | {timeouts} | {survived} | 0 | {score} % |"
    assert survived
    assert timeouts
    assert ran.out.splitlines()[2:4] == [f"| people.py | {row}", f"| together | {row}"]


def test_a_timeout_that_does_not_come_again_is_none(tmp_path: Path) -> None:
    project = made(tmp_path / "project", people_py="def two():\n    return 2\n")
    marker = tmp_path / "marker"
    hangs = f"""
import pathlib, time, pytest
from people import two

@pytest.mark.timeout(1)
def test_it_hangs_at_its_first_fault():
    marker = pathlib.Path({str(marker)!r})
    if two() == 3 and not marker.exists():
        marker.touch()
        time.sleep(60)
"""
    (project / "tests/test_people.py").write_text(hangs)
    said = mutate(project, "people.py", code=1)[1]
    assert marker.exists()
    assert "timeout" not in said
    assert "survived  people.py two: return 2 -> return 3" in said


def test_the_checkout_is_left_alone(ran: Ran) -> None:
    assert (ran.project / "people.py").read_text() == PEOPLE
    assert sorted(path.name for path in ran.project.iterdir()) == ["people.py", "tests"]


def test_what_was_noticed_is_not_tried_again_and_what_survived_is(ran: Ran) -> None:
    before = ran.log.read_text()
    again, progress = mutate(ran.project, "people.py", "--log", ran.log, "--map", ran.log.with_name("map"), code=1)
    assert again == ran.out
    assert progress.count(" left ") == ran.out.count("\npeople.py:")
    ran.log.write_text(before)


def test_a_sample_of_a_seed_is_always_the_same(ran: Ran) -> None:
    sampled = [
        mutate(ran.project, "people.py", "--list", "--sample", "3", "--seed", seed)[0] for seed in ("1", "1", "2")
    ]
    assert sampled[0] == sampled[1] != sampled[2]
    assert len(sampled[0].splitlines()) == 3


def test_a_project_whose_tests_fail_is_not_tried(tmp_path: Path) -> None:
    project = made(tmp_path / "project", people_py=PEOPLE)
    (project / "tests/test_people.py").write_text("def test_nothing():\n    assert False\n")
    said = mutate(project, "people.py", code=1)[1]
    assert "tests/test_people.py::test_nothing fails without any fault, and is not asked" in said
    assert "there is no test to ask" in said


# Faults that change nothing


def test_a_fault_that_changes_nothing_is_left_out_where_a_reason_is_given(tmp_path: Path) -> None:
    project = made(tmp_path / "project", people_py=PEOPLE)
    (project / "equivalent.txt").write_text(f"# a comment\n{BOUNDARY}\n    nobody is exactly 18\n")
    faults = listed(project, "people.py")
    assert BOUNDARY not in faults
    assert BOUNDARY.replace("> 18", "< 18") in faults


def test_a_fault_that_changes_nothing_needs_a_reason(tmp_path: Path) -> None:
    project = made(tmp_path / "project", people_py=PEOPLE)
    (project / "equivalent.txt").write_text(BOUNDARY)
    assert "a reason is missing below" in mutate(project, "people.py", "--list", code=1)[1]


def test_a_fault_that_is_named_and_not_there_any_more_is_said(tmp_path: Path) -> None:
    project = made(tmp_path / "project", people_py=PEOPLE)
    (project / "equivalent.txt").write_text("people.py child: return 1 -> return 2\n  no reason\n")
    assert "no such fault any more: people.py child" in mutate(project, "people.py", "--list")[1]


# Which faults there are


@pytest.mark.parametrize(
    "line, faults",
    [
        ("ask('SELECT id FROM row WHERE done = 0 AND at < ?')", ["done <> 0", "done = 1", "OR at", "at <= ?", "pass"]),
        ("ask('UPDATE row SET a = 0, b = ? WHERE c = ?')", ["SET a = 1", "SET b = ?", "c <> ?", "pass"]),
        ("ask(limit=1)", ["ask()", "ask(limit=2)", "pass"]),
        ("ask(a, *b, limit=c)", ["ask(a, *b)", "pass"]),
        ("found = a and b", ["a or b", "(not a) and b", "a and (not b)"]),
        ("found = not a", ["found = (a)"]),
        ("found = a < b", ["a <= b", "a >= b"]),
        ("found = a is not b", ["a is b"]),
        ("found = a + 1", ["a - 1", "a + 2"]),
        ("found = 1 if a else b", ["1 if not (a)", "2 if a"]),
        ("found = name == 'sent'", ["name != 'sent'", "'sent_'"]),
        ("found: 'Thing' = True", ["= False"]),
        ("return a", ["return None"]),
        ("raise a", ["pass"]),
        ("T = TypeVar('T')", []),
        ("raise AssertionError('it never gets here')", []),
        ("found = f'{a + 1} is no number' or 'a message is prose'", ["' and '"]),
    ],
)
def test_a_line_has_these_faults(tmp_path: Path, line: str, faults: list[str]) -> None:
    project = made(tmp_path / "project", people_py=f'def f(a: "A | None", b):\n    """Do it."""\n    {line}\n')
    found = [fault.partition(" -> ")[2] for fault in listed(project, "people.py")]
    assert len(found) == len(faults)
    assert [fault for fault in faults if not any(fault in one for one in found)] == []


def test_a_decorator_a_handler_and_a_jump_have_faults(tmp_path: Path) -> None:
    code = "@checked\ndef f(a):\n for one in a:\n  try:\n   one.go()\n  except OSError:\n   continue\n"
    project = made(tmp_path / "project", people_py=code)
    found = {fault.partition(": ")[2] for fault in listed(project, "people.py")}
    assert found == {"@checked -> (removed)", "one.go() -> pass", "continue -> raise", "continue -> break"}


def test_a_protocol_has_no_faults_for_it_is_never_run(tmp_path: Path) -> None:
    code = "class Asks(Protocol[T]):\n def ask(self, limit=1) -> None:\n  return 2\nclass Asked:\n at = 1\n"
    project = made(tmp_path / "project", people_py=code)
    assert listed(project, "people.py") == ["people.py Asked: at = 1 -> at = 2"]


def test_laws_are_loosened_and_left_out_and_their_notes_are_prose(tmp_path: Path) -> None:
    law = 'title = "A law"\n[regions.US-FL]\nevery_day = "08:00-20:00"\nnote = "x"\n'
    every_day = 'law.toml regions.US-FL: every_day = "08:00-20:00" -> '
    assert set(listed(made(tmp_path / "project", law_toml=law), "law.toml")) == {
        'law.toml regions.US-FL: [regions.US-FL] every_day = "08:00-20:00" note = "x" -> (removed)',
        *(f'{every_day}every_day = "{hours}"' for hours in ("07:00-20:00", "08:00-21:00")),
        f"{every_day}(removed)",
    }


def test_entries_of_data_are_left_out_changed_and_turned(tmp_path: Path) -> None:
    data = 'flat = true\nkeys = ["a", "b"]\nrows = [\n    { column = "c" },\n]\n'
    found = {fault.partition(" -> ")[2] for fault in listed(made(tmp_path / "project", data_toml=data), "data.toml")}
    assert found >= {"flat = false", 'keys = ["b"]', 'keys = ["a", ]', 'keys = ["a_", "b"]', "(removed)"}
    assert found >= {'{ column = "c_" },'}
