"""Whom not to write to."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.errors import ListError
from bulk.loader import Kind
from bulk.model import Refusal, Status
from bulk.suppression import Suppression

LISTS = Path(__file__).with_name("lists")
ANN, BOB = "+14155550123", "+14155550124"


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def written(content: str | bytes) -> Path:
        path = tmp_path / "dnc.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


Listed = Callable[[str | bytes], Path]


def suppressed(path: Path, *destinations: str, kind: Kind = "phone", country: str | None = "US") -> list[bool]:
    found = Suppression.open([path], kind=kind, country=country)
    return [found.refusal(destination) is not None for destination in destinations]


@pytest.mark.parametrize(
    "content",
    [
        f"{ANN}\n",
        f"\ufeff{ANN}",
        f"{ANN}\r\n+14155550999\r\n",
        "(415) 555-0123\n\n",
        "4155550123\n4155550999\n",
        f"phone\n{ANN}\n",
        f"whoever\n{ANN}\n",  # one column needs no name
        f"name,Phone Number\nAnn,{ANN}\n",
        f"{ANN},Ann\n+14155550999,Eve\n",  # no header
        f"Ann;{ANN}\nEve;+14155550999\n",
        f'{{"phone": "{ANN}"}}\n',
        gzip.compress(f"{ANN}\n".encode(), mtime=0),
        f"{ANN}\n".encode("utf-16"),
    ],
)
def test_it_finds_destinations_in_any_kind_of_file(listed: Listed, content: str | bytes) -> None:
    assert suppressed(listed(content), ANN, BOB) == [True, False]


def test_it_reads_parquet_too(tmp_path: Path) -> None:
    pl.DataFrame({"email": ["Ann@Example.com", None]}).write_parquet(tmp_path / "dnc.parquet")
    assert suppressed(tmp_path / "dnc.parquet", "Ann@example.com", "b@example.com", kind="email") == [True, False]


def test_addresses_are_compared_without_regard_to_case(listed: Listed) -> None:
    assert suppressed(listed("Ann.Lee@EXAMPLE.com\n"), "ann.lee@example.com", kind="email") == [True]


@pytest.mark.parametrize(
    "file, kind, destination",
    [
        ("mailchimp-unsubscribed.csv", "email", "cy@example.com"),
        ("mailchimp-unsubscribed.csv", "phone", "+447911123457"),
        ("mailchimp-cleaned.csv", "email", "di@example.com"),
        ("salesforce.csv", "email", "ann@example.com"),  # a file of suppressed people suppresses them all
        ("pinpoint-export.ndjson", "phone", ANN),
    ],
)
def test_exports_suppress_everybody_in_them(file: str, kind: Kind, destination: str) -> None:
    assert suppressed(LISTS / file, destination, kind=kind) == [True]


@pytest.mark.parametrize("content", ["", "\n", "phone\n", "phone,name\n"])
def test_a_file_may_name_nobody(listed: Listed, content: str) -> None:
    found = Suppression.open([listed(content)], kind="phone")
    assert (len(found), found.refusal(ANN), found.warnings) == (0, None, [])


def test_a_refusal_names_the_file_and_skips(listed: Listed) -> None:
    found = Suppression.open([listed(ANN)], kind="phone")
    assert found.refusal(ANN) == Refusal("suppressed", "named in dnc.csv", Status.SKIPPED)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"^there is no list .*dnc.csv: check the path$"):
        Suppression.open([tmp_path / "dnc.csv"], kind="phone")


def test_a_file_without_such_a_column_is_an_error(listed: Listed) -> None:
    with pytest.raises(ListError, match=r"^dnc.csv has no column of email addresses that can be told by its name"):
        Suppression.open([listed("who,when\nx,y\n")], kind="email")


def test_rows_that_cannot_be_read_are_said(listed: Listed) -> None:
    found = Suppression.open([listed(f"phone\n{ANN}\nx\n\n555\n")], kind="phone")
    said = "dnc.csv: 2 rows are no phone numbers that can be read, and suppress nobody: correct them"
    assert found.warnings == [said]
    assert len(found) == 1


def test_a_file_that_changes_is_read_again(listed: Listed) -> None:
    found = Suppression.open([listed(f"{ANN}\n")], kind="phone")
    assert found.refresh() == []
    listed(f"{ANN}\n{BOB}\n")
    assert found.refusal(BOB) is None
    assert found.refresh() == []
    assert found.refusal(BOB) is not None
    listed("")
    assert found.refresh() == []
    assert found.refusal(BOB) is None


def test_a_file_that_becomes_unreadable_keeps_what_it_said_and_warns_once(listed: Listed) -> None:
    path = listed(f"{ANN}\n{BOB}\n")
    found = Suppression.open([path], kind="phone")
    path.unlink()
    (said,) = found.refresh()
    assert said.startswith("there is no list")
    assert said.endswith("(suppression goes on with the 2 destinations it had before)")
    assert found.refresh() == []
    assert found.refusal(ANN) is not None
    listed(b"\x89PNG\0\0\x01")
    assert [said.partition(":")[0] for said in found.refresh()] == ["dnc.csv is not a text file"]
    assert found.refresh() == []
    listed(f"{BOB}\n")
    assert found.refresh() == []
    assert (found.refusal(ANN), found.refusal(BOB) is not None) == (None, True)


def test_the_same_size_at_another_time_is_a_change(listed: Listed) -> None:
    path = listed(f"{ANN}\n")
    found = Suppression.open([path], kind="phone")
    path.write_text(f"{BOB}\n")
    os.utime(path, ns=(1, 1))
    found.refresh()
    assert (found.refusal(ANN), found.refusal(BOB) is not None) == (None, True)


def test_what_is_put_replaces_what_was_put_before_under_the_name(listed: Listed) -> None:
    found = Suppression.open([listed(ANN)], kind="phone")
    found.put("the opt-out list 'Default'", [BOB])
    assert found.refusal(BOB) == Refusal("suppressed", "named in the opt-out list 'Default'", Status.SKIPPED)
    found.put("the opt-out list 'Default'", [])
    assert (found.refusal(BOB), found.refusal(ANN) is not None) == (None, True)


@given(st.sets(st.integers(0, 9999)), st.integers(0, 9999))
def test_it_holds_exactly_what_is_put(numbers: set[int], other: int) -> None:
    found = Suppression.open([], kind="phone")
    found.put("somewhere", (f"+1415555{number:04}" for number in numbers))
    assert len(found) == len(numbers)
    assert all(found.refusal(f"+1415555{number:04}") for number in numbers)
    assert (found.refusal(f"+1415555{other:04}") is not None) == (other in numbers)


def test_no_destination_is_kept_in_memory_as_text(listed: Listed) -> None:
    found = Suppression.open([listed(f"{ANN}\n")], kind="phone")
    assert ANN[1:] not in repr(vars(found))
