"""Suppression during a run: files that come and go, and the list of one's own. It …"""

from pathlib import Path

import pytest

from bulk.loader import Kind
from bulk.loader.own_list import OwnList, Suppressed
from bulk.loader.suppression import OWN, Suppression
from bulk.model import Refusal, Status

ANN, BOB, MAIL = "+14155550123", "+14155550124", "ann@example.com"


def own_list(folder: Path, *destinations: str) -> OwnList:
    own = OwnList(folder)
    own.add([Suppressed(destination, "2026-11-26T09:00:00+00:00") for destination in destinations])
    return own


def test_a_file_that_is_away_again_is_warned_of_again_where_it_came_back_as_it_was(tmp_path: Path) -> None:
    path, away = tmp_path / "stop.csv", tmp_path / "away"
    path.write_text(f"{ANN}\n")
    found = Suppression.open([path], kind="phone")
    for _ in range(3):
        path.rename(away)
        assert len(found.refresh()) == 1
        assert found.refresh() == []
        away.rename(path)
        assert found.refresh() == []
    assert found.refusal(ANN) is not None


def test_a_file_that_is_away_again_is_warned_of_again_where_another_came_between(tmp_path: Path) -> None:
    path = tmp_path / "stop.csv"
    path.write_text(f"{ANN}\n")
    found = Suppression.open([path], kind="phone")
    for number in range(3):
        path.unlink()
        assert len(found.refresh()) == 1
        path.write_text(f"{ANN}\n+1415555100{number}\n")
        found.refresh()
        assert found.refresh() == []


def test_a_file_that_is_away_again_is_warned_of_again_the_moment_after_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "stop.csv"
    path.write_text(f"{ANN}\n")
    found = Suppression.open([path], kind="phone")
    for number in range(3):
        path.unlink()
        assert len(found.refresh()) == 1
        path.write_text(f"{ANN}\n+1415555100{number}\n")
        found.refresh()


def test_a_spoiled_list_of_ones_own_is_warned_of_and_holds_as_it_was(tmp_path: Path) -> None:
    own = own_list(tmp_path, ANN, BOB)
    found = Suppression.open([], kind="phone", own=own)
    own.path.write_text("spoiled")
    (warning,) = found.refresh()
    assert warning.startswith(f"{own.path}: ")
    assert warning.endswith(" (suppression goes on with the 2 destinations it had before)")
    assert (found.refresh(), len(found)) == ([], 2)


def test_a_destination_that_is_no_unicode_text_can_be_suppressed() -> None:
    found = Suppression.open([], kind="email")
    found.put("elsewhere", ["ann\udc80@example.com"])
    assert found.refusal("ann\udc80@example.com") is not None
    assert found.refusal("ann\udc81@example.com") is None


@pytest.mark.parametrize("kind, inside, outside", [("phone", ANN, MAIL), ("email", MAIL, ANN)])
def test_of_the_own_list_the_campaigns_kind_of_destination_counts(
    tmp_path: Path, kind: Kind, inside: str, outside: str
) -> None:
    found = Suppression.open([], kind=kind, own=own_list(tmp_path, ANN, MAIL))
    assert found.refusal(inside) == Refusal("suppressed", f"named in {OWN}", Status.SKIPPED)
    assert (found.refusal(outside), len(found)) == (None, 1)
    assert (found.notes, found.warnings) == ([], [])


def test_there_is_something_to_read_again_where_there_are_files_or_the_own_list_changed(tmp_path: Path) -> None:
    path = tmp_path / "stop.csv"
    path.write_text(f"{BOB}\n")
    own = own_list(tmp_path, ANN)
    assert not Suppression.open([], kind="phone").may_be_stale
    assert Suppression.open([path], kind="phone").may_be_stale
    found = Suppression.open([], kind="phone", own=own)
    assert not found.may_be_stale
    own_list(tmp_path, BOB)
    assert found.may_be_stale
    assert found.refresh() == []
    assert not found.may_be_stale
    assert len(found) == 2


def test_what_was_put_from_elsewhere_stays_when_files_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "stop.csv"
    path.write_text(f"{BOB}\n")
    found = Suppression.open([path], kind="phone", own=own_list(tmp_path, ANN))
    found.put("elsewhere", ["+14155550125", "+14155550125"])
    path.write_text(f"{BOB}\n+14155550126\n")
    assert found.refresh() == []
    assert len(found) == 4
    assert found.refusal("+14155550125") == Refusal("suppressed", "named in elsewhere", Status.SKIPPED)
    assert found.refusal("+14155550127") is None


@pytest.mark.parametrize(
    "content, note",
    [
        (f"{ANN}\n", "stop.csv: 1 number, never written to"),
        (f"{ANN}\n{BOB}\n{BOB}\n", "stop.csv: 2 numbers, never written to"),
    ],
)
def test_how_many_a_file_names_is_told(tmp_path: Path, content: str, note: str) -> None:
    (tmp_path / "stop.csv").write_text(content)
    found = Suppression.open([tmp_path / "stop.csv"], kind="phone")
    assert ([one.replace(" from its only column", "") for one in found.notes], found.warnings) == ([note], [])
