"""From a contact list to recipients, whatever the list is."""

import string
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bulk.errors import ListError
from bulk.loader import Batch, ContactList, ReadSpec
from bulk.loader.rows import texts
from bulk.model import Cells, Recipient

ANN, BOB = "+14155550123", "+14155550124"
PHONE = ReadSpec(kind="phone", destination="phone")

Write = Callable[[pl.DataFrame, Path], Path]


def read(source: Path | pl.DataFrame | pl.LazyFrame, wanted: ReadSpec = PHONE) -> list[Recipient]:
    return [recipient for batch in ContactList.open(source).batches(wanted) for recipient in batch.recipients]


def refusals(recipients: list[Recipient]) -> dict[int, str]:
    return {recipient.row: recipient.refusal.code for recipient in recipients if recipient.refusal}


def as_csv(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_csv(folder / "list.csv")
    return folder / "list.csv"


def as_parquet(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_parquet(folder / "list.parquet")
    return folder / "list.parquet"


def as_ndjson(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_ndjson(folder / "list.ndjson")
    return folder / "list.ndjson"


WRITERS = [as_csv, as_parquet, as_ndjson]


@pytest.fixture(params=[*WRITERS, None, pl.DataFrame.lazy], ids=["csv", "parquet", "ndjson", "frame", "lazy"])
def listed(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[pl.DataFrame], Any]:
    """Make a list of some kind from a frame of text."""
    if request.param in WRITERS:
        return lambda frame: request.param(frame, tmp_path)
    return request.param or (lambda frame: frame)


def test_it_reads_the_same_recipients_from_every_kind_of_list(listed: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.DataFrame({"id": ["007", "008"], "phone": [ANN, "415-555-0124"], "name": ["Ann", "Zoë, 陳"]})
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"name"}), key="id", country="US")
    assert read(listed(frame), wanted) == [
        Recipient(0, "007", ANN, {"name": "Ann"}),
        Recipient(1, "008", BOB, {"name": "Zoë, 陳"}),
    ]


def test_rows_are_counted_from_0_over_all_batches(listed: Callable[[pl.DataFrame], Any]) -> None:
    numbers = [f"+1415555{number:04}" for number in range(1000)]
    contacts = ContactList.open(listed(pl.DataFrame({"phone": numbers})))
    batches = [batch.recipients for batch in contacts.batches(PHONE, size=300)]
    assert [len(recipients) for recipients in batches] == [300, 300, 300, 100]
    found = [(recipient.row, recipient.destination) for recipients in batches for recipient in recipients]
    assert found == list(enumerate(numbers))
    assert contacts.count() == 1000


def test_it_reads_again_from_the_start(listed: Callable[[pl.DataFrame], Any]) -> None:
    contacts = ContactList.open(listed(pl.DataFrame({"phone": [ANN, BOB]})))
    assert list(next(contacts.batches(PHONE, size=1)).recipients) == [Recipient(0, ANN, ANN, {})]
    assert [len(batch.recipients) for batch in contacts.batches(PHONE)] == [2]


def test_a_batch_comes_with_all_columns_of_its_rows_when_asked(listed: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.DataFrame({"phone": [ANN, BOB, ANN], "name": ["Ann", "Bob", "Eve"]})
    contacts = ContactList.open(listed(frame))
    parts = [batch.frame for batch in contacts.batches(PHONE, size=2, frames=True) if batch.frame is not None]
    assert [part.height for part in parts] == [2, 1]
    assert_frame_equal(pl.concat(parts), frame)
    assert all(batch.frame is None for batch in contacts.batches(PHONE))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=20), writer=st.sampled_from(WRITERS))
def test_any_text_in_any_cell_goes_in_and_comes_out_the_same(
    rows: list[tuple[str, str]], writer: Write, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = pl.DataFrame({"phone": [ANN] * len(rows), "a": [a for a, _ in rows], "b": [b for _, b in rows]})
    path = writer(frame, tmp_path_factory.getbasetemp())
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"a", "b"}))
    assert [recipient.cells for recipient in read(path, wanted)] == [{"a": a, "b": b} for a, b in rows]


def test_parquet_keeps_the_types_of_its_cells(tmp_path: Path) -> None:
    cells = {
        "phone": ANN,
        "visits": 3,
        "born": date(1990, 2, 28),
        "owed": Decimal("12.50"),
        "user": {"name": "Ann", "tags": ["a", "b"]},
        "plan": "gold",
        "left": None,
    }
    frame = pl.DataFrame([cells]).with_columns(pl.col("plan").cast(pl.Categorical))
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset(cells))
    assert [dict(recipient.cells) for recipient in read(as_parquet(frame, tmp_path), wanted)] == [cells]


def test_ndjson_takes_what_was_null_at_first_for_text(tmp_path: Path) -> None:
    lines = f'{{"phone":"{ANN}","user":{{"name":null}}}}\n' * 20_000
    (tmp_path / "list.jsonl").write_text(f'{lines}\n{{"phone":"{BOB}","user":{{"name":"Bob"}}}}\n')
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"user"}))
    assert read(tmp_path / "list.jsonl", wanted)[-1] == Recipient(20_000, BOB, BOB, {"user": {"name": "Bob"}})


