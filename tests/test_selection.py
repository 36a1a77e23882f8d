"""Small answers of a run: which rows of the results are wanted, who sends, what changed since it began."""

import getpass
import os
import socket
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from sandbox_runs import SMS

from bulk import __version__
from bulk.campaign import Campaign
from bulk.errors import CampaignError
from bulk.files import mark_of
from bulk.ledger import Ledger, Origin
from bulk.loader import ReadSpec
from bulk.model import Status
from bulk.run.changes import changes
from bulk.run.context import RunRef
from bulk.run.list_reader import ListReader
from bulk.run.marks import marks_of
from bulk.run.options import Options
from bulk.run.origin import origin
from bulk.run.selection import selected, statuses_of
from bulk.run.send_options import AskedOptions, RunOptions, SendOptions

# Which rows

FAILED = {Status.REFUSED, Status.REJECTED, Status.UNKNOWN}


@pytest.mark.parametrize(
    "words, statuses",
    [
        (None, None),
        ("", None),
        ([], None),
        ("sent", {Status.SENT}),
        ("failed", FAILED),
        ("failed, skipped", FAILED | {Status.SKIPPED}),
        (["sent", "pending,unknown"], {Status.SENT, Status.PENDING, Status.UNKNOWN}),
        (Status.SKIPPED, {Status.SKIPPED}),
    ],
)
def test_rows_are_named_by_their_status_or_by_the_word_for_several(words: Any, statuses: set[Status] | None) -> None:
    if words == "":
        with pytest.raises(CampaignError, match="'' is no status"):
            statuses_of(words)
    else:
        assert statuses_of(words) == statuses


@pytest.mark.parametrize("word, asked", [("Fialed", "; did you mean 'failed'?"), ("zzzzzz", ";")])
def test_a_word_that_names_no_row_is_answered_with_those_that_do(word: str, asked: str) -> None:
    with pytest.raises(CampaignError) as raised:
        statuses_of(word)
    assert str(raised.value) == (
        f"--only {word!r} is no status{asked} there are failed, sent, skipped, refused, rejected, unknown, pending"
    )


def test_the_rows_of_a_status_are_picked_with_what_the_list_has_of_them() -> None:
    ours = pl.DataFrame({"status": ["sent", "unknown", "sent"]})
    columns = pl.DataFrame({"name": ["Ann", "Bob", "Cem"]})
    every = list(selected(iter([(ours, columns)]), None))
    assert [(one.to_dicts(), two.to_dicts()) for one, two in every] == [(ours.to_dicts(), columns.to_dicts())]
    ((status, names),) = selected(iter([(ours, columns)]), {Status.SENT})
    assert (status["status"].to_list(), names["name"].to_list()) == (["sent", "sent"], ["Ann", "Cem"])


# Who sends


def test_who_sends_is_a_person_at_a_machine_with_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    assert origin() == Origin("ann@laptop", __version__)
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    assert origin() == Origin("ann@unknown", __version__)


@pytest.mark.parametrize("error", [KeyError, OSError, ImportError])
def test_a_user_without_a_name_is_told_by_number(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    assert origin().sender == f"uid {os.getuid()}@laptop"
    monkeypatch.delattr(os, "getuid")
    assert origin().sender == "unknown@laptop"


# What changed


def ref(folder: Path, **options: Any) -> RunRef:
    return RunRef(
        Campaign(name="spring", channel="sms", request=SMS, folder=folder), Options(state_dir=folder, **options)
    )


def test_what_changed_since_a_run_began_is_told_unless_it_is_accepted(tmp_path: Path) -> None:
    one = ref(tmp_path)
    assert changes(one, {"a": "1"}) == []
    with Ledger.open(tmp_path) as ledger:
        ledger.begin(one.identity("", ""), {"a": "1", "b": "1", "c": "1"})
    assert changes(one, {"a": "1", "b": "1", "c": "1"}) == []
    remedy = "send it as another run with --run NEW, or let the rows not yet sent take the change with --accept-changes"
    told = f"changed since run 'default' began: b, c. `send` refuses that: {remedy}"
    assert changes(one, {"a": "1", "b": "2", "c": "2"}) == [told]
    assert changes(ref(tmp_path, accept_changes=True), {"a": "2"}) == []
    assert changes(ref(tmp_path, run_id="another"), {"a": "2"}) == []


def test_a_list_is_marked_by_its_files_and_a_frame_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("phone\n+12065550100\n")
    path = tmp_path / "people.csv"
    assert marks_of(ref(tmp_path, contacts=path)) == {path: mark_of(path)}
    assert mark_of(path) is not None
    assert marks_of(ref(tmp_path, contacts=pl.DataFrame())) == {}


# The list as it is read


class Rows:
    """A list that notes what is asked of it."""

    def batches(self, *args: Any, **options: Any) -> tuple[Any, ...]:
        return args, options


@pytest.mark.parametrize("frames", [None, False, True])
def test_a_list_is_read_in_one_way_as_often_as_needed(frames: bool | None) -> None:
    rows, spec = list[Any]([Rows(), "the way"])
    reader = ListReader(rows, spec)
    asked: Any = reader.batches(size=7) if frames is None else reader.batches(size=7, frames=frames)
    assert asked == (("the way",), {"size": 7, "frames": bool(frames)})


@pytest.mark.parametrize("dedupe, keeps", [("none", 1), ("key", 0), ("destination", 0)])
def test_a_list_is_read_as_its_run_names_rows(dedupe: Any, keeps: int) -> None:
    class Record:
        kept = 0
        facts = SimpleNamespace(naming=1)

        def keep_repeats(self) -> None:
            self.kept += 1

    record: Any = Record()
    rows, spec = list[Any]([Rows(), "the way"])
    spec = ReadSpec(kind="phone", destination="phone", dedupe=dedupe)
    assert ListReader(rows, spec).as_recorded(record) == ListReader(rows, replace(spec, naming=1))
    assert record.kept == keeps


# The options as a type checker knows them


def test_no_option_is_required() -> None:
    tables: list[Any] = [RunOptions, AskedOptions, SendOptions]
    assert [table.__required_keys__ for table in tables] == [frozenset()] * 3
    names = {one.name for one in fields(Options)}
    assert [names - table.__optional_keys__ for table in tables] == [{"only"}, {"ask"}, set()]
