"""Workbooks: which sheet is read, what is hidden in it, what its cells are, and how large it may be."""

import datetime as dt
import struct
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from bulk.errors import ListError
from bulk.loader import ContactList, Layout, ReadSpec
from bulk.model import Recipient

ANN, BOB, CY = "+447911123456", "+447911123457", "+447911123458"
ROWS = [["Phone", "Name"], [ANN, "Ann"], [BOB, "Bob"], [CY, "Cy"]]
PHONE = ReadSpec(kind="phone", destination="phone", country="GB")

Fill = Callable[[Any, Any], None]
"""Fills in a sheet of a book."""


def made(folder: Path, **sheets: Fill | Sequence[Sequence[Any]]) -> Path:
    """Make a workbook of these sheets, given as rows or as what fills them in."""
    book = xlsxwriter.Workbook(folder / "list.xlsx")
    for name, fill in sheets.items():
        sheet = book.add_worksheet(name)
        if callable(fill):
            fill(book, sheet)
        else:
            for place, row in enumerate(fill):
                sheet.write_row(place, 0, row)
    book.close()
    return folder / "list.xlsx"


def read(path: Path, wanted: ReadSpec = PHONE, **layout: Any) -> list[Recipient]:
    contacts = ContactList.open(path, layout=Layout(**layout))
    return [recipient for batch in contacts.batches(wanted) for recipient in batch.recipients]


def cells(path: Path, column: str) -> list[str]:
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({column}), country="GB")
    return [str(one.cells[column]) for one in read(path, wanted)]


# Cells


