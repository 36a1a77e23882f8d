"""What events tell, kept in a ledger and on a suppression list that are real: read from files."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from intakes import ENDED, NOW, Intake, bounce, four_mails, stop_of

import bulk
from bulk.ledger import ContactEnd, Ledger
from bulk.ledger.feedback import Feedback
from bulk.run.event_documents import Malformed
from bulk.stop import Stop


@pytest.fixture
async def intake(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    monkeypatch.setattr("time.time", lambda: NOW + 9)
    return await four_mails(ledger, tmp_path)


async def test_what_tells_of_the_run_is_kept_whole_and_the_rest_is_passed_over(intake: Intake) -> None:
    intake.track = {"suppress": ["stop", "bounce"]}
    both = {**stop_of("c-1"), **ENDED}
    told = await intake.read(
        stop_of("somebody-else"),
        {"ContactId": "somebody-else", **ENDED},
        both,
        bounce(2),
        bounce(3, "Complaint"),
        bounce(4, "Delivery", destination=["4@example.com"]),
    )
    assert intake.ends == [ContactEnd(1, "c-1", "ended", None, NOW, "EXPIRED", 1, "event", NOW + 9)]
    assert intake.feedback == [
        Feedback(1, "stop", NOW, listed=False, tracked_at=NOW + 9),
        Feedback(2, "bounce", NOW, listed=True, tracked_at=NOW + 9),
        Feedback(3, "complaint", NOW, listed=False, tracked_at=NOW + 9),
    ]
    assert (told.told, told.listed, told.malformed) == (3, 1, [])
    ((who, (at, why)),) = intake.listed.items()
    assert (who, why, len(at), datetime.fromisoformat(at).tzinfo) == (
        "2@example.com",
        "mail bounced (welcome)",
        25,
        UTC,
    )


@pytest.mark.parametrize(
    "events, told, listed",
    [
        ([], 0, 0),
        ([{"ContactId": "c-1", **ENDED}], 1, 0),
        ([{"ContactId": "c-1", **ENDED}] * 2, 1, 0),
        ([bounce(2, "Complaint")], 1, 1),
        ([bounce(2, "Complaint"), bounce(2), {"ContactId": "c-1", **ENDED}], 2, 1),
        ([bounce(2, "Delivery", destination=["2@example.com"])], 0, 0),
    ],
)
async def test_it_counts_the_rows_that_were_told_of_and_who_is_new_on_the_list(
    intake: Intake, events: list[Any], told: int, listed: int
) -> None:
    intake.track = {"suppress": ["stop", "complaint"]}
    first, again = await intake.read(*events), await intake.read(*events)
    assert (first.told, first.listed, again.told, again.listed) == (told, listed, told, 0)
    assert [why for _, why in intake.listed.values()] == ["complained of mail (welcome)"] * listed


async def test_what_is_no_event_is_named_when_all_else_was_kept(intake: Intake) -> None:
    with pytest.raises(bulk.CampaignError) as raised:
        await intake.read("nope\n", {"ContactId": "c-1", **ENDED}, "[]\n", {"ContactId": "c-2", **ENDED})
    path = intake.folder / "events"
    assert str(raised.value).splitlines() == [
        f"{path}, line 1: no JSON; events are one JSON object a line (NDJSON)",
        f"{path}, line 3: no JSON object; events are one JSON object a line (NDJSON)",
    ]
    assert [one.delivery for one in intake.ends] == [1, 2]


async def test_a_thousand_events_are_kept_together_and_a_stop_is_heard_between(intake: Intake) -> None:
    stop = Stop()
    stop.ask("interrupted", 130)
    filler = [{"ContactId": "c-1", **ENDED}, *({"ContactId": "none"} for _ in range(998))]
    told = await intake.read(*filler, {"ContactId": "c-2", **ENDED}, {"ContactId": "c-3", **ENDED}, stop=stop)
    assert ([one.delivery for one in intake.ends], told.told) == ([1, 2], 2)


@pytest.mark.parametrize("stopped, trouble, whole", [(False, "", True), (False, "nope", False), (True, "", False)])
async def test_a_file_was_read_to_its_end_where_nothing_stopped_it_and_nothing_in_it_is_no_event(
    intake: Intake, *, stopped: bool, trouble: str, whole: bool
) -> None:
    taking, stop, path = intake.make(), Stop(), intake.folder / "one"
    taking.malformed.append(Malformed("another", "no JSON"))
    taking._people = taking._known()
    path.write_text(json.dumps({"ContactId": "c-1"}) + "\n" + trouble)
    if stopped:
        stop.ask("interrupted", 130)
    assert await taking._take_file(path, "one", stop) is whole
    assert [one.state for one in intake.ends] == ["open"]
