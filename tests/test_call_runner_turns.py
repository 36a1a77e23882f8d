"""What making one call takes from its queue and gives back, and what it counts, in virtual time: it …"""

import anyio
import pytest
from call_runs import CALL, Made
from fakes import SMS, STOP, full, no, ok, throttled, timeout
from virtual import in_virtual_time

from bulk.delivery.attempts import AttemptState, Full
from bulk.errors import CallFailed, CallNotMade, CallRejected, CallUnsettled, Halted, SetupError
from bulk.model import Call
from bulk.stop import Stopped

pytestmark = in_virtual_time


async def stopped(made: Made, tries: AttemptState) -> None:
    with pytest.raises(Stopped):
        await made.runner.make(CALL, "t", ready=made.ready, tries=tries)


# What the queue is told


async def test_it_takes_a_turn_and_tells_when_it_is_over_and_accepted() -> None:
    made = Made(ok())
    await made.call()
    assert made.turns.told == ["take 1 opens", "release", "accepted"]
    assert made.counts == (1, 0, 0, 0)


async def test_a_call_takes_as_many_parts_as_it_has() -> None:
    made = Made(throttled(), ok(), parts_of=lambda _: 3)
    await made.call()
    assert [told for told in made.turns.told if told.startswith("take")] == ["take 3 opens", "take 3"]


async def test_a_throttle_is_told_and_its_contact_takes_room_once() -> None:
    made = Made(throttled(), ok())
    await made.call()
    assert made.turns.told == ["take 1 opens", "throttled", "release", "take 1", "release", "accepted"]
    assert (made.tries.throttles, made.tries.faults) == (1, 0)


@pytest.mark.parametrize("failure", [no("InvalidRequestException", 400), no("AccessDeniedException", 403)])
async def test_a_call_that_opened_nothing_gives_its_room_back(failure: CallFailed) -> None:
    made = Made(failure)
    await made.fails((CallRejected, Halted))  # type: ignore[arg-type]  # either
    assert made.turns.told == ["take 1 opens", "release", "give back"]
    assert made.tries.request_id == "r-0"


async def test_a_call_that_may_have_opened_a_contact_keeps_its_room() -> None:
    made = Made(*[timeout()] * 3)
    await made.fails(CallUnsettled)
    assert "give back" not in made.turns.told
    assert made.turns.told.count("release") == 3


async def test_a_call_that_was_never_let_through_has_no_room_to_give_back() -> None:
    made = Made(full())
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: made.fails(Stopped))
        await anyio.sleep(0.5)  # it waits behind the gate, with the room that it took before
        made.turns.told.clear()
        other = AttemptState()
        group.start_soon(lambda: stopped(made, other))
        await anyio.sleep(0.1)
        made.stop.ask("enough", 0)
    assert made.turns.told == ["give back"]
    assert not other.placed


async def test_a_contact_that_ended_gives_the_room_of_its_operation_back() -> None:
    made = Made()
    made.runner.ended(SMS)
    assert (made.turns.told, made.stopped.told) == (["give back"], [])


async def test_where_the_ledger_knows_of_no_room_the_queue_is_told_and_the_call_waits_for_it() -> None:
    made = Made(ok())
    made.before = [Full([1.0, 2.0])]
    await made.call()
    assert made.turns.told == ["take 1 opens", "refill", "release", "take 1 opens", "release", "accepted"]
    assert made.turns.refilled == [1.0, 2.0]
    assert (made.tries.made, made.counts[0], len(made.line.requests)) == (1, 1, 1)


# What it counts


async def test_a_call_that_was_certainly_not_made_is_made_again_and_is_no_try() -> None:
    made = Made(*[CallNotMade(SMS, "NotMade", "no connection")] * 9, ok())
    await made.call()
    assert (made.tries.made, made.tries.faults, made.tries.in_doubt, made.counts[0]) == (1, 0, False, 1)
    assert len(made.line.requests) == 10


async def test_a_try_that_is_not_admitted_counts_for_nothing() -> None:
    made = Made()
    made.before = [OSError("no space left")]
    await made.fails(OSError)
    assert (made.tries.made, made.counts) == (0, (0, 0, 0, 0))
    assert made.turns.told == ["take 1 opens", "release", "give back"]


async def test_a_call_is_in_flight_while_it_is_made_and_not_after_however_it_ends() -> None:
    seen: list[int] = []
    made = Made()
    made.line.script += [
        *(lambda: seen.append(made.counts[3]), ok()),
        *(lambda: seen.append(made.counts[3]), SetupError("no keys")),
    ]
    await made.call()
    await made.fails(SetupError)
    assert (seen, made.counts[3]) == ([1, 1], 0)


@pytest.mark.parametrize(
    "failure, in_doubt",
    [
        (no("ReadTimeout"), True),
        (no("EndpointConnectionError", went_out=False), False),
        (no("500", 500), True),
        (no("InternalServiceException", 500), True),
        (no("RequestTimeout", 499), False),
        (no("RequestTimeout", 408), False),
        (no("InternalServiceException", 500, went_out=False), False),
    ],
)
async def test_a_fault_leaves_a_doubt_where_it_went_out_and_may_have_been_accepted(
    failure: CallFailed, *, in_doubt: bool
) -> None:
    made = Made(failure, ok())
    await made.call()
    assert (made.tries.faults, made.tries.in_doubt) == (1, in_doubt)


async def test_so_many_faults_and_no_more_are_tried_again() -> None:
    made = Made(*[timeout()] * 9)
    error = await made.fails(CallUnsettled)
    assert len(made.line.requests) == 3
    assert isinstance(error, CallUnsettled)
    assert (error.operation, error.code, error.message) == ("anything", "ReadTimeout", "the words of ReadTimeout")
    assert (error.status, error.request_id) == (None, "r-0")


async def test_the_end_of_a_call_keeps_the_services_status() -> None:
    error = await Made(no("InvalidRequestException", 400)).fails(CallRejected)
    assert isinstance(error, CallRejected)
    assert (error.status, error.request_id) == (400, "r-0")
    assert isinstance(error.__cause__, CallFailed)


@pytest.mark.parametrize("code", ["ExpiredTokenException", "ProxyRefused"])
async def test_an_optional_call_halts_the_run_where_no_call_can_be_made(code: str) -> None:
    await Made(no(code, 403)).fails(Halted, Call(STOP, {}, optional=True))


async def test_an_optional_call_that_halts_or_is_tried_again_is_no_contact_left_open() -> None:
    made = Made(throttled(), ok(), no("ExpiredTokenException", 403))
    await made.call(Call(STOP, {}, optional=True))
    await made.fails(Halted, Call(STOP, {}, optional=True))
    assert made.runner.call_counts.unstopped == 0
    rejected = Made(no("InvalidRequestException", 400))
    await rejected.fails(CallRejected)
    assert rejected.runner.call_counts.unstopped == 0  # it was not optional