def test_it_reads_parquet_in_small_pieces_whatever_its_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulk.loader.tables.SLICE_BYTES", 4096)
    numbers = [f"+1415555{number % 10_000:04}" for number in range(30_000)]
    pl.DataFrame({"phone": numbers}).write_parquet(tmp_path / "list.parquet", row_group_size=30_000)
    batches: list[Batch] = list(ContactList.open(tmp_path / "list.parquet").batches(PHONE, size=10_000))
    assert max(len(batch.recipients) for batch in batches) < 6000
    assert [recipient.destination for batch in batches for recipient in batch.recipients] == numbers


def test_a_lazy_frame_runs_once() -> None:
    runs = []

    def ran(frame: pl.DataFrame) -> pl.DataFrame:
        runs.append(frame.height)
        return frame

    query = pl.LazyFrame({"phone": [ANN, BOB]}).map_batches(ran, schema={"phone": pl.String})
    contacts = ContactList.open(query)
    assert contacts.count() == 2
    assert [len(batch.recipients) for _ in range(2) for batch in contacts.batches(PHONE)] == [2, 2]
    assert runs == [2]


def test_the_destination_may_be_rendered_from_the_cells() -> None:
    frame = pl.DataFrame({"area": ["415", ""], "number": ["5550123", ""], "name": ["Ann", "Bob"]})

    def render(cells: Cells) -> str:
        return f"{cells['area']}{cells['number']}"

    columns = frozenset({"area", "number"})
    found = read(frame, ReadSpec(kind="phone", destination=render, columns=columns, country="US"))
    assert [recipient.destination for recipient in found] == [ANN, None]
    assert refusals(found) == {1: "missing_destination"}


def test_numbers_serve_as_keys_and_destinations() -> None:
    frame = pl.DataFrame({"id": [7.0, 8.5, None], "phone": [4155550123, 4155550124, None]})
    found = read(frame, ReadSpec(kind="phone", destination="phone", key="id", country="US"))
    assert [(recipient.key, recipient.destination) for recipient in found] == [("7", ANN), ("8.5", BOB), ("", None)]


def test_a_row_without_a_key_is_refused() -> None:
    frame = pl.DataFrame({"id": ["1", "  "], "phone": [ANN, BOB]})
    found = read(frame, ReadSpec(kind="phone", destination="phone", key="id"))
    assert refusals(found) == {1: "missing_key"}


def test_a_refused_row_is_named_by_what_it_says() -> None:
    found = read(pl.DataFrame({"phone": [" 12 "]}), PHONE)
    assert [(recipient.key, recipient.destination) for recipient in found] == [("12", None)]


def test_the_country_column_goes_before_the_country() -> None:
    frame = pl.DataFrame(
        {
            "phone": ["07911 123456", "4155550123", "4155550123", "4155550123"],
            "country": ["United Kingdom", "USA", "", "Atlantis"],
        }
    )
    found = read(frame, ReadSpec(kind="phone", destination="phone", country="us", country_column="country"))
    assert [recipient.destination for recipient in found] == ["+447911123456", ANN, ANN, None]
    assert refusals(found) == {3: "invalid_country"}


@pytest.mark.parametrize("country", ["Other", "Atlantis", "+49", "\u200b", "DE"])
def test_a_number_with_a_plus_is_read_whatever_country_stands_beside_it(country: str) -> None:
    frame = pl.DataFrame({"phone": [ANN, f"'{ANN}"], "country": [country] * 2})
    found = read(frame, ReadSpec(kind="phone", destination="phone", country_column="country"))
    assert [recipient.destination for recipient in found] == [ANN, ANN]


def test_cells_with_several_destinations_are_counted_over_the_whole_list() -> None:
    contacts = ContactList.open(pl.DataFrame({"to": ["a@club-mail.com, b@club-mail.com"] + ["c@club-mail.com"] * 2000}))
    wanted = ReadSpec(kind="email", destination="to")
    told = "'to' holds more than one address in {}: the first that can be written to is taken"
    assert contacts.remarks(wanted) == [told.format("1 row")]
    contacts = ContactList.open(
        pl.DataFrame({"to": ["c@club-mail.com"] * 2000 + ["a@club-mail.com b@club-mail.com"] * 2})
    )
    assert contacts.remarks(wanted) == []  # not among the first
    list(contacts.batches(wanted))
    assert contacts.remarks(wanted) == [told.format("2 rows")]
    list(contacts.batches(wanted))
    assert contacts.remarks(wanted) == [told.format("2 rows")]


def test_one_number_with_a_slash_is_not_several() -> None:
    contacts = ContactList.open(pl.DataFrame({"phone": ["0151/23456789", "0151 234 56 789", "+4915123456789"]}))
    assert contacts.remarks(ReadSpec(kind="phone", destination="phone", country="DE")) == []


