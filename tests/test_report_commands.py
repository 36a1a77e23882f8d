"""What a report tells to type next, by how a run stands: it …"""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bulk.model import Status
from bulk.run.options import Options
from bulk.run.report_parts import Typed, commands

FAILED = "bulk results c.toml -o failed.xlsx --only failed --join"


def told(
    counts: dict[Status, int], *, in_doubt: int = 0, sender: str | None = None, options: Options | None = None
) -> list[str]:
    """Return the commands of a run that stands so."""
    figures: Any = SimpleNamespace(counts=Counter(counts))
    record: Any = SimpleNamespace(unanswered=lambda: in_doubt)
    typed = Typed("c.toml", options or Options())
    return [one.words for one in commands(figures, record, typed, sender=sender)]


@pytest.mark.parametrize(
    "counts, in_doubt, expected",
    [
        ({Status.SENT: 9}, 0, []),
        ({Status.PENDING: 1}, 0, ["bulk send c.toml"]),
        ({Status.PENDING: 1, Status.UNKNOWN: 1}, 1, ["bulk send c.toml", FAILED]),
        ({Status.UNKNOWN: 1}, 1, ["bulk send c.toml", FAILED]),
        ({Status.UNKNOWN: 2}, 1, ["bulk send c.toml", "bulk resolve c.toml", FAILED]),
        ({Status.UNKNOWN: 2}, 0, ["bulk resolve c.toml", FAILED]),
        ({Status.REFUSED: 1}, 0, ["bulk send c.toml --only refused", FAILED]),
        ({Status.REJECTED: 1}, 0, ["bulk send c.toml --only rejected", FAILED]),
        (
            {Status.REJECTED: 1, Status.REFUSED: 1},
            0,
            ["bulk send c.toml --only refused", "bulk send c.toml --only rejected", FAILED],
        ),
        ({Status.SKIPPED: 3}, 0, []),
    ],
)
def test_goes_on_with_what_is_left_the_most_urgent_first(
    counts: dict[Status, int], in_doubt: int, expected: list[str]
) -> None:
    assert told(counts, in_doubt=in_doubt) == expected


def test_looks_on_while_somebody_sends() -> None:
    counts = {Status.PENDING: 9, Status.REJECTED: 1}
    assert told(counts, sender="process 7") == ["bulk status c.toml", FAILED]


def test_sends_for_good_after_a_rehearsal_that_left_nothing_behind() -> None:
    rehearsed = Options(sandbox=True, contacts="list.csv", run_id="may", rate=3.0)
    assert told({Status.PENDING: 9}, options=rehearsed) == ["bulk send c.toml --contacts list.csv --run may"]
    kept = Options(sandbox=True, state_dir="state")
    assert told({Status.PENDING: 9}, options=kept) == ["bulk send c.toml --state-dir state --sandbox"]


@pytest.mark.parametrize(
    "options, words",
    [
        (Options(), ""),
        (Options(run_id="default"), ""),
        (Options(run_id="may day"), " --run 'may day'"),
        (Options(contacts=Path("a b.csv"), state_dir=Path("s")), " --contacts 'a b.csv' --state-dir s"),
        (Options(contacts="default"), " --contacts default"),
        (Options(contacts=object()), ""),  # type: ignore[arg-type]  # a table held in memory cannot be typed
        (Options(sandbox=True), " --sandbox"),
    ],
)
def test_a_command_names_the_run_as_it_can_be_typed(options: Options, words: str) -> None:
    assert Typed("c.toml", options)("status", "--json") == f"bulk status c.toml{words} --json"


def test_a_campaign_that_is_no_file_is_left_to_be_filled_in() -> None:
    assert Typed.of(Path("a b.toml"), Options())("send") == "bulk send 'a b.toml'"
    assert Typed.of("c.toml", Options())("send") == "bulk send c.toml"
    held: Any = object()
    assert Typed.of(held, Options())("send") == "bulk send CAMPAIGN"
