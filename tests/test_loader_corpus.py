"""Lists as the programs write them that people have: each gives the same recipients."""

import datetime as dt
import gzip
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.errors import ListError
from bulk.loader import ContactList, ReadSpec
from bulk.model import Recipient

ANN, ZOE = "+447911123456", "+447911123457"
ROWS = [["Customer ID", "Phone", "First Name"], ["007", ANN, "Ann"], ["008", ZOE, "Zoë"]]
WANTED = ReadSpec(kind="phone", destination="phone", columns=frozenset({"first_name"}), key="customer_id", country="GB")
EXPECTED = [
    Recipient(0, "007", ANN, {"First Name": "Ann"}),
    Recipient(1, "008", ZOE, {"First Name": "Zoë"}),
]

JUNK = ["~$list.xlsx", ".DS_Store", "__MACOSX/._list.csv", "desktop.ini", "Thumbs.db", ".~lock.list.ods#"]

Make = Callable[[Path], Path]


def text(separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in ROWS)


def encoded(content: str, encoding: str) -> Make:
    def make(folder: Path) -> Path:
        (folder / "list.csv").write_bytes(content.encode(encoding))
        return folder / "list.csv"

    return make


def workbook(rows: list[list[str]], path: Path) -> Path:
    book = xlsxwriter.Workbook(path, {"strings_to_numbers": False})
    sheet = book.add_worksheet("Contacts")
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write_string(place, column, cell)
    book.close()
    return path


def frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS[1:], schema=ROWS[0], orient="row")


def gzipped(folder: Path) -> Path:
    (folder / "list.csv.gz").write_bytes(gzip.compress(text().encode()))
    return folder / "list.csv.gz"


def two_gzips(folder: Path) -> Path:
    lines = text().encode().splitlines(keepends=True)
    (folder / "list.csv.gz").write_bytes(b"".join(map(gzip.compress, lines)))
    return folder / "list.csv.gz"


def zstandard(folder: Path) -> Path:
    frame().write_csv(folder / "list.csv.zst", compression="zstd")
    return folder / "list.csv.zst"


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "list.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("exports/", "")
        archive.writestr("exports/list.csv", text())
        archive.writestr("__MACOSX/._list.csv", "x")
    return folder / "list.zip"


def zipped_with(write: Make) -> Make:
    """Pack what a program writes with what systems leave beside it."""

    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "list.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(write(folder), f"exports/{write(folder).name}")
            for junk in JUNK:
                archive.writestr(f"exports/{junk}", b"\x89junk")
        return folder / "list.zip"

    make.__name__ = f"{write.__name__} in a zip"
    return make


def parquet(folder: Path) -> Path:
    frame().write_parquet(folder / "list.parquet")
    return folder / "list.parquet"


def ndjson(folder: Path) -> Path:
    frame().write_ndjson(folder / "list.ndjson")
    return folder / "list.ndjson"


def ndjson_gzipped(folder: Path) -> Path:
    (folder / "list.json.gz").write_bytes(gzip.compress(ndjson(folder).read_bytes()))
    return folder / "list.json.gz"


def xlsx(folder: Path) -> Path:
    return workbook([*ROWS[:2], ["", "", ""], *ROWS[2:]], folder / "list.xlsx")


def parts(folder: Path) -> Path:
    for number in (1, 2):
        frame()[number - 1 : number].write_csv(folder / f"part-{number}.csv")
    (folder / "_SUCCESS").touch()
    return folder / "part-*.csv"


def a_folder(folder: Path) -> Path:
    (folder / "lists" / "b").mkdir(parents=True)
    frame()[:1].write_parquet(folder / "lists" / "a.parquet")
    frame()[1:].select(reversed(ROWS[0])).write_parquet(folder / "lists" / "b" / "b.parquet")
    (folder / "lists" / ".a.parquet.crc").write_bytes(b"x")
    (folder / "lists" / "__MACOSX").mkdir()
    for junk in JUNK:
        (folder / "lists" / junk).write_bytes(b"\x89junk")
    return folder / "lists"