def test_a_word_among_days_leaves_the_days_as_they_are(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        day, clock = book.add_format({"num_format": "dd/mm/yy"}), book.add_format({"num_format": "hh:mm"})
        hours = book.add_format({"num_format": "[h]:mm"})
        sheet.write_row(2, 3, ["Phone", "When"])
        moments: list[Any] = [
            *(dt.datetime.fromisoformat(text) for text in ("2026-11-20", "2026-11-20 09:30")),
            *("tbc", "2026-11-20 00:00:00", dt.time(9, 30)),
        ]
        for place, moment in enumerate(moments, start=3):
            sheet.write_string(place, 3, ANN)
            write = sheet.write_string if isinstance(moment, str) else sheet.write_datetime
            write(
                place, 4, moment, *([] if isinstance(moment, str) else [clock if isinstance(moment, dt.time) else day])
            )
        sheet.write_string(8, 3, ANN)
        sheet.write_number(8, 4, 1.5, hours)
        sheet.write_string(9, 3, ANN)
        sheet.write_number(9, 4, 12.0)

    assert cells(made(tmp_path, Contacts=fill), "When") == [
        *("2026-11-20", "2026-11-20 09:30:00", "tbc", "2026-11-20 00:00:00", "09:30:00", "36:00:00", "12")
    ]


def uncalculated(book: Any, sheet: Any) -> None:  # noqa: ARG001 - as every filler
    sheet.write_row(0, 0, ["Phone", "Name", "Day"])
    for row in (1, 2):
        sheet.write_string(row, 0, ANN)
        sheet.write_formula(row, 1, '="Ann"', None, "Ann")
        sheet.write_formula(row, 2, "=TODAY()", None, "")


def test_formulas_that_were_never_calculated_are_called_that(tmp_path: Path) -> None:
    path = made(tmp_path, Contacts=uncalculated)
    trouble = (
        "'Day' holds 2 formulas that were never calculated, such as C2: open the workbook in a spreadsheet program, "
        "save it, and try again"
    )
    assert ContactList.open(path).notes == [trouble]
    assert cells(path, "Name") == ["Ann", "Ann"]
    with pytest.raises(ListError) as raised:
        cells(path, "Day")
    assert str(raised.value) == f"list.xlsx: {trouble}"


# Rows


def test_rows_are_counted_as_the_sheet_shows_them(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write(1, 2, "Contacts of November")
        for place, row in zip((4, 5, 8, 9), ROWS, strict=True):
            sheet.write_row(place, 2, row)
        sheet.write(11, 2, "Total")
        sheet.write(11, 3, 3)

    path = made(tmp_path, Contacts=fill)
    assert [(one.row, one.line, one.destination) for one in read(path)] == [(0, 6, ANN), (1, 9, BOB), (2, 10, CY)]
    assert ContactList.open(path).notes == [
        "the columns are named in row 5; what stands above is not read: Contacts of November",
        "row 12 ('Total') stands below the table and holds no recipient: not read",
    ]
    assert ContactList.open(path).count() == 3


def test_a_header_row_is_counted_as_the_sheet_shows_it(tmp_path: Path) -> None:
    path = made(tmp_path, Contacts=[["x"], [], ["Wie", "Waar"], ["Ann", "unknown"], ["Bob", BOB]])
    found = read(path, ReadSpec(kind="phone", destination="waar"), header_row=3)
    assert [one.line for one in found] == [4, 5]


# Sheets


@pytest.mark.parametrize(
    "cover",
    [
        [["Contact list of November"], ["by Ann Lee"]],
        [["Owner", "Ann Lee"], ["Mail", "ann@example.com"], ["Date", "20/11/2026"], ["Rows", 3]],
        [],
        [["Name", "City"], ["Ann", "Paris"]],
    ],
)
def test_a_cover_sheet_is_passed_over(cover: list[list[Any]], tmp_path: Path) -> None:
    path = made(tmp_path, Cover=cover, People=ROWS)
    assert [one.destination for one in read(path)] == [ANN, BOB, CY]
    assert ContactList.open(path).notes == [
        "read the sheet 'People', 2 of 2: 'Cover' holds no list (to read another: `sheet` under [list])"
    ]


def test_a_hidden_sheet_is_passed_over(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ROWS[0])
        sheet.write_row(1, 0, [CY, "Old"])
        sheet.hide()

    def first(_: Any, sheet: Any) -> None:
        sheet.activate()
        for place, row in enumerate(ROWS):
            sheet.write_row(place, 0, row)

    path = made(tmp_path, Old=fill, People=first)
    assert len(read(path)) == 3
    assert ContactList.open(path).notes == [
        "read the sheet 'People', 2 of 2: 'Old' is hidden (to read another: `sheet` under [list])"
    ]
    assert [one.key for one in read(path, sheet="old")] == [CY]
    assert ContactList.open(path, layout=Layout(sheet="Old")).notes == ["the sheet 'Old' is hidden"]
    with pytest.raises(
        ListError, match="is 1, which is 'People' of those that are shown and 'Old' of all: give the sh"
    ):
        read(path, sheet=1)


def test_no_sheet_with_a_list_is_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"^list.xlsx is empty: a sheet that is shown .*; the workbook has 'A', 'B'$"):
        read(made(tmp_path, A=[], B=[]))


@pytest.mark.parametrize("sheet", ["People", " people ", 2])
def test_a_sheet_is_chosen_by_name_or_number(sheet: str | int, tmp_path: Path) -> None:
    path = made(tmp_path, First=[["Phone"], [CY]], People=ROWS, Third=[["Phone"], [BOB]])
    assert len(read(path, sheet=sheet)) == 3


@pytest.mark.parametrize("sheet", ["Peple", 4])
def test_a_sheet_that_is_none_is_an_error_that_names_them(sheet: str | int, tmp_path: Path) -> None:
    path = made(tmp_path, First=[["Phone"], [CY]], People=ROWS)
    with pytest.raises(ListError, match=r"^list.xlsx: \[list\] sheet is .*the workbook has 'First', 'People'$"):
        read(path, sheet=sheet)


def test_a_name_with_signs_of_xml_is_a_name(tmp_path: Path) -> None:
    path = made(tmp_path, **{"A & <B>": ROWS})
    assert len(read(path, sheet="A & <B>")) == 3


# What is hidden


def hiding(_: Any, sheet: Any) -> None:
    for place, row in enumerate(ROWS):
        sheet.write_row(place, 1, [*row, "x"])
    sheet.write(0, 3, "Note")
    sheet.set_row(2, None, None, {"hidden": True})
    sheet.set_column(3, 3, None, None, {"hidden": True})


def test_a_list_with_hidden_rows_is_an_error_that_offers_both(tmp_path: Path) -> None:
    with pytest.raises(ListError) as raised:
        read(made(tmp_path, Contacts=hiding))
    assert str(raised.value) == (
        "list.xlsx, 'Contacts': row 3 and the column 'Note' are hidden: set `hidden_rows` under [list] to "
        '"skip" to leave them out, or to "read" to use them as the others'
    )


def test_hidden_rows_and_columns_are_left_out_where_that_is_said(tmp_path: Path) -> None:
    path = made(tmp_path, Contacts=hiding)
    found = read(path, hidden_rows="skip")
    assert [(one.row, one.line, one.destination) for one in found] == [(0, 2, ANN), (1, 4, CY)]
    contacts = ContactList.open(path, layout=Layout(hidden_rows="skip"))
    assert contacts.columns == ["Phone", "Name"]
    assert contacts.notes == ["row 3 is hidden, and left out", "the column 'Note' is hidden, and left out"]


def test_hidden_rows_are_read_where_that_is_said(tmp_path: Path) -> None:
    path = made(tmp_path, Contacts=hiding)
    assert [one.line for one in read(path, hidden_rows="read")] == [2, 3, 4]
    assert ContactList.open(path, layout=Layout(hidden_rows="read")).notes == [
        "row 3 is hidden, and read like the others",
        "the column 'Note' is hidden, and read like the others",
    ]


def test_rows_hidden_by_a_filter_are_hidden(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        for place, row in enumerate(ROWS):
            sheet.write_row(place, 0, row)
        sheet.autofilter(0, 0, 3, 1)
        sheet.filter_column(1, "x == Bob")
        sheet.set_row(1, options={"hidden": True})
        sheet.set_row(3, options={"hidden": True})

    path = made(tmp_path, Contacts=fill)
    with pytest.raises(
        ListError, match=r"^list.xlsx, 'Contacts': 2 rows \(such as row 2\) are hidden: set `hidden_rows`"
    ):
        read(path)
    assert [one.destination for one in read(path, hidden_rows="skip")] == [BOB]


def test_a_hidden_column_alone_is_said(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        for place, row in enumerate(ROWS):
            sheet.write_row(place, 0, row)
        sheet.set_column(1, 1, 0)

    assert ContactList.open(made(tmp_path, Contacts=fill)).notes == [
        "the column 'Name' is hidden, and read like the others"
    ]


def test_hidden_rows_without_a_cell_are_of_no_interest(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        for place, row in enumerate(ROWS):
            sheet.write_row(place, 0, row)
        sheet.set_row(20, None, None, {"hidden": True})

    assert ContactList.open(made(tmp_path, Contacts=fill)).notes == []


def cell(text: str, repeated: int = 1) -> str:
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    return f'<table:table-cell office:value-type="string"{times}><text:p>{text}</text:p></table:table-cell>'


def opendocument(folder: Path, *rows: str) -> Path:
    """Make a workbook as LibreOffice writes it, with a hidden cover sheet before."""
    spaces = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    }
    hidden = '<style:table-properties table:display="false"/>'
    styles = f'<style:style style:name="ta2" style:family="table">{hidden}</style:style>'
    cover = f'<table:table table:name="Cover" table:style-name="ta2"><table:table-row>{cell("x")}</table:table-row>'
    cells = '<table:table-cell table:number-columns-repeated="16384"/>'
    far = f'<table:table-row table:number-rows-repeated="1048000">{cells}</table:table-row>'
    sheet = f'<table:table table:name="People"><table:table-column/>{"".join(rows)}{far}</table:table>'
    declared = " ".join(f'xmlns:{name}="{space}"' for name, space in spaces.items())
    body = f"<office:body><office:spreadsheet>{cover}</table:table>{sheet}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(folder / "list.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        )
        archive.writestr(
            "content.xml",
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<office:document-content {declared}><office:automatic-styles>{styles}</office:automatic-styles>{body}"
            "</office:document-content>",
        )
    return folder / "list.ods"


def test_hidden_rows_and_sheets_of_opendocument_are_seen(tmp_path: Path) -> None:
    path = opendocument(
        tmp_path,
        '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>',
        f"<table:table-row><table:table-cell/>{cell('Phone')}{cell('Name')}</table:table-row>",
        f'<table:table-row table:visibility="filter"><table:table-cell/>{cell(ANN)}{cell("Ann")}</table:table-row>',
        f'<table:table-row table:number-rows-repeated="2"><table:table-cell/>{cell(BOB, 2)}</table:table-row>',
    )
    assert [(one.line, one.destination) for one in read(path, hidden_rows="skip")] == [(6, BOB), (7, BOB)]
    with pytest.raises(ListError, match=r"^list.ods, 'People': row 5 is hidden: "):
        read(path)


# Workbooks as other programs write them

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def packed(path: Path, book: bytes, sheet: bytes, kind: str) -> Path:
    """Pack a workbook of one sheet."""
    relation = f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.{kind}"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        document = f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.{kind}"/>'
        for part, said in (("_rels/.rels", document), (f"xl/_rels/workbook.{kind}.rels", relation)):
            archive.writestr(part, f'<Relationships xmlns="{RELATIONS}">{said}</Relationships>')
        archive.writestr(f"xl/workbook.{kind}", book)
        archive.writestr(f"xl/worksheets/sheet1.{kind}", sheet)
    return path


def xlsx(folder: Path, rows: str, prefix: str = "") -> Path:
    """Make a workbook of a sheet's rows, written with a prefix to every name as some libraries do."""
    space = f'xmlns:{prefix}="{MAIN}"' if prefix else f'xmlns="{MAIN}"'
    before = f"{prefix}:" if prefix else ""
    sheets = f'<{before}sheets><{before}sheet name="People" sheetId="1" r:id="rId1"/></{before}sheets>'
    book = f'<{before}workbook {space} xmlns:r="{OFFICE}">{sheets}</{before}workbook>'
    for name in ("row", "c", "is", "t", "v", "f"):
        rows = (
            rows.replace(f"<{name}", f"<{before}{name}").replace(f"</{name}", f"</{before}{name}") if before else rows
        )
    data = f"<{before}sheetData>{rows}</{before}sheetData>"
    sheet = f"<{before}worksheet {space}>{data}</{before}worksheet>"
    return packed(folder / "list.xlsx", book.encode(), sheet.encode(), "xml")


def inline(reference: str, text: str) -> str:
    said = f' r="{reference}"' if reference else ""
    return f'<c{said} t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="3">{inline("B3", "Phone")}{inline("C3", "Day")}</row>'


@pytest.mark.parametrize("prefix", ["", "x"])
def test_rows_are_found_whatever_the_prefix_of_names(prefix: str, tmp_path: Path) -> None:
    hidden = f'<row r="5" hidden="1">{inline("B5", BOB)}</row>'
    uncalculated = f'<row r="7">{inline("B7", CY)}<c r="C7"><f>TODAY()</f><v/></c></row>'
    rows = f'{HEADER}<row r="4">{inline("B4", ANN)}</row>{hidden}{uncalculated}'
    path = xlsx(tmp_path, rows, prefix)
    assert [(one.line, one.destination) for one in read(path, hidden_rows="skip")] == [(4, ANN), (7, CY)]
    notes = ContactList.open(path, layout=Layout(hidden_rows="skip")).notes
    assert notes[1].startswith("'Day' holds a formula that was never calculated (C7)")


def test_rows_and_cells_that_do_not_say_where_they_are_are_counted(tmp_path: Path) -> None:
    rows = "".join(
        f"<row{more}>{inline('', text)}</row>" for text, more in (("Phone", ""), (ANN, ""), (BOB, ' hidden="1"'))
    )
    path = xlsx(tmp_path, rows)
    assert [(one.line, one.destination) for one in read(path, hidden_rows="skip")] == [(2, ANN)]


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="A1"><f>1</f></c></row>',
        '<row r="1"><c r="A1" s="1"/></row>',
        '<row r="1" hidden="1"/>',
    ],
)
def test_rows_above_that_hold_nothing_are_counted(row: str, tmp_path: Path) -> None:
    path = xlsx(tmp_path, f'{row}{HEADER}<row r="4">{inline("B4", ANN)}</row>')
    assert [one.line for one in read(path, hidden_rows="read")] == [4]


