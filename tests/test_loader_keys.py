"""One person, one row: keys are compared by one spelling, and what is sent to stays as the list has it."""

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from bulk.loader import ContactList, ReadSpec
from bulk.loader.rows import Rows

BY_KEY = ReadSpec(kind="phone", destination="phone", key="id")
PHONE = "+14155550123"


def rows(contacts: ContactList, wanted: ReadSpec) -> Rows:
    (batch,) = contacts.batches(wanted)
    return batch.recipients


def one_row(folder: Path, kind: str) -> Path:
    path = folder / f"list.{kind}"
    match kind:
        case "csv":
            path.write_text(f"id,phone\n7,{PHONE}\n")
        case "float.csv":
            path.write_text(f"id,phone\n7.0,{PHONE}\n")
        case "ndjson":
            path.write_text(f'{{"id":7,"phone":"{PHONE}"}}\n')
        case "float.ndjson":
            path.write_text(f'{{"id":7.0,"phone":"{PHONE}"}}\n')
        case "parquet":
            pl.DataFrame({"id": [7], "phone": [PHONE]}).write_parquet(path)
        case "float.parquet":
            pl.DataFrame({"id": [7.0], "phone": [PHONE]}).write_parquet(path)
        case "xlsx":
            book = xlsxwriter.Workbook(path)
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["id", "phone"])
            sheet.write_number(1, 0, 7.0)
            sheet.write_string(1, 1, PHONE)
            book.close()
    return path


@pytest.mark.parametrize("kind", ["csv", "float.csv", "ndjson", "float.ndjson", "parquet", "float.parquet", "xlsx"])
def test_a_whole_number_is_one_key_whatever_holds_it(kind: str, tmp_path: Path) -> None:
    assert rows(ContactList.open(one_row(tmp_path, kind)), BY_KEY).keys == ["7"]


@pytest.mark.parametrize("key", [None, "email"])
def test_one_address_is_one_key_and_each_is_sent_to_as_the_list_spells_it(key: str | None) -> None:
    spelled = ["ann@club-mail.com", "Ann@club-mail.com", "ANN@CLUB-MAIL.COM"]
    found = rows(
        ContactList.open(pl.DataFrame({"email": spelled})), ReadSpec(kind="email", destination="email", key=key)
    )
    assert set(found.names) == {"ann@club-mail.com"}
    assert found.destinations == ["ann@club-mail.com", "Ann@club-mail.com", "ANN@club-mail.com"]


def test_one_address_is_one_person_whatever_the_key() -> None:
    frame = pl.DataFrame(
        {"id": ["1", "2", "3"], "email": ["ann@club-mail.com", "Ann@club-mail.com", "bob@club-mail.com"]}
    )
    wanted = ReadSpec(kind="email", destination="email", key="id", dedupe="destination")
    found = rows(ContactList.open(frame), wanted)
    assert found.names == ["ann@club-mail.com", "ann@club-mail.com", "bob@club-mail.com"]
    assert [recipient.identity for recipient in found] == found.names
    assert found.keys == ["1", "2", "3"]


def test_a_number_that_is_the_key_column_too_names_its_person() -> None:
    contacts = ContactList.open(pl.DataFrame({"phone": ["(415) 555-0123", PHONE, "nobody", ""]}))
    found = rows(contacts, ReadSpec(kind="phone", destination="phone", key="Phone", country="US"))
    assert found.keys == [PHONE, PHONE, "nobody", ""]


def test_keys_are_compared_composed_and_without_what_nobody_sees() -> None:
    frame = pl.DataFrame(
        {"id": ["Zo\u00eb", "Zoe\u0308", "Zo\u00eb\u200b", "zo\u00eb", "007", "7"], "phone": [PHONE] * 6}
    )
    keys = rows(ContactList.open(frame), BY_KEY).keys
    assert keys == ["Zo\u00eb", "Zo\u00eb", "Zo\u00eb", "zo\u00eb", "007", "7"]


@pytest.mark.parametrize(
    "key, dedupe, names",
    [
        ("id", "key", ["7.0", "8"]),
        (None, "key", ["Ann@club-mail.com", "nobody"]),
        ("email", "key", ["Ann@Club-mail.com", "nobody"]),
        ("id", "destination", ["Ann@club-mail.com", "8"]),
        ("id", "none", ["7.0 in row 0", "8 in row 1"]),
    ],
)
def test_the_names_of_earlier_releases_can_still_be_told(key: str | None, dedupe: str, names: list[str]) -> None:
    frame = pl.DataFrame({"id": ["7.0", "8"], "email": ["Ann@Club-mail.com", "nobody"]})
    wanted = ReadSpec(kind="email", destination="email", key=key, dedupe=dedupe, naming=1)  # type: ignore[arg-type] # one of three
    assert rows(ContactList.open(frame), wanted).names == names