@pytest.mark.parametrize("country", ["+49", "0049", "49", "(+49)"])
def test_a_dial_code_is_called_one_and_is_no_country(country: str) -> None:
    frame = pl.DataFrame({"phone": ["0151 23456789", ""], "country": [country] * 2})
    wanted = ReadSpec(kind="phone", destination="phone", country_column="country")
    found = read(frame, wanted)
    assert refusals(found) == {0: "invalid_country", 1: "missing_destination"}
    assert "is a dial code, and not a country: write the ISO 3166-1 code" in str(found[0].refusal)
    with pytest.raises(ListError, match=r"^\[list\] country: '.*49\)?' is a dial code, and not a country"):
        read(frame, ReadSpec(kind="phone", destination="phone", country=country))


def test_countries_that_are_not_allowed_are_refused() -> None:
    frame = pl.DataFrame({"phone": [ANN, "+447911123456"]})
    found = read(frame, ReadSpec(kind="phone", destination="phone", allow_countries=frozenset({"USA"})))
    assert refusals(found) == {1: "country_not_allowed"}


def test_email_addresses_are_brought_to_form() -> None:
    found = read(pl.DataFrame({"to": [" Ann@EXAMPLE.com", "ann"]}), ReadSpec(kind="email", destination="to"))
    assert [recipient.destination for recipient in found] == ["Ann@example.com", None]
    assert refusals(found) == {1: "invalid_email"}


@pytest.mark.parametrize("name", ["First Name", "first_name", "FIRST-NAME", " firstname "])
def test_columns_are_found_whatever_their_case_and_separators(name: str) -> None:
    contacts = ContactList.open(pl.DataFrame({"phone": [ANN], "First Name": ["Ann"], "User.Name": ["A"]}))
    assert contacts.resolve(name) == "First Name"
    assert contacts.resolve("user.name") == "User.Name"


@given(st.lists(st.text(string.ascii_letters + " _-.", min_size=1), min_size=1, unique=True))
def test_a_column_spelled_as_in_the_list_is_always_found(names: list[str]) -> None:
    contacts = ContactList.open(pl.DataFrame({name: ["x"] for name in names}))
    assert [contacts.resolve(name) for name in names] == names


def test_a_missing_column_is_told_with_the_nearest_one() -> None:
    contacts = ContactList.open(pl.DataFrame({"phone": [ANN], "customer_id": ["1"]}))
    with pytest.raises(ListError, match=r"^frame has no column 'custmer_id': did you mean 'customer_id'\?$"):
        contacts.batches(ReadSpec(kind="phone", destination="phone", key="custmer_id"))
    with pytest.raises(ListError, match=r"^frame has no column 'zip': it has phone, customer_id$"):
        contacts.resolve("zip")


def test_a_name_that_fits_several_columns_is_not_guessed() -> None:
    contacts = ContactList.open(pl.DataFrame({"Name": ["A"], "name": ["B"]}))
    assert contacts.resolve("name") == "name"
    with pytest.raises(ListError, match=r"'NAME' may be any of \['Name', 'name'\]"):
        contacts.resolve("NAME")


def test_a_country_that_is_none_is_an_error_of_the_list() -> None:
    contacts = ContactList.open(pl.DataFrame({"phone": [ANN]}))
    with pytest.raises(
        ListError, match=r"^\[list\] country: 'Untied States' is not a country: write its ISO 3166-1 code"
    ):
        contacts.batches(ReadSpec(kind="phone", destination="phone", country="Untied States"))


@given(st.lists(st.text(st.sampled_from(" \t\x1c\x85\xa0\u200b\u2028\u3000ab+1"), max_size=6) | st.none(), max_size=8))
def test_the_cells_of_a_text_column_are_stripped_as_python_strips_them(cells: list[str | None]) -> None:
    part = pl.DataFrame({"key": pl.Series(cells, dtype=pl.String)})
    assert texts(part, "key") == [(cell or "").strip() for cell in cells]


def test_whole_numbers_of_ndjson_keep_their_digits(tmp_path: Path) -> None:
    numbers = [9007199254740993, 98765432109876543210, 7]
    (tmp_path / "list.ndjson").write_text("".join(f'{{"phone":"{ANN}","n":{number}}}\n' for number in numbers))
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"n"}), key="n")
    assert [(one.key, one.cells["n"]) for one in read(tmp_path / "list.ndjson", wanted)] == [
        (str(number), number) for number in numbers
    ]


def test_a_whole_number_that_fractions_would_cut_is_an_error(tmp_path: Path) -> None:
    lines = f'{{"phone":"{ANN}","n":12.5}}\n' * 3 + f'\n{{"phone":"{BOB}","n":9007199254740993}}\n'
    (tmp_path / "list.ndjson").write_text(lines)
    trouble = "^list.ndjson, line 5: 'n' is a whole number too long to stand beside fractions: write it in quotes$"
    with pytest.raises(ListError, match=trouble):
        read(tmp_path / "list.ndjson")
