"""Tables that a caller holds, of whichever library."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped] # it publishes no types
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped] # likewise
import pytest

import bulk
from bulk.errors import ListError
from bulk.loader import ContactList, ReadSpec
from bulk.model import Recipient
from bulk.text.cells import text_of

ANN, BOB = "+14155550123", "+14155550124"
DAY = dt.datetime.fromisoformat("2026-11-20")
COLUMNS = {
    "phone": [ANN, BOB],
    "visits": [12.0, None],
    "day": [DAY, DAY],
    "member": [True, False],
    "plan": ["gold", None],
}
TEXTS = [
    {"visits": "12", "day": "2026-11-20", "member": "true", "plan": "gold"},
    {"visits": "", "day": "2026-11-20", "member": "false", "plan": ""},
]
WANTED = ReadSpec(kind="phone", destination="phone", columns=frozenset(COLUMNS) - {"phone"})


def read(source: Any, wanted: ReadSpec = WANTED) -> list[Recipient]:
    return [recipient for batch in ContactList.open(source).batches(wanted) for recipient in batch.recipients]


def pandas() -> Any:
    frame = pd.DataFrame(COLUMNS)
    return frame.assign(plan=frame["plan"].astype("category"))


MADE: dict[str, Callable[[], Any]] = {
    "polars": lambda: pl.DataFrame(COLUMNS),
    "polars lazy": lambda: pl.LazyFrame(COLUMNS),
    "pandas": pandas,
    "pandas, some rows of more": lambda: pd.concat([pandas()[1:], pandas()]).iloc[1:],
    "pyarrow table": lambda: pa.table(COLUMNS),
    "pyarrow batch": lambda: pa.RecordBatch.from_pydict(COLUMNS),
    "pyarrow reader": lambda: pa.table(COLUMNS).to_reader(max_chunksize=1),
}


@pytest.mark.parametrize("name", MADE)
def test_a_table_of_any_library_gives_the_same_recipients(name: str) -> None:
    found = read(MADE[name]())
    assert [one.destination for one in found] == [ANN, BOB]
    assert [{column: text_of(cell) for column, cell in one.cells.items()} for one in found] == TEXTS


@pytest.mark.parametrize("source", [{"phone": [ANN]}, [ANN], 7, object()])
def test_what_is_no_table_is_an_error_of_the_list(source: Any) -> None:
    with pytest.raises(ListError, match=r"^frame: "):
        ContactList.open(source)


def test_a_table_that_cannot_be_read_is_an_error_of_the_list() -> None:
    with pytest.raises(
        ListError, match=r"^frame: the pandas.DataFrame cannot be read \(.*\): give each column one type"
    ):
        ContactList.open(pd.DataFrame({"phone": [ANN, object()]}))


async def test_a_campaign_is_checked_with_a_table_of_another_library(tmp_path: Path) -> None:
    arn = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
    request = {
        "InstanceId": "11111111-1111-4111-8111-111111111111",
        "ContactFlowId": "22222222-2222-4222-8222-222222222222",
        "SourceEndpoint": {"Address": arn},
        "InitialSystemMessage": {"Content": "Hi {{ plan }}, {{ visits }} visits."},
    }
    campaign = bulk.Campaign(name="x", channel="sms", request=request, folder=tmp_path)
    plan = await bulk.check(campaign, contacts=pandas())
    assert [one.texts["InitialSystemMessage.Content"] for one in plan.previews] == [
        *("Hi gold, 12 visits.", "Hi ,  visits.")
    ]


def test_a_lazy_frame_is_collected_in_batches_however_long(tmp_path: Path) -> None:
    rows = 300_000
    pl.select(phone=pl.int_range(rows).cast(pl.String).str.zfill(10)).write_parquet(tmp_path / "long.parquet")
    query = pl.scan_parquet(tmp_path / "long.parquet").with_columns(phone="+1" + pl.col("phone"))
    batches = [
        batch.recipients for batch in ContactList.open(query).batches(ReadSpec(kind="phone", destination="phone"))
    ]
    assert max(map(len, batches)) <= 256
    assert sum(map(len, batches)) == rows