CORPUS: dict[str, Make] = {
    **{f"separator {name}": encoded(text(one), "utf-8") for name, one in zip("csv;|", ",\t;|", strict=False)},
    **{f"line ends {name}": encoded(text(end=end), "utf-8") for name, end in {"CR": "\r", "CRLF": "\r\n"}.items()},
    **{name: encoded(text(), name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")},
    "blank lines": encoded("\n" + text(end="\n\n"), "utf-8"),
    "quoted": encoded("".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in ROWS), "utf-8"),
    **{make.__name__: make for make in (gzipped, two_gzips, zstandard, zipped, parquet, ndjson, ndjson_gzipped)},
    **{make.__name__: make for make in (xlsx, parts, a_folder)},
    **{make.__name__: make for make in map(zipped_with, (xlsx, parquet, ndjson, gzipped))},
}


def read(contacts: ContactList, wanted: ReadSpec = WANTED) -> list[Recipient]:
    return [recipient for batch in contacts.batches(wanted) for recipient in batch.recipients]


@pytest.mark.parametrize("name", CORPUS)
def test_it_reads_the_same_recipients_whatever_wrote_the_list(name: str, tmp_path: Path) -> None:
    contacts = ContactList.open(CORPUS[name](tmp_path))
    assert [*map(str, contacts.columns)] == ROWS[0]
    assert read(contacts) == EXPECTED
    assert contacts.count() == len(EXPECTED)


def test_a_sheet_gives_whole_numbers_in_digits_alone(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "list.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["phone", "amount", "day", "moment", "time", "sure", "sum"])
    sheet.write_row(1, 0, [447911123456, 12.5])
    for column, (moment, form) in enumerate(
        [
            (dt.date(2026, 11, 20), "dd/mm/yy"),
            (dt.datetime.fromisoformat("2026-11-20 09:30"), "dd/mm/yy hh:mm"),
            (dt.time(9, 30), "hh:mm"),
        ],
        start=2,
    ):
        sheet.write_datetime(1, column, moment, book.add_format({"num_format": form}))
    sheet.write_boolean(1, 5, boolean=True)
    sheet.write_formula(1, 6, "=1+1", None, 2)
    sheet.write_string(2, 0, ANN)
    sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    book.add_worksheet("notes").write(0, 0, "x")
    book.close()
    contacts = ContactList.open(tmp_path / "list.xlsx")
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset(contacts.columns), country="GB")
    first, second = read(contacts, wanted)
    assert first.destination == ANN
    assert list(map(first.cells.get, contacts.columns)) == [
        *("447911123456", "12.5", "2026-11-20", "2026-11-20 09:30:00", "09:30:00", "true", "2")
    ]
    assert second.cells["amount"] == ""
    assert contacts.notes == ["read the sheet 'Sheet1', the first of 2 (to read another: `sheet` under [list])"]


def test_text_in_a_sheet_that_looks_like_a_moment_stays_as_it_is(tmp_path: Path) -> None:
    path = workbook([["phone", "when"], [ANN, "2026-11-20 00:00:00"]], tmp_path / "list.xlsx")
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"when"}))
    assert [recipient.cells for recipient in read(ContactList.open(path), wanted)] == [{"when": "2026-11-20 00:00:00"}]


# What a sheet cannot hold: surrogates, and what reads like its own way to write characters.
SHEET_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff_"), max_size=40)


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(SHEET_TEXT, SHEET_TEXT), min_size=1, max_size=5))
def test_any_text_in_any_cell_of_a_sheet_comes_out_the_same(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.xlsx"
    workbook([["phone", "a", "b"], *([ANN, a, b] for a, b in rows)], path)
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"a", "b"}))
    assert [recipient.cells for recipient in read(ContactList.open(path), wanted)] == [
        {"a": a, "b": b} for a, b in rows
    ]


def test_zeros_that_a_spreadsheet_ate_are_said(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("phone\n7911123456\n7911123457\n")
    contacts = ContactList.open(tmp_path / "list.csv")
    gb = ReadSpec(kind="phone", destination="phone", country="GB")
    trouble = "numbers in 'phone' lack the 0 that those of GB begin with, as after a spreadsheet took them for"
    assert contacts.remarks(gb) == [
        f"{trouble} amounts: read as numbers of GB (to keep the 0, format the column as text)"
    ]
    assert [recipient.destination for recipient in read(contacts, gb)] == [ANN, ZOE]


@pytest.mark.parametrize(
    "numbers, country",
    [
        (["07911123456", "7911123457"], "GB"),  # one kept its 0
        ([ANN], "GB"),
        (["447911123456"], "GB"),  # only the + is missing
        (["4155550123"], "US"),  # numbers there begin with none
        (["12345", "x"], "GB"),
    ],
)
def test_zeros_that_nothing_ate_are_not(numbers: list[str], country: str) -> None:
    contacts = ContactList.open(pl.DataFrame({"phone": numbers}))
    assert contacts.remarks(ReadSpec(kind="phone", destination="phone", country=country)) == []


def test_what_a_spreadsheet_destroyed_is_refused_and_never_guessed(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text('phone\n4.47911E+11\n#NAME?\n#####\n="+447911123456"\n\'+447911123456\n')
    found = read(ContactList.open(tmp_path / "list.csv"), ReadSpec(kind="phone", destination="phone"))
    assert [recipient.refusal and recipient.refusal.code for recipient in found] == [
        *("excel_number", "excel_error", "excel_error", None, None)
    ]
    assert [recipient.destination for recipient in found][3:] == [ANN, ANN]


def test_zero_bytes_are_characters_like_others(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"phone,name\n+447911123456,A\0nn\n+447911123457\0,Bob\n")
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"name"}))
    first, second = read(ContactList.open(tmp_path / "list.csv"), wanted)
    assert first.cells == {"name": "A\0nn"}
    assert second.destination in {ZOE, None}


