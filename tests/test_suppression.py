"""Whom not to write to."""

import gzip
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from bulk.errors import ListError
from bulk.loader import Kind
from bulk.loader.suppression import Suppression
from bulk.model import Refusal, Status

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
def test_a_file_that_names_nobody_is_said_to(listed: Listed, content: str) -> None:
    found = Suppression.open([listed(content)], kind="phone")
    said = "dnc.csv has no entries, so it suppresses nobody: is it the right file, and complete?"
    assert (len(found), found.refusal(ANN), found.warnings, found.notes) == (0, None, [said], [])


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
    said = "dnc.csv: 2 entries are no phone numbers that can be read, and suppress nobody (the first: x…): correct them"
    assert found.warnings == [said]
    assert found.notes == ["dnc.csv: 1 number from 'phone', never written to"]
    assert len(found) == 1


@pytest.mark.parametrize(
    "kind, remedy", [("phone", "set `country` under [list], or correct them"), ("email", "correct them")]
)
def test_a_file_of_which_nothing_can_be_read_is_an_error(listed: Listed, kind: Kind, remedy: str) -> None:
    with pytest.raises(ListError) as raised:
        Suppression.open([listed(f"{kind}\n555 0123\nx\n")], kind=kind)
    what = {"phone": "a phone number", "email": "an email address"}[kind]
    assert str(raised.value).startswith(f"dnc.csv: none of its 2 entries is {what} that can be read (the first: 555")
    assert str(raised.value).endswith(f"): {remedy}")


@pytest.mark.parametrize("kind, entry", [("phone", "0000555 0123"), ("phone", "(415) 55-01-2"), ("email", "ann@")])
def test_a_single_entry_that_cannot_be_read_is_no_header(listed: Listed, kind: Kind, entry: str) -> None:
    with pytest.raises(ListError, match="none of its 1 entries is"):
        Suppression.open([listed(f"{entry}\n")], kind=kind)


def test_destinations_of_the_other_kind_are_no_trouble(listed: Listed) -> None:
    path = listed(f"{ANN}\nann@club-mail.com\n")
    assert suppressed(path, ANN) == [True]
    assert suppressed(path, "ann@club-mail.com", kind="email") == [True]
    assert Suppression.open([path], kind="phone").warnings == []
    only = Suppression.open([listed("who\nann@club-mail.com\n")], kind="phone")
    assert only.warnings == ["dnc.csv holds no phone numbers, so it suppresses nobody in this campaign"]


@pytest.mark.parametrize(
    "header, columns",
    [
        ("Name,Phone,Mobile", "'Phone', 'Mobile'"),
        ("name,telephone,cell_phone", "'telephone', 'cell_phone'"),
        ("Name,Phone 1 - Value,Phone 2 - Value", "'Phone 1 - Value', 'Phone 2 - Value'"),
        ("Name,HomePhone,MobilePhone", "'HomePhone', 'MobilePhone'"),
        ("Nom,T\u00e9l\u00e9phone,Portable", "'T\u00e9l\u00e9phone', 'Portable'"),
        ("Name,phone,reach them at", "'phone', 'reach them at'"),  # by its cells
    ],
)
def test_every_column_of_numbers_suppresses(listed: Listed, header: str, columns: str) -> None:
    path = listed(f"{header}\nAda,020 7946 0018,+447400123456\nBob,07400 123457,\nCy,,+447400123458\n")
    found = Suppression.open([path], kind="phone", country="GB")
    assert found.notes == [f"dnc.csv: 4 numbers from {columns}, never written to"]
    numbers = ("+442079460018", "+447400123456", "+447400123457", "+447400123458", "+447400123459")
    assert suppressed(path, *numbers, country="GB") == [True, True, True, True, False]


def test_every_column_of_addresses_suppresses(listed: Listed) -> None:
    path = listed("Name,Email,Work Email,Contact\nAda,a@club-mail.com,b@club-mail.com,c@club-mail.com\n")
    wanted = ("a@club-mail.com", "b@club-mail.com", "c@club-mail.com", "d@club-mail.com")
    assert suppressed(path, *wanted, kind="email") == [True, True, True, False]


def test_a_column_that_is_filled_in_late_suppresses_too(listed: Listed) -> None:
    path = listed("Phone,Mobile\n" + f"{BOB},\n" * 2000 + f",{ANN}\n")
    assert suppressed(path, ANN) == [True]


@pytest.mark.parametrize("column", ["Phone Type", "Fax", "Phone Opt In", "Mobile Carrier", "Order ID"])
def test_other_columns_are_not_read(listed: Listed, column: str) -> None:
    found = Suppression.open([listed(f"Phone,{column}\n{BOB},4155550123\n")], kind="phone", country="US")
    assert (found.refusal(ANN), len(found), found.warnings) == (None, 1, [])


