"""The columns by which an export is recognised, and what they mean, one by one against a second table. It …"""

import tomllib
from pathlib import Path

import polars as pl
import pytest
from export_columns import EXPORTS
from export_rules import RULES

import bulk
from bulk.loader import ContactList
from bulk.loader.exports import Export, export_of

OTHER = EXPORTS[""]  # the columns of any other list
MEANINGS = ("phone", "email", "key", "country", "time_zone", "first_name")


def needed(name: str) -> list[str]:
    """Return the fewest headers by which an export is recognised."""
    entry = EXPORTS[name]
    return [*entry.get("headers", []), *entry.get("any", [])[:1]]


def of(columns: list[str]) -> Export:
    return export_of(list(dict.fromkeys(columns)))


def cases(*kinds: str) -> list[tuple[str, str, str]]:
    return [(name, kind, column) for name, entry in EXPORTS.items() for kind in kinds for column in entry.get(kind, [])]


def plain(header: str) -> str:
    """Return a header as it is matched: without regard to separators."""
    return "".join(filter(str.isalnum, header))


@pytest.mark.parametrize("name, _, header", cases("headers"))
def test_a_list_that_lacks_a_header_is_no_such_export(name: str, _: str, header: str) -> None:
    assert of(needed(name)).name == name
    assert of([column for column in needed(name) if column != header] + ["Else"]).name != name


@pytest.mark.parametrize("name, _, header", cases("any"))
def test_one_of_several_headers_is_enough(name: str, _: str, header: str) -> None:
    entry = EXPORTS[name]
    assert of([*entry.get("headers", []), header]).name == name
    assert of([*entry.get("headers", []), "Else"]).name != name


@pytest.mark.parametrize("name, meaning, column", cases(*MEANINGS))
def test_a_column_means_what_it_is_known_for(name: str, meaning: str, column: str) -> None:
    columns, known = [*needed(name), column], EXPORTS[name][meaning]
    found = of(columns)
    assert (found.name, getattr(found, meaning)) == (name, next(one for one in known if one in columns))


@pytest.mark.parametrize("name, _, column", cases("silent"))
def test_a_column_says_nothing_of_consent(name: str, _: str, column: str) -> None:
    assert column in of([*needed(name), column]).silent


@pytest.mark.parametrize("name, _, said", cases("values"))
def test_a_value_of_a_column_leaves_its_row_out(name: str, _: str, said: str) -> None:
    column, _, value = said.partition(": ")
    columns = dict.fromkeys([*needed(name), column])
    frame = pl.DataFrame({other: [value if other == column else ""] for other in columns})
    rules = [rule for rule in of(list(columns)).leave_out if rule.column == column]
    assert any(list(rule.refusals(frame, kind)) for rule in rules for kind in ("email", "phone"))


def test_what_the_list_is_read_as_is_what_the_table_says() -> None:
    contacts = ContactList.open(
        pl.DataFrame({"uuid": ["1"], "email": ["a@club-mail.com"], "attributes": [""], "status": [""]})
    )
    assert contacts.meaning == of(["uuid", "email", "attributes", "status"])


@pytest.mark.parametrize("meaning, column", [(meaning, column) for meaning, known in OTHER.items() for column in known])
def test_a_column_of_any_other_list_means_what_its_name_says(meaning: str, column: str) -> None:
    known = OTHER[meaning]
    found = getattr(of([column, "Else"]), meaning)
    assert plain(found) == plain(column)
    assert plain(getattr(of([known[-1], column, known[0]]), meaning)) == plain(known[0])


def test_the_table_says_what_the_second_table_says() -> None:
    exports = tomllib.loads((Path(bulk.__file__).parent / "loader" / "exports.toml").read_text())["export"]
    by_name = {export.get("name", ""): export for export in exports}
    rules = {
        name: {key: export[key] for key in ("channel", "flat", "leave_out") if key in export}
        for name, export in by_name.items()
    }
    assert {name: rule for name, rule in rules.items() if rule} == RULES
    columns = {
        name: {key: by_name[name].get(key) for key in entry if key != "values"} for name, entry in EXPORTS.items()
    }
    assert columns == {name: {key: entry[key] for key in entry if key != "values"} for name, entry in EXPORTS.items()}
