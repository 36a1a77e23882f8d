"""Cells read as a person would write them: one by one, from every kind of list, in texts and in parameters."""

import base64
import datetime as dt
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulk.loader import ContactList, ReadSpec
from bulk.model import Refusal
from bulk.request import Request
from bulk.text.cells import shortest, text_of, value_of

ANN = "+14155550123"
DAY = dt.datetime.fromisoformat("2026-11-20")


@pytest.mark.parametrize(
    "cell, text",
    [
        (None, ""),
        (float("nan"), ""),
        (Decimal("NaN"), ""),
        (100234.0, "100234"),
        (-0.0, "0"),
        (12.5, "12.5"),
        (1e20, "100000000000000000000"),
        (True, "true"),
        (False, "false"),
        (DAY, "2026-11-20"),
        (DAY.replace(tzinfo=dt.UTC), "2026-11-20"),
        (DAY.replace(hour=9, minute=30), "2026-11-20 09:30:00"),
        (DAY.date(), "2026-11-20"),
        (dt.time(9, 30), "09:30:00"),
        (dt.timedelta(hours=36, minutes=5), "36:05:00"),
        (-dt.timedelta(minutes=90), "-1:30:00"),
        (dt.timedelta(milliseconds=1500), "0:00:01.5"),
        (b"Ann", "Ann"),
        ("Zoë".encode(), "Zoë"),
        (b"\xff\x00", base64.b64encode(b"\xff\x00").decode()),
        (Decimal("12.50"), "12.50"),
        (Decimal("1E+3"), "1000"),
        (["a", 2.0, None], "a, 2, "),
        ({"name": "Zoë", "visits": 2.0, "since": DAY}, '{"name": "Zoë", "visits": 2, "since": "2026-11-20"}'),
        ([{"a": 1.0}], '[{"a": 1}]'),
        (9007199254740993, "9007199254740993"),
    ],
)
def test_a_cell_reads_as_a_person_would_write_it(cell: Any, text: str) -> None:
    assert text_of(cell) == text


def digits(number: float) -> int:
    """Count the significant digits of a number as Python writes it."""
    return len(Decimal(repr(number)).normalize().as_tuple().digits)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
@example(99999997952.0)
def test_single_precision_is_written_short_and_means_the_same(number: float) -> None:
    assert struct.pack("f", shortest(number)) == struct.pack("f", number)
    assert digits(shortest(number)) <= digits(number)


@given(st.floats(allow_nan=False))
def test_a_number_keeps_its_worth(number: float) -> None:
    assert value_of(number) == number


@given(st.text())
def test_text_stays_as_it_is(text: str) -> None:
    assert text_of(text) == value_of(text) == text


FRAME = pl.DataFrame(
    {
        "phone": [ANN, ANN],
        "order": [100234.0, 2.5],
        "price": pl.Series([19.9, 20.0], dtype=pl.Float32),
        "day": [DAY, DAY.replace(hour=9, minute=30)],
        "name": [b"Zo\xc3\xab", b"Ann"],
        "score": [float("nan"), None],
        "member": [True, False],
        "nested": [{"price": 19.9, "all": [1.0, None]}, None],
    },
    schema_overrides={"nested": pl.Struct({"price": pl.Float32, "all": pl.List(pl.Float64)})},
)
TEXTS = {
    "order": ["100234", "2.5"],
    "price": ["19.9", "20"],
    "day": ["2026-11-20", "2026-11-20 09:30:00"],
    "name": ["Zoë", "Ann"],
    "score": ["", ""],
    "member": ["true", "false"],
    "nested": ['{"price": 19.9, "all": [1, null]}', ""],
}


def as_parquet(folder: Path) -> Path:
    FRAME.write_parquet(folder / "list.parquet")
    return folder / "list.parquet"


REQUEST = {
    "InstanceId": "8f3c",
    "ContactFlowId": "846ec553",
    "SourceEndpoint": {
        "Type": "CONNECT_PHONENUMBER_ARN",
        "Address": "arn:aws:connect:us-west-2:123456789012:phone-number/3f0b",
    },
    "DestinationEndpoint": {"Type": "TELEPHONE_NUMBER", "Address": "{{ phone }}"},
    "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
}


def written(source: Any, column: str, *, alone: bool = False) -> list[tuple[str, str | None]]:
    """Write a column into every row's message, and where asked alone into an attribute."""
    contacts = ContactList.open(source)
    cell = f"{{{{ {column} }}}}"
    more = {
        "InitialSystemMessage": {"ContentType": "text/plain", "Content": f"<{cell}>"},
        "Attributes": {"alone": cell} if alone else {},
    }
    request = Request.compile(
        {"request": {**REQUEST, **more}},
        {"request": "StartOutboundChatContact"},
        columns=contacts.columns,
        destination=("request", "DestinationEndpoint.Address"),
    )
    wanted = ReadSpec(kind="phone", destination="phone", columns=request.columns)
    rows = [recipient for batch in contacts.batches(wanted) for recipient in batch.recipients]
    made = [request.build(row) for row in rows]
    assert not any(isinstance(one, Refusal) for one in made)
    tables: list[Any] = [one["request"] for one in made if not isinstance(one, Refusal)]
    return [(one["InitialSystemMessage"]["Content"], one.get("Attributes", {}).get("alone")) for one in tables]


@pytest.mark.parametrize("source", [as_parquet, lambda _: FRAME, lambda _: FRAME.lazy()])
@pytest.mark.parametrize("column", TEXTS)
def test_every_typed_list_gives_the_same_texts(column: str, source: Callable[[Path], Any], tmp_path: Path) -> None:
    assert [text for text, _ in written(source(tmp_path), column)] == [f"<{text}>" for text in TEXTS[column]]


@pytest.mark.parametrize("column", [name for name in TEXTS if name not in {"nested", "day"}])
def test_a_cell_alone_is_the_same_text(column: str) -> None:
    assert [alone for _, alone in written(FRAME, column, alone=True)] == [text or None for text in TEXTS[column]]


def test_a_day_alone_is_a_day_and_a_moment_is_of_iso_8601() -> None:
    assert [alone for _, alone in written(FRAME, "day", alone=True)] == ["2026-11-20", "2026-11-20T09:30:00"]


def test_one_fraction_in_ndjson_makes_no_fraction_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "list.ndjson").write_text(f'{{"phone":"{ANN}","n":12}}\n{{"phone":"{ANN}","n":12.5}}\n')
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"n"}), key="n")
    rows = [row for batch in ContactList.open(tmp_path / "list.ndjson").batches(wanted) for row in batch.recipients]
    assert [(row.key, text_of(row.cells["n"])) for row in rows] == [("12", "12"), ("12.5", "12.5")]


@pytest.mark.parametrize("cell", ['="00123"', '"=""00123"""', ' ="00123" '])
def test_what_keeps_a_number_a_text_in_a_spreadsheet_is_no_part_of_it(cell: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f'phone,id,note\n{ANN},{cell},=1\n{ANN},7,a="b"\n')
    wanted = ReadSpec(kind="phone", destination="phone", columns=frozenset({"id", "note"}), key="id")
    first, second = (
        row for batch in ContactList.open(tmp_path / "list.csv").batches(wanted) for row in batch.recipients
    )
    assert (first.key, first.cells) == ("00123", {"id": "00123", "note": "=1"})
    assert second.cells == {"id": "7", "note": 'a="b"'}