def test_an_empty_text_of_a_formula_is_a_value(tmp_path: Path) -> None:
    formula = '<c r="C4" t="str"><f>IF(1,"","x")</f><v></v></c>'
    path = xlsx(tmp_path, f'{HEADER}<row r="4">{inline("B4", ANN)}{formula}</row>')
    assert cells(path, "Day") == [""]


def record(kind: int, held: bytes = b"") -> bytes:
    """Make a record of an .xlsb workbook."""
    assert len(held) < 1 << 14
    numbers = (bytes([n]) if n < 128 else bytes([n & 0x7F | 0x80, n >> 7]) for n in (kind, len(held)))
    return b"".join(numbers) + held


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(folder: Path, rows: dict[int, dict[int, str]], hidden: Sequence[int] = ()) -> Path:
    sheet = record(129) + record(148, bytes(16)) + record(145)
    for row, columns in rows.items():
        sheet += record(0, struct.pack("<IIHBBBI", row - 1, 0, 0, 0, 0x10 if row in hidden else 0, 0, 0))
        sheet += b"".join(record(6, struct.pack("<II", column, 0) + wide(text)) for column, text in columns.items())
    bundle = record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("People"))
    book = record(131) + record(143) + bundle + record(144) + record(132)
    return packed(folder / "list.xlsb", book, sheet + record(146) + record(130), "bin")


