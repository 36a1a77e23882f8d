"""A list gone over without a ledger: it comes to what the pass over the ledger comes to."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from compiled_requests import SMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bulk
from bulk.loader import ContactList, ReadSpec
from bulk.run import check

PHONES = ["+14155550123", "+14155550124", "415 555 0125", "", "nonsense", "+442079460018", "+33612345678"]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "phone": st.sampled_from(PHONES),
            "id": st.sampled_from(["", *"abcdefghij"]),
            "text": st.sampled_from(["Hi", "", " ", "’" * 80, "x" * 1_100]),
            "minutes": st.sampled_from(["", "60", "5", "soon"]),
        }
    ),
    min_size=1,
    max_size=60,
)
KEYS: list[Mapping[str, Any]] = [{}, {"key": "id"}, *({"key": "id", "dedupe": how} for how in ("destination", "none"))]


def campaign(folder: Path, **table: Any) -> bulk.Campaign:
    (folder / "stop.csv").write_text("phone\n+14155550124\n")
    request = {
        **SMS,
        "InitialSystemMessage": {"ContentType": "text/plain", "Content": "{{ text }}"},
        "ChatDurationInMinutes": "{{ minutes }}",
    }
    listed = {"country": "US", "allow_countries": ("US", "GB"), "suppress": ("stop.csv",), **table}
    return bulk.Campaign(name="c", channel="sms", request=request, list=listed, folder=folder)


def reasons_of(results: pl.DataFrame) -> dict[tuple[str, str | None], tuple[int, list[Any]]]:
    """Return how many rows ended how, with the first of each, as results tell it."""
    return {
        (status, code): (
            rows.height,
            [] if status == "pending" else rows.head(3).select("row", "key", "error_message").rows(),
        )
        for (status, code), rows in results.group_by("status", "error_code", maintain_order=True)
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, table=st.sampled_from(KEYS), size=st.sampled_from([3, 10_000]))
def test_what_is_found_is_what_a_pass_over_the_ledger_finds(
    tmp_path: Path, rows: list[dict[str, str]], table: Mapping[str, Any], size: int
) -> None:
    frame, source = pl.DataFrame(rows), campaign(tmp_path, **table)
    usual, check.BATCH = check.BATCH, size
    try:
        found = asyncio.run(bulk.check(source, contacts=frame))
    finally:
        check.BATCH = usual
    results = asyncio.run(bulk.send(source, contacts=frame, dry_run=True)).results()
    assert reasons_of(results) == {
        (reason.status, reason.code): (reason.rows, [(one.row, one.key, one.message) for one in reason.examples])
        for reason in found.reasons
    }
    assert (found.rows, found.sendable) == (len(rows), (results["status"] == "pending").sum())


async def test_a_run_that_began_is_checked_by_its_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    frame = pl.DataFrame({"phone": PHONES[:2], "id": ["a", "b"], "text": ["Hi", "Hi"], "minutes": ["60", "60"]})
    source = campaign(tmp_path, suppress=(), key="id")
    async with bulk.Sandbox() as sandbox:
        place: dict[str, Any] = {"endpoint_url": sandbox.url, "region": "us-east-1"}
        await bulk.send(source, contacts=frame, limit=1, **place)
        plan = await bulk.check(source, contacts=frame)
    assert plan.sendable == 1
    assert {reason.status: reason.rows for reason in plan.reasons} == {"sent": 1, "pending": 1}


def test_nothing_is_left_behind_and_no_state_is_made(tmp_path: Path) -> None:
    frame = pl.DataFrame({"phone": PHONES[:1], "id": ["a"], "text": ["Hi"], "minutes": ["60"]})
    asyncio.run(bulk.check(campaign(tmp_path), contacts=frame))
    assert [path.name for path in tmp_path.iterdir()] == ["stop.csv"]


def test_recipients_are_the_same_one_by_one_and_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("phone,id\n+14155550123,a\n\n415 555 0124,\nnonsense,b\n")
    for how in ("key", "destination", "none"):
        wanted = ReadSpec(
            kind="phone", destination="phone", columns=frozenset({"id"}), key="id", country="US", dedupe=how
        )
        (batch,) = ContactList.open(path).batches(wanted)
        rows = batch.recipients
        assert [*rows] == [rows[place] for place in range(len(rows))]
        assert [one.line for one in rows] == [2, 4, 5]
