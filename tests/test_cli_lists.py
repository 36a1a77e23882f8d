"""What a person is told of a list that is not quite one, and what they can say about it in the campaign."""

from pathlib import Path

import pytest
import xlsxwriter
from cli_runs import CAMPAIGN, bulk, campaign, contact_list

FOOTER = '\n"Contacts"\n"Copyright (c) 2026 Big Company"\n'


def written(folder: Path, content: str | bytes, more: str = "") -> None:
    """Write a campaign with this list, and more keys under [list]."""
    campaign(folder, text=CAMPAIGN.replace("[list]", f"[list]\n{more}"))
    (folder / "contacts.csv").write_bytes(content.encode() if isinstance(content, str) else content)


def spoken(text: str) -> str:
    """Join the lines that the terminal breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize("words", [("check",), ("send", "--sandbox"), ("send", "--dry-run")])
def test_what_is_found_in_a_list_is_told_whatever_is_done_with_it(words: tuple[str, ...], tmp_path: Path) -> None:
    written(tmp_path, "Contacts of November\n" + contact_list(3) + FOOTER)
    ended = bulk(words[0], "campaign.toml", *words[1:], cwd=tmp_path)
    assert ended.code == 0, ended.err
    said = spoken(ended.out + ended.err)
    assert "the columns are named in line 2; what stands above is not read: Contacts of November" in said
    assert "lines 7 to 8 ('Contacts', 'Copyright (c) 2026 Big Company') stand below the table and hold no recip" in said


def test_an_encoding_that_is_guessed_is_told_in_the_plan(tmp_path: Path) -> None:
    rows = contact_list(1).replace("Ann", "Gyõzõ").encode("cp1252")
    written(tmp_path, rows)
    said = spoken(bulk("check", "campaign.toml", cwd=tmp_path).out)
    assert "read as cp1252 ('Gyõzõ'), which is a guess: as cp1250 it would be 'Győző'" in said
    written(tmp_path, rows, 'encoding = "cp1250"')
    ended = bulk("check", "campaign.toml", cwd=tmp_path)
    assert "Hi Győző" in ended.out
    assert "guess" not in ended.out


def test_a_header_that_is_not_clear_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    content = f"Lijst\nid,phone2,name,date\nx,y,z,u\n{contact_list(1).splitlines()[1]}\n"
    written(tmp_path, content)
    ended = bulk("check", "campaign.toml", cwd=tmp_path)
    assert ended.code == 2
    assert (
        "which line names the columns: delete what stands above that line, or, of a contact list, set `header_row`"
        in spoken(ended.err)
    )
    assert "line 2: id, phone2, name, date" in spoken(ended.err)


@pytest.mark.parametrize(
    "more, message",
    [
        ('encoding = "klingon"', "there is no encoding 'klingon'"),
        ("header_row = 9", "header_row is 9, and no row begins there"),
        ("header_row = 0", "header_row"),
        ("sheet = 0", "sheet"),
        ("sheet = true", "sheet"),
        ('hidden_rows = "maybe"', "hidden_rows"),
    ],
)
def test_a_key_that_cannot_be_is_an_error(more: str, message: str, tmp_path: Path) -> None:
    written(tmp_path, contact_list(1), more)
    ended = bulk("check", "campaign.toml", cwd=tmp_path)
    assert (ended.code, message in spoken(ended.err)) == (2, True), ended.err


def test_a_key_that_has_no_meaning_for_the_list_is_told(tmp_path: Path) -> None:
    written(tmp_path, contact_list(1), 'sheet = "People"\nhidden_rows = "skip"')
    ended = bulk("check", "campaign.toml", cwd=tmp_path)
    assert "not used for this kind of list: `hidden_rows`, `sheet` under [list]" in spoken(ended.out)


def test_a_workbook_with_hidden_rows_wants_a_word(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "contacts.xlsx")
    book.add_worksheet("Cover").write(0, 0, "Contacts")
    sheet = book.add_worksheet("People")
    for place, line in enumerate(contact_list(3).splitlines()):
        sheet.write_row(place, 0, line.split(","))
    sheet.set_row(2, None, None, {"hidden": True})
    book.close()
    written(tmp_path, "")
    words = ("check", "campaign.toml", "--contacts", "contacts.xlsx")
    ended = bulk(*words, cwd=tmp_path)
    assert ended.code == 2
    assert "'People': row 3 is hidden: set `hidden_rows` under [list] to \"skip\"" in spoken(ended.err)
    written(tmp_path, "", 'hidden_rows = "skip"')
    ended = bulk(*words, cwd=tmp_path)
    assert ended.code == 0
    assert "2 rows, 2 to be sent" in ended.out
    assert "read the sheet 'People', 2 of 2: 'Cover' holds no list (to read another: `sheet` under [list])" in spoken(
        ended.out
    )