def test_partitions_become_columns(tmp_path: Path) -> None:
    for country, number in (("GB", ANN), ("US", "+14155550123"), ("__HIVE_DEFAULT_PARTITION__", ZOE)):
        folder = tmp_path / f"country={country}" / "day=2026%2F11"
        folder.mkdir(parents=True)
        pl.DataFrame({"phone": [number]}).write_parquet(folder / "0.parquet")
    contacts = ContactList.open(tmp_path)
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"country", "day"}))
    assert [dict(recipient.cells) for recipient in read(contacts, wanted)] == [
        {"country": country, "day": "2026/11"} for country in ("GB", "US", "")
    ]


def test_files_with_other_columns_are_not_one_list(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"phone,name\n{ANN},Ann\n")
    (tmp_path / "b.csv").write_text(f"phone\n{ZOE}\n")
    with pytest.raises(ListError, match=r"^b.csv lacks the column 'name' that a.csv has: give files with the same"):
        ContactList.open(tmp_path)


def test_files_with_other_types_are_brought_to_those_of_the_first(tmp_path: Path) -> None:
    pl.DataFrame({"phone": [ANN], "n": [1.5]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"phone": [ZOE], "n": [2]}).write_parquet(tmp_path / "b.parquet")
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"n"}))
    assert [recipient.cells["n"] for recipient in read(ContactList.open(tmp_path), wanted)] == [1.5, 2.0]
    pl.DataFrame({"phone": [ZOE], "n": ["many"]}).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(ListError, match=r"^c.parquet: 'n' is String there, and Float64 in the files before"):
        read(ContactList.open(tmp_path), wanted)


def test_trouble_in_one_of_several_files_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"phone,name\n{ANN},Ann\n")
    (tmp_path / "b.csv").write_bytes(f"phone,name\n{ZOE},Zoë\n{ZOE},".encode() + b"\xff\n")
    with pytest.raises(ListError, match=r"^b.csv, line 3: the byte 0xff is not utf-8"):
        read(ContactList.open(tmp_path / "*.csv"), ReadSpec(kind="phone", destination="phone"))


def test_parquet_of_every_kind_gives_its_cells(tmp_path: Path) -> None:
    cells = {
        "phone": ANN,
        "user": {"name": "Ann", "tags": [{"id": 1}]},
        "born": dt.date(1990, 2, 28),
        "at": dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC),
        "owed": Decimal("12.50"),
        "plan": "gold",
    }
    frame = pl.DataFrame([cells]).with_columns(pl.col("plan").cast(pl.Enum(["gold", "free"])))
    frame.write_parquet(tmp_path / "list.parquet")
    wanted = ReadSpec(kind="phone", destination="phone", key="owed", columns=frozenset(cells))
    (found,) = read(ContactList.open(tmp_path / "list.parquet"), wanted)
    assert (found.key, dict(found.cells)) == ("12.50", cells)


def test_members_that_come_late_in_ndjson_are_columns_too(tmp_path: Path) -> None:
    rows = f'{{"phone":"{ANN}"}}\n' * 40_000
    (tmp_path / "list.ndjson").write_text(f'{rows}{{"phone":"{ZOE}","user":{{"name":"Zoë"}},"n":1.5}}\n')
    contacts = ContactList.open(tmp_path / "list.ndjson")
    assert contacts.columns == ["phone", "user", "n"]
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"user", "n"}))
    assert read(contacts, wanted)[-1].cells == {"user": {"name": "Zoë"}, "n": 1.5}
