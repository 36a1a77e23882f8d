"""What `track` does around events: where it reads them, whom it lists with the list's help, what it warns of."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest
from intakes import NOW, four_mails, stop_of
from sandbox_runs import DRAFT, EMAIL

import bulk
from bulk.ledger import Ledger
from bulk.loader.own_list import OwnList
from bulk.run.context import RunRef
from bulk.run.event_documents import Malformed
from bulk.run.event_intake import EventIntake
from bulk.run.options import Options
from bulk.run.state_place import StatePlace
from bulk.run.track import _source
from bulk.stop import Stop

PEOPLE = pl.DataFrame([{"key": f"key-{row}", "email": f"{row + 1}@example.com", "name": "Ann"} for row in range(4)])
NUMBERS: dict[str, Any] = {"contacts": 4, "ended": 0, "open": 0, "gone": 0, "untracked": 4, "answered": 0, "silent": 0}


@pytest.fixture
async def state(tmp_path: Path) -> Path:
    with Ledger.open(tmp_path, gather=0.0, now=lambda: NOW) as ledger:
        await four_mails(ledger, tmp_path)
    return tmp_path


def campaign(**more: Any) -> bulk.Campaign:
    about = {"name": "welcome", "channel": "email", "list": {"key": "key"}, "request": EMAIL, "create_contact": DRAFT}
    return bulk.Campaign(**{**about, **more})


async def track(state: Path, *events: Any, of: bulk.Campaign | None = None, **options: Any) -> bulk.Tracking:
    path = state / "events"
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    given = {"contacts": PEOPLE, "state_dir": state, **options}
    return await bulk.track(of or campaign(), events=path, **given)


def listed(state: Path) -> list[str]:
    return [one.destination for one in OwnList(state).entries().values()]


@pytest.mark.parametrize(
    "given, named, source",
    [
        (None, None, None),
        (None, "events", "/campaigns/events"),
        (None, "s3://bucket/events/", "s3://bucket/events/"),
        (None, "arn:aws:sqs:us-west-2:123456789012:events", "arn:aws:sqs:us-west-2:123456789012:events"),
        (None, "/var/events", "/var/events"),
        ("here", "events", "here"),
        (Path("here/too"), None, "here/too"),
    ],
)
def test_events_are_read_from_where_the_caller_says_or_the_campaign_beside_itself(
    given: Path | str | None, named: str | None, source: str | None
) -> None:
    about = {} if named is None else {"track": {"events": named}}
    told = campaign(**about).model_copy(update={"folder": Path("/campaigns")})
    assert _source(RunRef(told, Options()), given) == source


async def test_whom_an_event_named_by_the_contact_alone_is_listed_by_the_list_once(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    async def put_in(*_: object) -> list[str]:
        asked.append(1)
        return []

    monkeypatch.setattr("bulk.run.opt_outs.put_in", put_in)
    of = campaign(list={"key": "key", "ses_suppression": True})
    some = PEOPLE.head(2)
    told = await track(state, stop_of("c-1"), stop_of("c-3"), of=of, contacts=some)
    assert (told.stops, told.listed, told.unlisted, listed(state)) == (2, 1, 1, ["1@example.com"])
    again = await track(state, of=of)
    assert (again.stops, again.listed, again.unlisted) == (2, 1, 0)
    assert sorted(listed(state)) == ["1@example.com", "3@example.com"]
    assert ((await track(state, of=of)).listed, asked) == (0, [])


async def test_where_the_list_cannot_be_read_it_warns_of_how_many_are_not_listed(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "bulk"):
        told = await track(state, stop_of("c-1"), stop_of("c-2"), contacts=state / "none.csv")
    (one,) = caplog.records
    assert one.name == "bulk"
    assert one.getMessage().startswith("2 people are not on the suppression list yet, as the list cannot be read: ")
    assert (told.stops, told.listed, told.unlisted, listed(state)) == (2, 0, 2, [])


async def test_who_said_stop_is_listed_where_the_caller_gives_up(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = EventIntake.read
    with anyio.CancelScope() as scope:

        async def reading(self: EventIntake, source: str, stop: Stop) -> None:
            await read(self, source, stop)
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        monkeypatch.setattr(EventIntake, "read", reading)
        await track(state, stop_of("c-2"))
    assert listed(state) == ["2@example.com"]


async def test_what_is_no_event_is_warned_of_and_counted_with_all_else(
    state: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def read(self: EventIntake, *_: object) -> None:
        self.malformed += [Malformed("queue, message 1", "no JSON"), Malformed("queue, message 2", "no JSON")]
        self.listed, self.told = 2, 3

    monkeypatch.setattr(EventIntake, "read", read)
    with caplog.at_level(logging.WARNING, "bulk"):
        told = await track(state)
    assert told == bulk.Tracking("welcome", "default", **NUMBERS, reasons={}, asked=3, listed=2, malformed=2)
    assert [one.getMessage() for one in caplog.records] == [
        "queue, message 1: no JSON\nqueue, message 2: no JSON\nwhat is no event was left where it is"
    ]
    caplog.clear()
    monkeypatch.undo()
    assert await track(state) == bulk.Tracking("welcome", "default", **NUMBERS, reasons={}, asked=0)
    assert caplog.records == []


async def test_a_dry_run_tracks_nothing(state: Path) -> None:
    with pytest.raises(bulk.CampaignError, match="track asks for real: leave --dry-run out"):
        await track(state, dry_run=True)


async def test_what_was_never_sent_is_not_tracked(tmp_path: Path) -> None:
    with pytest.raises(bulk.LedgerError, match="holds no ledger: nothing was sent from there"):
        await track(tmp_path)
    assert not (tmp_path / "ledger.db").exists()


async def test_what_could_not_be_kept_in_s3_is_an_error(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def claimed(_: Any, options: Options, __: Stop) -> AsyncIterator[StatePlace]:
        yield StatePlace(replace(options, state_dir=state), lost="S3 was out of reach")

    monkeypatch.setattr("bulk.run.track.claimed", claimed)
    with pytest.raises(bulk.Halted, match="S3 was out of reach"):
        await track(state, state_dir="s3://bucket/state")
