"""Where a list's table is in its file: what stands above and below it, and what its lines are called."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk.errors import ListError
from bulk.loader import ContactList, Layout, ReadSpec
from bulk.model import Recipient

ANN, BOB = "+14155550123", "+14155550124"
ROWS = f"{ANN},Ann,Paris\n{BOB},Bob,Rome\n"
TABLE = f"Phone,First Name,City\n{ROWS}"
NAMED = ReadSpec(kind="phone", destination="phone", columns=frozenset({"first_name"}))

Listed = Callable[..., ContactList]


@pytest.fixture
def listed(tmp_path: Path) -> Listed:
    def opened(content: str, **layout: int) -> ContactList:
        path = tmp_path / "list.csv"
        path.write_text(content)
        return ContactList.open(path, layout=Layout(**layout))  # type: ignore[arg-type] # one of its fields

    return opened


def read(contacts: ContactList, wanted: ReadSpec = NAMED) -> list[Recipient]:
    return [recipient for batch in contacts.batches(wanted) for recipient in batch.recipients]


def people(contacts: ContactList) -> list[tuple[str | None, str]]:
    return [(one.destination, str(one.cells["First Name"])) for one in read(contacts)]


def refusals(contacts: ContactList) -> dict[int | None, str]:
    return {one.line: one.refusal.code for one in read(contacts) if one.refusal}


EVERYBODY = [(ANN, "Ann"), (BOB, "Bob")]


# What stands above


@pytest.mark.parametrize(
    "above",
    [
        "Contacts of November\n",
        "Contacts of November,,\n",
        "Contacts of November\n\n",
        ",,\n,,\n",
        "Report,Contacts\nDate,20/11/2026\n,,\n",
        "Contact,,Address\n",
        '"Contacts, and their cities"\n"as of 2026-11-20 09:30"\n\n\n',
        "\ufeffContacts 2026\n",
    ],
)
def test_titles_and_empty_rows_above_the_header_are_passed_over(listed: Listed, above: str) -> None:
    contacts = listed(above + TABLE)
    assert contacts.columns == ["Phone", "First Name", "City"]
    assert people(contacts) == EVERYBODY
    assert contacts.count() == 2
    line = above.count("\n") + 1
    assert [one.line for one in read(contacts)] == [line + 1, line + 2]
    if "".join(above.split()).strip(","):
        assert contacts.notes[0].startswith(f"the columns are named in line {line}; what stands above is not read: ")


def test_what_is_not_read_above_is_quoted(listed: Listed) -> None:
    assert listed(f"Contacts of November\nDate,20/11/2026\n{TABLE}").notes == [
        "the columns are named in line 3; what stands above is not read: Contacts of November / Date, 20/11/2026"
    ]


@pytest.mark.parametrize("separator", ";\t|")
def test_a_title_with_a_comma_does_not_hide_the_separator(listed: Listed, separator: str) -> None:
    assert people(listed("Contacts, of November\n" + TABLE.replace(",", separator))) == EVERYBODY


def test_groups_above_the_names_fill_in_where_there_is_no_name(listed: Listed) -> None:
    contacts = listed(f"Contact,,City\nPhone,First Name,\n{ROWS}")
    assert contacts.columns == ["Phone", "First Name", "City"]
    assert people(contacts) == EVERYBODY


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        f"Phone,First Name,\n{ROWS}",
        f"Phone\n{ANN}\n{BOB}\n",
        f"Telefoon,Wie,Waar\n{ROWS}",
        f"Wie,Waar,Telefoon\nAnn,Paris,onbekend\nBob,Rome,{BOB}\n",  # no data in the first row
        f"Phone,2026-11-01,2026-11-02\n{ANN},1,2\n",
        f"{ANN},Ann,Paris\n{ROWS}",  # no header at all: its first row is taken for one, as ever
    ],
)
def test_a_header_in_the_first_line_needs_no_word(listed: Listed, content: str) -> None:
    contacts = listed(content)
    assert [one for one in contacts.notes if "has no name" not in one] == []
    assert [column for column in contacts.columns if column != "column_3"] == [
        cell for cell in content.splitlines()[0].split(",") if cell
    ]


@pytest.mark.parametrize(
    "content",
    [
        f"Lijst\nWie,Waar,Nummer\nAnn,Paris,onbekend\nBob,Rome,{BOB}\n",
        f"Wie,,Waar\nVoornaam,Achternaam,Stad\nAnn,Lee,{ANN}\n",
        f"Lijst\n{ROWS}",
    ],
)
def test_a_header_that_is_not_clear_is_asked_for_with_the_first_lines(listed: Listed, content: str) -> None:
    with pytest.raises(ListError) as raised:
        listed(content)
    said = str(raised.value)
    assert said.startswith(
        "list.csv: it is not clear which line names the columns: delete what stands above that line, or, of a contact "
        "list, set `header_row` under [list] to it. The first lines are:\n  line 1: "
    )
    assert "\n  line 2: " in said
    assert ANN not in said
    assert BOB not in said


def test_a_header_row_that_is_said_is_taken(listed: Listed) -> None:
    contacts = listed(f"Lijst\n\nWie,Waar,Nummer\nAnn,Paris,onbekend\nBob,Rome,{BOB}\n", header_row=3)
    assert contacts.columns == ["Wie", "Waar", "Nummer"]
    assert contacts.notes == []
    wanted = ReadSpec(kind="phone", destination="nummer")
    assert [(one.line, one.destination) for one in read(contacts, wanted)] == [(4, None), (5, BOB)]


@pytest.mark.parametrize("header_row", [2, 9])
def test_a_header_row_that_is_none_is_an_error(listed: Listed, header_row: int) -> None:
    with pytest.raises(
        ListError, match=rf"^list.csv: \[list\] header_row is {header_row}, and no row begins there. The f"
    ):
        listed(f"Lijst\n\n{TABLE}", header_row=header_row)


@pytest.mark.parametrize("line", ["sep=;\n", "sep=;\r\n", '"sep=;"\n', "SEP=;\n", "\ufeffsep=;\n", "sep=;;\n"])
def test_a_line_that_names_the_separator_is_used_and_is_no_row(listed: Listed, line: str) -> None:
    contacts = listed(line + TABLE.replace(",", ";"))
    assert people(contacts) == EVERYBODY
    assert [one.line for one in read(contacts)] == [3, 4]


def test_any_sign_may_be_named_as_the_separator(listed: Listed) -> None:
    assert people(listed("sep=#\n" + TABLE.replace(",", "#"))) == EVERYBODY


# What stands below

SALESFORCE = """

