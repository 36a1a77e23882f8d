"""Delimited text as people have it: separators, encodings, line ends, quotes, ragged rows, compression."""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.loader import ContactList, ReadSpec
from bulk.model import Recipient

ANN, BOB = "+14155550123", "+14155550124"
NAMED = ReadSpec(kind="phone", destination="phone", columns=frozenset({"name"}))

Rows = list[list[str]]


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str | bytes], ContactList]:
    """Open a list that holds these bytes."""

    def opened(content: str | bytes) -> ContactList:
        path = tmp_path / "list.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return ContactList.open(path)

    return opened


Listed = Callable[[str | bytes], ContactList]


def written(rows: Rows, **options: str | int) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, **options).writerows(rows)  # type: ignore[arg-type] # its options are typed one by one
    return file.getvalue()


def recipients(contacts: ContactList, wanted: ReadSpec = NAMED) -> list[Recipient]:
    return [recipient for batch in contacts.batches(wanted) for recipient in batch.recipients]


def names(contacts: ContactList) -> list[str]:
    return [recipient.cells["name"] for recipient in recipients(contacts)]


def refusals(contacts: ContactList) -> dict[int, str]:
    return {recipient.row: recipient.refusal.code for recipient in recipients(contacts) if recipient.refusal}


AS_TEXT = '="'  # how a spreadsheet is made to keep a text that looks like a number: it stands for what is in it
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).filter(
    lambda text: AS_TEXT not in text
)
HEADERS = ["phone", "name", "note"]
ENDS = [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]


@given(
    rows=st.lists(st.tuples(CELLS, CELLS).map(lambda cells: [ANN, *cells]), min_size=1, max_size=20),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(ENDS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_text_in_any_cell_goes_in_and_comes_out_the_same(
    rows: Rows, separator: str, end: tuple[str, int], encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    text = written([HEADERS, *rows], delimiter=separator, lineterminator=end[0], quoting=end[1])
    path.write_bytes(text.encode(encoding))
    contacts = ContactList.open(path)
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset(HEADERS))
    found = [[recipient.cells[header] for header in HEADERS] for recipient in recipients(contacts, wanted)]
    assert found == rows
    assert contacts.count() == len(rows)


def test_leading_zeros_and_plus_signs_are_kept(listed: Listed) -> None:
    assert names(listed(f"phone,name\n{ANN},007\n{ANN},+1e5\n{ANN},1.0\n")) == ["007", "+1e5", "1.0"]


def test_an_empty_cell_is_empty_text_quoted_or_not(listed: Listed) -> None:
    assert names(listed(f'phone,name\n{ANN},\n{ANN},""\n')) == ["", ""]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_told_from_the_rows(listed: Listed, separator: str) -> None:
    rows = [["phone", "name", "when"], [ANN, "Ann", "9, or 10"], [BOB, "Bob; Eve", "11|12"]]
    assert names(listed(written(rows, delimiter=separator))) == ["Ann", "Bob; Eve"]


def test_a_list_of_one_column_needs_no_separator(listed: Listed) -> None:
    contacts = listed(f"phone\n{ANN}\n\n{BOB}\n")
    found = recipients(contacts, ReadSpec(kind="phone", destination="phone"))
    assert [(recipient.row, recipient.destination) for recipient in found] == [(0, ANN), (1, BOB)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_read_in_every_encoding(listed: Listed, encoding: str) -> None:
    assert names(listed(f"phone,name\r\n{ANN},Zoë 陳 😀\r\n".encode(encoding))) == ["Zoë 陳 😀"]


def test_what_is_no_utf_8_is_cp1252_even_where_it_shows_late(listed: Listed) -> None:
    rows = [[ANN, "Ann"]] * 60_000 + [[ANN, "Zoë “Z” 5 €"], [ANN, "Bob"]]
    found = names(listed(written([["phone", "name"], *rows]).encode("cp1252")))
    assert found == [name for _, name in rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_line(listed: Listed, end: str) -> None:
    assert names(listed(end.join(["phone,name", f"{ANN},Ann", f"{BOB},Bob"]))) == ["Ann", "Bob"]


def test_quoted_cells_hold_line_breaks_quotes_and_separators(listed: Listed) -> None:
    cell = 'a\r\nb\n\n"c", d\re'
    assert names(listed(written([["phone", "name"], [ANN, cell], [BOB, "Bob"]]))) == [cell, "Bob"]


def test_a_quote_inside_an_unquoted_cell_is_a_character(listed: Listed) -> None:
    assert names(listed(f'phone,name\n{ANN},6" pipe\n{BOB},"Bob"\n')) == ['6" pipe', "Bob"]


def test_a_cell_may_be_as_long_as_a_mail(listed: Listed) -> None:
    body = 'say "hi"\n' * 100_000
    assert names(listed(written([["phone", "name"], [ANN, body], [BOB, "Bob"]]))) == [body, "Bob"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_that_are_too_long_are_refused_and_the_others_are_not(listed: Listed, quote: str) -> None:
    contacts = listed(f"name,phone,note\nAnn,{ANN},\nBob,{ANN}\nCy,{ANN},x,y\n{quote}Di{quote},{ANN},x,,\nEd,{ANN},x\n")
    assert refusals(contacts) == {2: "ragged_row"}
    assert names(contacts) == ["Ann", "Bob", "Cy", "Di", "Ed"]
    assert contacts.count() == 5


def test_a_row_that_is_too_long_says_what_to_do(listed: Listed) -> None:
    refusal = recipients(listed(f"phone,name\n{ANN},Lee, Ann\n"))[0].refusal
    assert refusal is not None
    remedy = "put quotes around a cell that holds a comma or a line break"
    assert refusal.message == f"the row has 3 cells where the header has 2: {remedy}"


@pytest.mark.parametrize("more", ["", ",x,"])
def test_rows_that_lack_their_last_cells_are_read_and_said_once(listed: Listed, more: str) -> None:
    contacts = listed(f"phone,name,note\n{ANN},Ann{more}\n{ANN},Bob\n{ANN},Cy\n{ANN},Di,x\n")
    assert refusals(contacts) == {}
    assert names(contacts) == ["Ann", "Bob", "Cy", "Di"]
    rows, line = ("3 rows", 2) if not more else ("2 rows", 3)
    for _ in range(2):
        assert contacts.notes == [f"{rows} lack their last cells (line {line}, for one): read as empty"]
        recipients(contacts)


def test_the_halves_of_a_row_that_a_line_break_broke_are_both_refused(listed: Listed) -> None:
    contacts = listed(f"phone,name,note\n{ANN},Ann,good\n{ANN},Bo\nb,bad\n{BOB},Cy,good\n{ANN},Di\n{BOB},Ed\n")
    assert refusals(contacts) == {1: "ragged_row", 2: "ragged_row"}


@pytest.mark.parametrize("separator", ",;")
def test_a_header_that_ends_with_a_separator_does_no_harm(listed: Listed, separator: str) -> None:
    contacts = listed(f"Phone,Name,\n{ANN},Ann\n{BOB},Bob\n".replace(",", separator))
    assert [(one.destination, one.cells, one.refusal) for one in recipients(contacts)] == [
        (ANN, {"Name": "Ann"}, None),
        (BOB, {"Name": "Bob"}, None),
    ]
    assert contacts.notes == ["column 3 has no name: read as 'column_3'"]


def test_a_row_with_a_lone_quote_is_refused_and_the_next_is_not(listed: Listed) -> None:
    contacts = listed(f'phone,name\n{ANN},"Ann" Lee\n{BOB},Bob\n')
    assert refusals(contacts) == {0: "ragged_row"}
    assert names(contacts)[1] == "Bob"


def test_blank_lines_are_no_rows_and_rows_of_empty_cells_are(listed: Listed) -> None:
    contacts = listed(f"\n\nphone,name\n\n{ANN},Ann\n\r\n,\n{BOB},Bob\n\n")
    found = recipients(contacts)
    assert [(recipient.row, recipient.destination) for recipient in found] == [(0, ANN), (1, None), (2, BOB)]
    assert contacts.count() == 3


def test_doubled_and_empty_headers_get_names_of_their_own(listed: Listed) -> None:
    contacts = listed(f"phone,name,name,,name_2,\n{ANN},a,b,c,d,e\n")
    assert contacts.columns == ["phone", "name", "name_3", "column_4", "name_2", "column_6"]
    assert contacts.notes == [
        "column 3 is a second 'name': read as 'name_3'",
        "column 4 has no name: read as 'column_4'",
        "column 6 has no name: read as 'column_6'",
    ]
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset(contacts.columns[1:]))
    assert recipients(contacts, wanted)[0].cells == {
        "name": "a",
        "name_3": "b",
        "column_4": "c",
        "name_2": "d",
        "column_6": "e",
    }


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "", "column_2", " "]), min_size=1, max_size=8))
def test_every_column_has_a_name_of_its_own(headers: list[str]) -> None:
    from bulk.loader.column_names import named  # noqa: PLC0415 - private: what makes the names, without a file for each

    found, _ = named(headers)
    assert len(set(found)) == len(headers)