@pytest.mark.parametrize(
    "entry, country, destination",
    [
        ("6598234567", "US", "+6598234567"),  # as a number of Singapore that lacks its +
        ("6598234567", "US", "+16598234567"),
        ("14155550123", None, ANN),
        ("14155550123", "GB", ANN),
        ("+1 415 555 0123 x5", None, ANN),
        ("'+14155550123", None, ANN),
        ("tel:+14155550123", None, ANN),
        ("\u200e+14155550123", None, ANN),
        ("+14155550999 ::: +14155550123", None, ANN),
        ("+14155550999; +14155550123", None, ANN),
        ("0014155550123", "US", ANN),
        ("4.155550123E+09", "US", ANN),
        ('"1,4155550123E+10"', None, ANN),
    ],
)
def test_whoever_an_entry_may_mean_is_suppressed(
    listed: Listed, entry: str, country: str | None, destination: str
) -> None:
    assert suppressed(listed(f"phone\n{entry}\n"), destination, country=country) == [True]


def test_an_entry_is_read_by_the_country_beside_it_as_well(listed: Listed) -> None:
    path = listed("phone,country\n07400 123456,United Kingdom\n(415) 555-0123,\n")
    assert suppressed(path, "+447400123456", ANN, country="US") == [True, True]


@pytest.mark.parametrize(
    "entry", ["ANN@CLUB-MAIL.COM", "Ann <ann@club-mail.com>", "\ufeffann@club-mail.com", "'ann@club-mail.com"]
)
def test_addresses_are_compared_as_people(listed: Listed, entry: str) -> None:
    assert suppressed(listed(f"email\n{entry}\n"), "ann@club-mail.com", "Ann@Club-mail.com", kind="email") == [
        True,
        True,
    ]


@pytest.mark.parametrize("entry", ["*@club-mail.com", "@Club-Mail.com", '"\'@club-mail.com"'])
def test_everybody_in_a_domain_is_suppressed_where_it_is_named(listed: Listed, entry: str) -> None:
    found = suppressed(listed(f"{entry}\n"), "ann@club-mail.com", "bob@sub.club-mail.com", kind="email")
    assert found == [True, False]


def test_a_line_that_is_neither_a_header_nor_a_destination_is_an_error(listed: Listed) -> None:
    with pytest.raises(ListError, match="has no column of email addresses"):
        Suppression.open([listed("club-shop.com\n")], kind="email")


def test_a_file_that_changes_is_read_again(listed: Listed) -> None:
    found = Suppression.open([listed(f"{ANN}\n")], kind="phone")
    assert found.refresh() == []
    listed(f"{ANN}\n{BOB}\n")
    assert found.refusal(BOB) is None
    assert found.refresh() == []
    assert found.refusal(BOB) is not None
    listed("")
    assert found.refresh() == ["dnc.csv no longer names 2 of its 2 destinations: they stay suppressed in this run"]
    assert found.refresh() == []
    assert (found.refusal(ANN) is not None, found.refusal(BOB) is not None) == (True, True)


def test_whom_a_file_named_stays_suppressed_while_it_is_rewritten(listed: Listed) -> None:
    found = Suppression.open([listed(f"{ANN}\n")], kind="phone")
    for content in ("", f"{BOB}\n", "+1415", f"{ANN}\n{BOB}\n+14155550125\n"):
        path = listed(content)
        os.utime(path, ns=(len(content), len(content)))
        found.refresh()
        assert found.refusal(ANN) is not None
    assert len(found) == 3


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
    assert found.refresh() == ["dnc.csv no longer names 1 of its 2 destinations: they stay suppressed in this run"]
    assert (found.refusal(ANN) is not None, found.refusal(BOB) is not None) == (True, True)


def test_the_same_size_at_another_time_is_a_change(listed: Listed) -> None:
    path = listed(f"{ANN}\n")
    found = Suppression.open([path], kind="phone")
    path.write_text(f"{BOB}\n")
    os.utime(path, ns=(1, 1))
    found.refresh()
    assert (found.refusal(ANN) is not None, found.refusal(BOB) is not None) == (True, True)


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


# What is in one file beside its first table


def book(path: Path, **sheets: Sequence[Sequence[str]]) -> Path:
    """Write a workbook; a sheet whose name begins with `hidden` is hidden."""
    with xlsxwriter.Workbook(path) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            if name.startswith("hidden"):
                sheet.hide()
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