def test_hidden_rows_of_a_binary_workbook_are_seen(tmp_path: Path) -> None:
    path = xlsb(tmp_path, {3: {1: "Phone"}, 4: {1: ANN}, 5: {1: BOB}}, hidden=[5])
    with pytest.raises(ListError, match=r"^list.xlsb, 'People': row 5 is hidden: "):
        read(path)
    assert [(one.line, one.destination) for one in read(path, hidden_rows="skip")] == [(4, ANN)]


def test_cells_far_out_in_a_binary_workbook_are_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        ListError, match=r"^list.xlsb, 'People': its cells reach from A1 to XFD1048576, and a sheet may"
    ):
        read(xlsb(tmp_path, {1: {0: "Phone"}, 1_048_576: {16_383: "x"}}))


# How large it may be


def far_out(_: Any, sheet: Any) -> None:
    sheet.write(0, 0, "Phone")
    sheet.write(1_048_575, 16_383, "x")


@pytest.mark.timeout(30)
def test_a_sheet_with_cells_far_out_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ListError) as raised:
        read(made(tmp_path, Contacts=far_out))
    assert str(raised.value) == (
        "list.xlsx, 'Contacts': its cells reach from A1 to XFD1048576, and a sheet may have 20,000,000 cells: "
        "delete what stands far out, or save the sheet as 'CSV UTF-8'"
    )


