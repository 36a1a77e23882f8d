"""The options of a run, each default and each bound; and its summary and progress as they are told."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from bulk.campaign import HIGHEST, LONGEST
from bulk.errors import CampaignError
from bulk.model import Status
from bulk.run.options import Options
from bulk.run.summary import Progress, Summary, VirtualTime, Waiting

BOUNDS = {
    "limit": 10**12,
    "rate": HIGHEST,
    "burst": HIGHEST,
    "at_once": HIGHEST,
    "rate_share": 1,
    "connect_timeout": LONGEST,
    "read_timeout": LONGEST,
    "max_duration": LONGEST,
    "lease": 86400,
    "lock_wait": LONGEST,
}


def refused(**given: Any) -> str:
    with pytest.raises(CampaignError) as raised:
        Options.of(given)
    return str(raised.value)


def test_where_nothing_is_said_a_run_is_the_default_one_and_nothing_is_left_out_or_changed() -> None:
    said = {name: value for name, value in asdict(Options.of({})).items() if value is not None and value is not False}
    assert said == {
        "run_id": "default",
        "rate_share": 1.0,
        "lease": 30.0,
        "connect_timeout": 10.0,
        "read_timeout": 30.0,
    }


@pytest.mark.parametrize("name, most", BOUNDS.items())
def test_a_number_is_above_nought_and_within_its_bound(name: str, most: float) -> None:
    assert getattr(Options.of({name: most}), name) == most
    said = name.replace("_", "-")
    assert refused(**{name: most * 2}).startswith(f"{said} is ")
    assert f"must be at most {most:,.0f}" in refused(**{name: most * 2})
    for wrong in (0, -1, math.inf, math.nan):
        assert refused(**{name: wrong}) == f"{said} is {wrong}, and must be a number above 0"


def test_a_rate_may_be_learned() -> None:
    assert Options.of({"rate": "auto"}).rate == "auto"


def test_a_lease_lasts_two_seconds_at_least() -> None:
    assert Options.of({"lease": 2.0}).lease == 2.0
    assert refused(lease=1.5) == "lease is 1.5 s, and must be at least 2 s"


def test_an_option_that_is_not_there_is_answered_with_the_nearest_or_none() -> None:
    assert refused(dry_rum=True) == "no option 'dry_rum'; did you mean 'dry_run'?"
    assert refused(zzzzzzzzz=True) == "no option 'zzzzzzzzz'"


@pytest.mark.parametrize("name", ["a", "7", "A-b.c_d+e:f@g h", "ä" * 100, "x-", "x+"])
def test_a_run_may_have_a_name_that_a_file_may_have(name: str) -> None:
    assert Options.of({"run_id": name}).run_id == name


@pytest.mark.parametrize("name", ["", " a", "a ", "-a", ".a", "a.", "a/b", "a\nb", "a" * 101])
def test_a_run_may_have_no_other_name(name: str) -> None:
    assert "files are named after it" in refused(run_id=name)


@pytest.mark.parametrize("status", Status)
def test_only_what_may_be_sent_again_may_be_asked_for_alone(status: Status) -> None:
    if status in {Status.REJECTED, Status.REFUSED, Status.SKIPPED, Status.UNKNOWN}:
        assert Options.of({"only": status}).only is status
    else:
        assert refused(only=status) == f"only takes rejected, refused, skipped or unknown, not {status}"


def test_virtual_time_is_for_a_rehearsal_and_waits_for_nobody_outside() -> None:
    assert Options.of({"virtual_time": True, "sandbox": True}).virtual_time
    assert "it needs sandbox" in refused(virtual_time=True)
    for outside in ({"state_dir": "s3://bucket/x"}, {"lock_wait": 1.0}):
        assert "waits for nobody outside" in refused(virtual_time=True, sandbox=True, **outside)


@pytest.mark.parametrize(
    "place, url",
    [
        (None, None),
        ("state", None),
        (Path("/var/state"), None),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/a/b//", "s3://bucket/a/b"),
        (Path("s3://bucket/a"), "s3://bucket/a"),
    ],
)
def test_a_state_directory_is_a_folder_or_a_place_in_s3(place: Any, url: str | None) -> None:
    assert Options.of({"state_dir": place}).state_url == url


@pytest.mark.parametrize("place", ["s3://", "s3:///", "s3:///a", "gs://bucket/a", "http://host/a"])
def test_a_state_directory_is_nothing_else(place: str) -> None:
    assert refused(state_dir=place) == f"state-dir {place!r} is no folder and no s3://BUCKET/PREFIX"


def test_workers_have_an_address_that_is_checked() -> None:
    assert Options.of({"cluster": "local:2"}).cluster == "local:2"
    assert refused(cluster="nowhere")


# What became of a run

COUNTS: dict[str, Any] = {"rows": 9, "sent": 4, "skipped": 1, "refused": 1, "rejected": 1, "unknown": 1, "pending": 1}
SUMMARY = Summary("c", "r", "sms", **COUNTS, calls=5, throttled=2, seconds=1.5, results="r.csv", halted=None)


def test_a_summary_is_told_without_what_is_shown_elsewhere() -> None:
    told = SUMMARY.as_dict()
    assert told == {
        "campaign": "c",
        "run": "r",
        "channel": "sms",
        **COUNTS,
        "calls": 5,
        "throttled": 2,
        "seconds": 1.5,
        "results": "r.csv",
        "halted": None,
        "sent_before": 0,
        "differs": 0,
        "rehearsal": False,
    }


def test_a_rehearsal_in_virtual_time_tells_of_that() -> None:
    virtual = VirtualTime("a", "b", None, None, 2.0)
    told = Summary(**{**asdict(SUMMARY), "virtual_time": virtual, "rehearsal": True}).as_dict()
    assert (told["virtual_time"], told["rehearsal"]) == (asdict(virtual), True)
    assert not {"in_doubt", "last_sent"} & told.keys()


def test_a_notebook_shows_whether_it_was_a_rehearsal() -> None:
    assert "REHEARSAL: nobody was written to" in Summary(**{**asdict(SUMMARY), "rehearsal": True})._repr_html_()
    assert "REHEARSAL" not in SUMMARY._repr_html_()
    assert ">Run</caption>" in SUMMARY._repr_html_()


# Where it stands

WAITS = (Waiting("full", 1.8e9, operation="CreateContact"), Waiting("hours", None, rows=3, zone="Europe/London"))
STANDS = Progress(100, 40, 30, 6, 50, 7, 12.5, ("CreateContact",), 2.5, 24.0, ends_at=1.8e9 + 24, waits=WAITS, run="r")


def test_progress_is_told_with_times_that_people_read_and_comes_back_as_it_was() -> None:
    told = STANDS.as_dict()
    assert (told["percent"], told["ends_at"]) == (40, "2027-01-15T08:00:24+00:00")
    assert told["waits"] == [
        {"reason": "full", "until": "2027-01-15T08:00:00+00:00", "operation": "CreateContact"},
        {"reason": "hours", "rows": 3, "zone": "Europe/London"},
    ]
    assert Progress.of({**told, "full": list(told["full"]), "a newer one's": 1}) == STANDS
    nothing = Progress(None, 0, 0, 0, 0, 0, 0.0)
    told = {name: value for name, value in nothing.as_dict().items() if value is not None}
    counts = ("done", "sent", "failed", "calls", "throttled", "skipped", "refused", "rejected", "unknown", "before")
    assert told == {
        **dict.fromkeys([*counts, "in_flight"], 0),
        **dict.fromkeys(["seconds", "per_second"], 0.0),
        "full": (),
        "waits": [],
        "campaign": "",
        "run": "",
    }
    assert Progress.of(nothing.as_dict()) == nothing


@pytest.mark.parametrize(
    "total, done, percent", [(None, 3, None), (0, 0, 100), (3, 2, 66), (1000, 999, 99), (7, 7, 100)]
)
def test_progress_is_a_hundred_per_cent_only_at_the_end(total: int | None, done: int, percent: int | None) -> None:
    assert Progress(total, done, 0, 0, 0, 0, 0.0).percent == percent
