"""Unknown rows of a state directory in S3: what is claimed for a decision, and where that is taken."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_resolve import resolve, state

import bulk
from bulk.run.state_place import StatePlace

__all__ = ["state"]


def kept_elsewhere(
    state: Path, monkeypatch: pytest.MonkeyPatch, lost: str | None = None, copy: Path | None = None
) -> list[str]:
    """Have the state directory, and the copy that is looked at, stand for one in S3, of which each look is told."""
    opened: list[str] = []

    def opening(name: str) -> Any:
        @asynccontextmanager
        async def opened_place(_: Any, options: Any, *__: Any) -> AsyncIterator[StatePlace]:
            opened.append(f"{name} of a rehearsal" if options.sandbox else name)
            place = state if name == "claimed" else copy or state
            yield StatePlace(replace(options, state_dir=place), lost=lost)

        return opened_place

    for name in ("looked_at", "claimed"):
        monkeypatch.setattr(f"bulk.run.resolve.{name}", opening(name))
    return opened


@pytest.mark.parametrize(
    "given, claims", [({}, []), ({"decision": "give-up"}, ["claimed"]), ({"ask": True}, ["claimed"])]
)
async def test_a_state_directory_in_s3_is_claimed_only_where_something_is_decided(
    state: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], claims: Sequence[str]
) -> None:
    await resolve(state, "give-up")
    opened = kept_elsewhere(state, monkeypatch)
    settings = {"doubt": {"attribute": "bulk_row"}}
    told = await resolve(state, **given, state_dir="s3://bucket/state", settings=settings)
    assert (opened, told.unknown) == (["looked_at", *claims], [])
    assert (told.asked is not None) == ("ask" in given)


async def test_a_decision_that_could_not_be_kept_in_s3_is_an_error(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_elsewhere(state, monkeypatch, "S3 was out of reach")
    with pytest.raises(bulk.Halted, match="S3 was out of reach"):
        await resolve(state, "give-up", state_dir="s3://bucket/state")


def rehearse(state: Path) -> None:
    """Have what was sent be a rehearsal."""
    (state / "sandbox").mkdir()
    for file in state.glob("ledger.db*"):
        file.rename(state / "sandbox" / file.name)


@pytest.mark.parametrize("rehearsed", [False, True])
async def test_a_decision_is_taken_where_it_was_claimed_and_not_in_what_was_looked_at(
    state: Path, monkeypatch: pytest.MonkeyPatch, *, rehearsed: bool
) -> None:
    if rehearsed:
        rehearse(state)
    shutil.copytree(state, copy := state / "copy")
    opened = kept_elsewhere(state, monkeypatch, copy=copy)
    told = await resolve(state, "give-up", state_dir="s3://bucket/state")
    assert (told.decided, opened) == (4, ["looked_at", "claimed of a rehearsal" if rehearsed else "claimed"])
    monkeypatch.undo()
    assert [len((await resolve(place)).unknown) for place in (state, copy)] == [0, 4]