@pytest.mark.timeout(30)
def test_cells_repeated_without_end_are_an_error_that_says_so(tmp_path: Path) -> None:
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell("x", 16_384)}</table:table-row>'
    with pytest.raises(ListError, match=r"^list.ods: its cells reach from A1 to XFD1048576, and a sheet may have 20"):
        read(opendocument(tmp_path, row))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_that_unpacks_to_more_than_it_may_is_an_error(part: str, tmp_path: Path) -> None:
    path = made(tmp_path, Contacts=ROWS)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            if name != part:
                archive.writestr(name, content)
                continue
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(content)
                for _ in range(1100):
                    file.write(b" " * (1 << 20))
    with pytest.raises(
        ListError, match=r"^bomb.xlsx: unpacked, it has 1,1\d\d,\d\d\d,\d\d\d bytes, and a workbook may"
    ):
        read(tmp_path / "bomb.xlsx")


def test_styles_far_out_are_no_cells(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for place, row in enumerate(ROWS):
            sheet.write_row(place, 0, row)
        sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))

    assert len(read(made(tmp_path, Contacts=fill))) == 3


def test_a_long_sheet_is_looked_through_in_time(tmp_path: Path) -> None:
    rows = [["Phone", "Name", "City", "Note"], *([f"+44791{row:07}", "Ann", "Paris", "x"] for row in range(50_000))]
    path = made(tmp_path, Contacts=rows)
    began = time.monotonic()
    assert ContactList.open(path).count() == 50_000
    assert time.monotonic() - began < 20