"Contacts"
"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."
"Confidential Information"
"Generated By:  Ann Lee  20/11/2026 09:30"
"Big Company"
"""


@pytest.mark.parametrize(
    "below, lines",
    [
        (
            SALESFORCE,
            "lines 6 to 10 ('Contacts', 'Copyright (c) 2000-2026 salesforce.com, ', 'Confidential Information', …)",
        ),
        ("Total,2,\n", "line 4 ('Total')"),
        ("Grand Total:,,1234567\n", "line 4 ('Grand Total:')"),
        ("Total: 2\n", "line 4 ('Total: 2')"),
        ("2 records\n", "line 4 ('2 records')"),
        ("\nSumme,,\n", "line 5 ('Summe')"),
        (",,\n,,\n", "lines 4 to 5"),
        ("Exported on 20/11/2026\n", "line 4 ('Exported on 20/11/2026')"),
        (",,30\n", "line 4 ('30')"),
        ("\nsomething\n", "line 5 ('something')"),
    ],
)
def test_what_stands_below_the_table_is_told_once(listed: Listed, below: str, lines: str) -> None:
    contacts = listed(TABLE + below)
    assert people(contacts) == EVERYBODY
    assert contacts.count() == 2
    (note,) = contacts.notes
    assert note.startswith(f"{lines} ")
    assert note.endswith(": not read")


@pytest.mark.parametrize(
    "row, code",
    [
        ("12345,Total Wine,\n", "invalid_phone"),
        (",Cy,\n", "missing_destination"),
        ("unknown,Cy,Rome\n", "invalid_phone"),
        ("12345\n", "invalid_phone"),
        ("\n4155550,,\n", "invalid_phone"),
        ("ann@example.com,,\n", "invalid_phone"),
        ("Total,+1415555012,\n", "invalid_phone"),
        (",,\n,Cy,\nTotal,2,\n", "missing_destination"),
        ("\nCy,,\n", "invalid_phone"),
        (",,4155550\n", "missing_destination"),
    ],
)
def test_a_person_in_the_last_row_is_refused_as_a_row_however_bad(listed: Listed, row: str, code: str) -> None:
    assert code in refusals(listed(TABLE + row)).values()


def test_a_person_before_a_footer_is_none_of_it(listed: Listed) -> None:
    contacts = listed(f"{TABLE},Cy,{SALESFORCE}")
    assert refusals(contacts) == {4: "missing_destination"}


def test_a_list_of_one_column_ends_with_its_last_row(listed: Listed) -> None:
    contacts = listed(f"phone\n{ANN}\n\nunknown\n")
    assert [one.refusal is None for one in read(contacts, ReadSpec(kind="phone", destination="phone"))] == [True, False]


def test_totals_in_the_middle_are_rows(listed: Listed) -> None:
    assert refusals(listed(f"{TABLE}Total,2,\n{ROWS}")) == {4: "invalid_phone"}


@pytest.mark.parametrize("content", ["sep=;\n", ",,\n,,\n", '""\n""\n'])
def test_a_list_of_nothing_is_empty(listed: Listed, content: str) -> None:
    with pytest.raises(ListError, match=r"^list.csv is empty: a list has a header and rows$"):
        listed(content)


def test_a_list_of_a_footer_alone_has_no_rows(listed: Listed) -> None:
    with pytest.raises(ListError, match="has no rows"):
        listed(f"Phone,First Name,City\n{SALESFORCE}")


@pytest.mark.parametrize("count", [30_000, 60_000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_footer_is_found_below_any_number_of_rows(listed: Listed, count: int, quote: str) -> None:
    body = "".join(f"+1415555{row % 10_000:04},{quote}Ann{quote},Paris\n" for row in range(count))
    contacts = listed(f"Phone,First Name,City\n{body}{SALESFORCE}")
    assert contacts.count() == count
    found = read(contacts)
    assert (len(found), found[-1].line) == (count, count + 1)
    assert len(contacts.notes) == 1


# Lines

CELLS = st.lists(st.text(st.sampled_from('ab,"\n\r é'), max_size=6), min_size=2, max_size=2)


@settings(max_examples=200)
@given(rows=st.lists(st.one_of(CELLS, st.none()), min_size=1, max_size=12), end=st.sampled_from(["\n", "\r\n"]))
def test_a_row_is_in_the_line_where_an_editor_shows_it(
    rows: list[list[str] | None], end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text, expected = f"phone,a,b{end}", []
    for row in [*rows, ["x", "y"]]:
        if row is not None:
            expected.append(text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1)
            cells = [ANN, *row]
            text += ",".join(
                '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell for cell in cells
            )
        text += end
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    path.write_bytes(text.encode())
    wanted = ReadSpec(kind="phone", destination="phone")
    assert [one.line for one in read(ContactList.open(path), wanted)] == expected


def test_lines_are_counted_over_the_whole_file(tmp_path: Path) -> None:
    rows = [f"{ANN},N{row}\n" for row in range(70_000)]
    rows[40_000] = "\n" + rows[40_000]
    rows[50_000] = f'{ANN},"two\nlines"\n'
    (tmp_path / "list.csv").write_text("phone,name\n" + "".join(rows))
    found = read(ContactList.open(tmp_path / "list.csv"), ReadSpec(kind="phone", destination="phone"))
    lines = [one.line for one in found]
    assert [lines[row] for row in (0, 39_999, 40_000, 50_000, 50_001, 69_999)] == [
        2,
        40_001,
        40_003,
        50_003,
        50_005,
        70_003,
    ]


def test_lines_of_ndjson_are_counted_with_the_empty_ones(tmp_path: Path) -> None:
    (tmp_path / "list.ndjson").write_text(f'\n{{"phone":"{ANN}"}}\n\n  \n{{"phone":"{BOB}"}}\n')
    found = read(ContactList.open(tmp_path / "list.ndjson"), ReadSpec(kind="phone", destination="phone"))
    assert [(one.row, one.line, one.place) for one in found] == [(0, 2, "line 2"), (1, 5, "line 5")]


def test_a_row_of_several_files_is_named_with_its_file(tmp_path: Path) -> None:
    for name in ("june", "july"):
        (tmp_path / f"{name}.csv").write_text(f"phone\n{ANN}\n{BOB}\n")
    found = read(ContactList.open(tmp_path), ReadSpec(kind="phone", destination="phone"))
    assert [one.place for one in found] == [
        *("line 2 of july.csv", "line 3 of july.csv", "line 2 of june.csv", "line 3 of june.csv")
    ]


def test_a_list_without_lines_names_rows() -> None:
    (found,) = read(ContactList.open(pl.DataFrame({"phone": [ANN]})), ReadSpec(kind="phone", destination="phone"))
    assert (found.line, found.place) == (None, "row 0")


def test_a_row_stands_in_the_same_place_alone_and_among_others(tmp_path: Path) -> None:
    (tmp_path / "june.csv").write_text(f"phone\n{ANN}\n\n{BOB}\n")
    (tmp_path / "july.csv").write_text(f"phone\n\n{ANN}\n")
    wanted = ReadSpec(kind="phone", destination="phone")
    for batch in ContactList.open(tmp_path).batches(wanted):
        rows = batch.recipients
        together = [(one.line, one.file) for one in rows]
        assert None not in dict(together)
        assert together == [(rows[place].line, rows[place].file) for place in range(len(rows))]