ROWS = written([["phone", "name"], *([f"+1415555{number % 10_000:04}", f"N{number}"] for number in range(40_000))])


def zipped(*files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in files:
            archive.writestr(name, ROWS)
    return file.getvalue()


def zstandard(folder: Path) -> bytes:
    """Compressed as polars does it: Python itself cannot, before 3.14."""
    frame = pl.read_csv(ROWS.encode(), infer_schema=False)
    frame.write_csv(folder / "made.zst", compression="zstd")
    return (folder / "made.zst").read_bytes()


@pytest.mark.parametrize("form", ["plain", "gzip", "zstd", "zip"])
def test_compressed_lists_are_read_as_they_are(listed: Listed, tmp_path: Path, form: str) -> None:
    content: dict[str, Callable[[], bytes]] = {
        "plain": ROWS.encode,
        "gzip": lambda: gzip.compress(ROWS.encode()),
        "zstd": lambda: zstandard(tmp_path),
        "zip": lambda: zipped("list.csv", "__MACOSX/list.csv"),
    }
    contacts = listed(content[form]())
    assert names(contacts) == [f"N{number}" for number in range(40_000)]
    assert contacts.count() == 40_000


def test_a_list_with_quotes_halfway_is_read_to_its_end(listed: Listed) -> None:
    rows = [[ANN, f"N{number}"] for number in range(40_000)]
    rows[30_000][1] = 'say "hi"\nto me'
    contacts = listed(written([["phone", "name"], *rows]))
    assert names(contacts) == [name for _, name in rows]
    assert contacts.count() == len(rows)
