"""Why each person was written to, as it is exported after a run: `bulk/run/consent.py`, `consent_columns.py`."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sandbox_runs import Runs, rows

import bulk
from bulk.errors import CampaignError, ListError
from bulk.loader import ContactList
from bulk.run.consent_columns import columns_of

MOMENT = pl.Datetime("us", "UTC")
SCHEMA = {
    "row": pl.Int64,
    "line": pl.Int64,
    "key": pl.String,
    "destination": pl.String,
    "status": pl.String,
    "contact_id": pl.String,
    "finished_at": MOMENT,
    "consent": pl.String,
    "consent_source": pl.String,
    "consent_at": pl.String,
    "kept_at": MOMENT,
}
ALL = {"column": "via", "source": "form", "at": "since"}
REJECTED = {"fault": "error", "code": "InvalidRequestException", "status": 400, "first": 1}


def people(keys: str, **changed: str) -> list[dict[str, str]]:
    more = {"via": "yes", "form": "shop", "since": "2026-01-01", **changed}
    return [row | more | {"form": f"{more['form']} {row['key']}"} for row in rows(keys)]


async def exported(runs: Runs, contacts: Any, **changed: Any) -> pl.DataFrame:
    path = runs.folder / "why.parquet"
    assert await bulk.consent(runs.campaign, str(path), **{**runs.options, "contacts": contacts, **changed}) == path
    return pl.read_parquet(path)


async def test_the_export_has_a_line_for_each_row_that_was_tried(runs: Runs) -> None:
    runs.settings |= {"consent": ALL}
    listed = people("x", via="no") + people("ab") + people("y", via="")
    path = runs.folder / "list.csv"
    pl.DataFrame(listed).write_csv(path)
    begun = datetime.now(UTC) - timedelta(seconds=1)
    await bulk.send(runs.campaign, contacts=path, **runs.options)
    found = await exported(runs, path)
    assert found.schema == SCHEMA
    contacts = {one["Parameters"]["Attributes"]["key"]: one["ContactId"] for one in runs.sandbox.contacts}
    assert found.drop("finished_at", "kept_at").rows() == [
        (1, 3, "a", "+120…97", "sent", contacts["a"], "yes", "shop a", "2026-01-01"),
        (2, 4, "b", "+120…98", "sent", contacts["b"], "yes", "shop b", "2026-01-01"),
    ]
    for name in ("finished_at", "kept_at"):
        assert all(begun <= at <= datetime.now(UTC) for at in found[name])


async def test_whoever_was_refused_by_aws_was_tried_too(runs: Runs) -> None:
    runs.settings |= {"consent": ALL}
    runs.faults(REJECTED)
    await runs.send(people("a"))
    found = await exported(runs, pl.DataFrame(people("a")))
    assert found.select("key", "line", "status", "consent").rows() == [("a", None, "rejected", "yes")]


@pytest.mark.parametrize(
    "told, cells",
    [
        ({"column": "via"}, ("yes", None, None)),
        ({"source": "form"}, (None, "shop a", None)),
        ({"at": "since"}, (None, None, "2026-01-01")),
        ({"column": "VIA", "at": "Since"}, ("yes", None, "2026-01-01")),
    ],
)
async def test_what_was_kept_is_what_the_campaigns_columns_say(
    runs: Runs, told: dict[str, str], cells: tuple[str | None, ...]
) -> None:
    runs.settings |= {"consent": told}
    await runs.send(people("a"))
    found = await exported(runs, pl.DataFrame(people("a", via="no", form="another", since="later")))
    assert found.select("consent", "consent_source", "consent_at").rows() == [cells]


@pytest.mark.parametrize("told", [ALL, {"source": "form"}])
async def test_of_a_message_without_any_kept_the_list_says_it_as_it_would_be_kept(
    runs: Runs, told: dict[str, str]
) -> None:
    listed = people("ab", form="ann@example.com")
    await runs.send(listed)
    runs.settings |= {"consent": told}
    found = await exported(runs, pl.DataFrame(listed[::-1]))
    names = {"column": "consent", "source": "consent_source", "at": "consent_at"}
    said = {"column": "yes", "source": "a…@example.com {}", "at": "2026-01-01"}
    for row in found.iter_rows(named=True):
        cells = {names[one]: said[one].format(row["key"]) if one in told else None for one in names}
        assert {name: row[name] for name in [*cells, "kept_at"]} == cells | {"kept_at": None}
    assert found["key"].to_list() == ["a", "b"]


async def test_a_list_that_cannot_be_read_is_a_warning_and_leaves_its_columns_empty(
    runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    runs.settings |= {"consent": ALL}
    await runs.send(people("a"))
    found = await exported(runs, runs.folder / "gone.csv")
    assert found.select("row", "line", "key", "consent").rows() == [(0, None, None, "yes")]
    (warning,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.message.startswith("the contact list cannot be read, so keys and lines are left out: ")
    assert "gone.csv" in warning.message


async def test_a_campaign_that_says_nothing_of_consent_has_nothing_to_export(runs: Runs) -> None:
    await runs.send(people("a"))
    with pytest.raises(CampaignError, match=r"^the campaign says nothing of consent: name its columns under \[consent"):
        await exported(runs, pl.DataFrame(people("a")))
    assert not (runs.folder / "why.parquet").exists()


async def test_an_export_takes_the_place_of_nothing_that_is_read_and_is_of_a_known_form(runs: Runs) -> None:
    runs.settings |= {"consent": ALL}
    path = runs.folder / "list.parquet"
    pl.DataFrame(people("a")).write_parquet(path)
    options = {**runs.options, "contacts": path}
    with pytest.raises(CampaignError, match="is read by this campaign"):
        await bulk.consent(runs.campaign, path, **options)
    with pytest.raises(CampaignError, match=r"why\.txt"):
        await bulk.consent(bulk.Campaign(**runs.settings | {"consent": {}}), runs.folder / "why.txt", **options)


async def test_who_only_looks_at_consent_asks_aws_nothing(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.settings |= {"consent": ALL}
    await runs.send(people("a"))
    runs.settings |= {"list": {"key": "key", "opt_out_list": "Mine"}}
    monkeypatch.setenv("AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2", "http://127.0.0.1:9")
    assert (await exported(runs, pl.DataFrame(people("a"))))["key"].to_list() == ["a"]


def test_the_columns_are_spelled_as_the_list_does_and_must_be_there(tmp_path: Path) -> None:
    listed = ContactList.open(pl.DataFrame({"Opted In": ["yes"], "Form": ["web"], "phone": ["+14155550123"]}))
    settings: dict[str, Any] = {"name": "a", "channel": "sms", "folder": tmp_path}
    told = bulk.Campaign(**settings, consent={"column": "opted_in", "source": "form"})
    assert columns_of(told, listed) == {"column": "Opted In", "source": "Form"}
    assert columns_of(bulk.Campaign(**settings), listed) == {}
    with pytest.raises(ListError, match="since"):
        columns_of(bulk.Campaign(**settings, consent={"at": "since"}), listed)