def test_every_sheet_that_is_shown_suppresses(tmp_path: Path) -> None:
    stop = book(tmp_path / "stop.xlsx", june=[["Phone"], [ANN]], july=[["Name", "Mobile"], ["Bo", "415 555 0124"]])
    assert suppressed(stop, ANN, BOB) == [True, True]
    opened = Suppression.open([stop], kind="phone", country="US")
    assert (opened.notes, opened.warnings) == (
        ["stop.xlsx: 2 numbers from 'Phone' of 'june', 'Mobile' of 'july', never written to"],
        [],
    )


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    about = [["Whom not to write to"], ["kept by the front desk"]]
    sheets = {"about": about, "stop": [["Phone", "Name"], [ANN, "Ann"]], "hidden": [["Phone"], [BOB]], "empty": []}
    opened = Suppression.open([book(tmp_path / "stop.xlsx", **sheets)], kind="phone", country="US")
    assert opened.notes == ["stop.xlsx: 1 number from 'Phone' of 'stop', never written to"]
    assert opened.warnings == [
        "stop.xlsx: the sheet 'hidden' is hidden, and not read: unhide it if it names people too",
        "stop.xlsx: 'about' has no column of phone numbers, and is not read",
    ]


def test_a_workbook_without_any_such_column_is_an_error(tmp_path: Path) -> None:
    stop = book(tmp_path / "stop.xlsx", a=[["Name", "Age"], ["Ann", "7"]], b=[["City", "Day"], ["Rome", "x"]])
    with pytest.raises(ListError, match=r"stop\.xlsx has no column of phone numbers"):
        Suppression.open([stop], kind="phone")


def test_a_sheet_with_people_and_no_clear_header_is_an_error(tmp_path: Path) -> None:
    unclear = [["Stop", "List", ""], ["Group", "Desk", "SingleSendSession"], ["a", "b", ANN]]
    with pytest.raises(ListError, match="'b': it is not clear which row names the columns"):
        Suppression.open([book(tmp_path / "stop.xlsx", a=[["Phone"], [ANN]], b=unclear)], kind="phone")


def test_rows_that_are_hidden_suppress_too_and_are_said(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "stop.xlsx") as made:
        sheet = made.add_worksheet()
        for place, cell in enumerate(["Phone", ANN, BOB]):
            sheet.write(place, 0, cell)
        sheet.set_row(2, None, None, {"hidden": True})
    opened = Suppression.open([tmp_path / "stop.xlsx"], kind="phone")
    assert opened.refusal(BOB)
    assert opened.warnings == ["stop.xlsx: row 3 is hidden, and read like the others"]


def test_how_a_file_was_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "stop.csv").write_bytes(f"Our stop list\n\nName;Phone\nŁukasz Żółć;{ANN}\n".encode("cp1250"))
    opened = Suppression.open([tmp_path / "stop.csv"], kind="phone")
    assert opened.refusal(ANN)
    encoding, header = opened.warnings
    assert encoding.startswith("stop.csv: the list is not UTF-8: read as cp1250")
    assert header == "stop.csv: the columns are named in line 3; what stands above is not read: Our stop list"


def test_every_file_of_an_archive_suppresses(tmp_path: Path) -> None:
    inner = book(tmp_path / "inner.xlsx", a=[["Phone"], [ANN]], b=[["Phone"], [BOB]])
    with zipfile.ZipFile(tmp_path / "stop.zip", "w") as archive:
        archive.writestr("june/stop.csv", "Phone,Name\n+14155550125,Cy\n")
        archive.writestr("july/stop.csv", "Mobile\n+14155550126\n")
        archive.writestr("about.txt", "Our lists\nof whom\n")
        archive.writestr("__MACOSX/._stop.csv", "x")
        archive.write(inner, "inner.xlsx")
    opened = Suppression.open([tmp_path / "stop.zip"], kind="phone")
    assert all(map(opened.refusal, (ANN, BOB, "+14155550125", "+14155550126")))
    assert "'Phone' of inner.xlsx, 'a', 'Phone' of inner.xlsx, 'b'" in opened.notes[0]
    assert opened.warnings == ["stop.zip: about.txt has no column of phone numbers, and is not read"]


def test_a_workbook_in_an_archive_is_read_sheet_by_sheet(tmp_path: Path) -> None:
    inner = book(tmp_path / "inner.xlsx", a=[["Phone"], [ANN]], b=[["Phone"], [BOB]])
    with zipfile.ZipFile(tmp_path / "stop.zip", "w") as archive:
        archive.write(inner, "inner.xlsx")
    assert suppressed(tmp_path / "stop.zip", ANN, BOB) == [True, True]


def test_how_a_file_is_read_is_told_again_only_where_that_changes(tmp_path: Path) -> None:
    stop = book(tmp_path / "stop.xlsx", a=[["Phone"], [ANN]], hidden=[["Phone"], [BOB]])
    opened = Suppression.open([stop], kind="phone")
    book(stop, a=[["Phone"], [ANN], ["+14155550125"]], hidden=[["Phone"], [BOB]])
    assert opened.refresh() == []
    book(stop, a=[["Phone"], [ANN], ["+14155550125"]], hidden_too=[["Phone"], [BOB]])
    assert opened.refresh() == [
        "stop.xlsx: the sheet 'hidden_too' is hidden, and not read: unhide it if it names people too"
    ]
