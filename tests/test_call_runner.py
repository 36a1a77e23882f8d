"""Making one call as often as it takes, in virtual time: it …"""

from contextlib import suppress
from itertools import pairwise

import anyio
import pytest
from fakes import SMS, STOP, Wire, caller, fault, full, no, ok, throttled, timeout, unreachable, wire
from virtual import in_virtual_time

from bulk.delivery.attempts import AttemptState
from bulk.delivery.call_runner import Policy
from bulk.errors import CallFailed, CallRejected, CallUnsettled, Halted, SetupError
from bulk.model import Call, Reply
from bulk.pacing.open_contacts import OpenContactLimit
from bulk.stop import Stop, Stopped

pytestmark = in_virtual_time

CALL = Call(SMS, {"InstanceId": "i"})
TRIES_3 = Policy(attempts=3, longest_wait=4.0)


async def made(
    line: Wire, tries: AttemptState, *, policy: Policy = TRIES_3, call: Call = CALL, stop: Stop | None = None
) -> Reply:
    """Make one call under the token `t`, its announcement going to the wire's diary."""

    async def announce() -> None:
        line.diary.append("announce")

    return await caller(line, stop, policy=policy).make(call, "t", ready=announce, tries=tries)


async def test_a_reply_is_given_to_who_asked() -> None:
    line, tries = wire(ok("c-7", "r-7")), AttemptState()
    assert (await made(line, tries))["ContactId"] == "c-7"
    assert (tries.made, tries.request_id) == (1, "r-7")


@pytest.mark.parametrize("failure", [throttled(), no("TooManyRequestsException", 429), no("429", 429), no("odd", 429)])
async def test_a_throttled_call_is_made_again_as_often_as_it_takes(failure: Exception) -> None:
    line, tries = wire(*[failure] * 40, ok()), AttemptState()
    assert await made(line, tries) == ok()
    assert (tries.made, tries.faults, tries.in_doubt) == (41, 0, False)


async def test_a_retry_reuses_its_token() -> None:
    line = wire(throttled(), fault(), timeout(), full(), unreachable(), ok())
    await made(line, AttemptState(), policy=Policy(attempts=5))
    assert (len(line.requests), line.tokens) == (6, {"t"})


async def test_throttles_are_counted_apart_from_calls() -> None:
    line = wire(throttled(), throttled(), fault(), ok())
    calls = caller(line, policy=TRIES_3)

    async def announce() -> None:
        pass

    await calls.make(CALL, "t", ready=announce, tries=AttemptState())
    assert (calls.call_counts.calls, calls.call_counts.throttled) == (4, 2)


async def test_each_wait_is_longer_than_the_last_up_to_the_longest() -> None:
    line = wire(*[fault()] * 8, ok())
    await made(line, AttemptState(), policy=Policy(attempts=20, longest_wait=4.0))
    waits = [later.at - earlier.at - 0.1 for earlier, later in pairwise(line.requests)]
    planned = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    assert all(wait / 2 - 0.01 <= waited <= wait + 0.01 for wait, waited in zip(planned, waits, strict=True))


async def test_a_throttled_call_gives_way_longer_each_time() -> None:
    line = wire(*[throttled()] * 5, ok())
    await made(line, AttemptState())
    waits = [later.at - earlier.at - 0.1 for earlier, later in pairwise(line.requests)]
    planned = [0.02, 0.04, 0.08, 0.16, 0.32]  # at least: it is the pace that gives way besides
    assert all(waited >= wait / 2 for wait, waited in zip(planned, waits, strict=True))


async def test_callers_do_not_come_back_as_one() -> None:
    lines = [wire(fault(), ok()) for _ in range(10)]
    for line in lines:
        await made(line, AttemptState())
    assert len({round(line.requests[1].at - line.requests[0].at, 4) for line in lines}) > 5


async def test_every_try_takes_a_turn() -> None:
    line = wire(fault(), timeout(), ok())

    async def announce() -> None:
        pass

    await caller(line, per_second=0.1).make(CALL, "t", ready=announce, tries=AttemptState())
    assert [request.at for request in line.requests] == pytest.approx([0.0, 10.0, 20.0])


async def at_moments(line: Wire, room: OpenContactLimit, *tries: AttemptState) -> list[float]:
    """Make a call for each of these tries, one after the other; give the moments at which they ended."""
    calls, moments = caller(line, policy=TRIES_3, room=room), []

    async def announce() -> None:
        pass

    for one in tries:
        with suppress(CallRejected):
            await calls.make(CALL, "t", ready=announce, tries=one)
        moments.append(anyio.current_time())
    return moments


async def test_the_tries_of_one_call_take_the_room_of_one_contact() -> None:
    line = wire(throttled(), full(), fault(), timeout(), ok(), ok(), ok())
    first, second, third = await at_moments(
        line, OpenContactLimit(2, 1000), AttemptState(), AttemptState(), AttemptState()
    )
    assert (first < 60, second < 60, third > 1000) == (True, True, True)


async def test_a_call_that_was_refused_leaves_its_room_to_the_next() -> None:
    line = wire(no("InvalidRequestException", 400), ok())
    assert (await at_moments(line, OpenContactLimit(1, 1000), AttemptState(), AttemptState()))[1] < 1


async def test_a_call_in_doubt_waits_for_no_room_and_takes_none() -> None:
    doubtful = AttemptState()
    doubtful.begin(in_doubt=True)
    moments = await at_moments(wire(ok(), ok()), OpenContactLimit(2, 1000, [-900, -500]), doubtful, AttemptState())
    assert moments == pytest.approx([0.1, 100.1])


@pytest.mark.parametrize("failure", [fault(), timeout(), no("ConnectionClosed"), no("503", 503), no("NoContactId")])
async def test_a_fault_is_tried_again_and_then_nobody_can_tell(failure: Exception) -> None:
    line, tries = wire(*[failure] * 3), AttemptState()
    with pytest.raises(CallUnsettled):
        await made(line, tries)
    assert (tries.made, tries.in_doubt) == (3, True)


async def test_a_fault_that_passes_is_forgotten() -> None:
    line = wire(fault(), timeout(), ok())
    assert await made(line, AttemptState()) == ok()


async def test_a_line_that_reaches_nobody_halts_the_run() -> None:
    line, tries = wire(*[unreachable()] * 3), AttemptState()
    with pytest.raises(Halted, match="EndpointConnectionError"):
        await made(line, tries)
    assert not tries.in_doubt


async def test_tries_that_end_with_one_that_may_have_been_accepted_leave_the_call_unsettled() -> None:
    with pytest.raises(CallUnsettled):
        await made(wire(unreachable(), unreachable(), fault()), AttemptState())


async def test_an_endpoint_that_vanishes_after_a_doubtful_try_halts_and_leaves_the_doubt_to_the_next_run() -> None:
    tries = AttemptState()
    with pytest.raises(Halted, match="EndpointConnectionError"):
        await made(wire(timeout(), unreachable(), unreachable()), tries)
    assert tries.in_doubt


async def test_an_answered_fault_that_accepted_nothing_ends_as_a_no() -> None:
    with pytest.raises(CallRejected, match="ResourceNotReadyException"):
        await made(wire(*[no("ResourceNotReadyException", 409)] * 3), AttemptState())


@pytest.mark.parametrize("failure", [full(), no("ServiceQuotaExceededException", 402)])
async def test_a_full_service_is_waited_for_and_its_no_is_no_attempt(failure: Exception) -> None:
    line, tries = wire(*[failure] * 6, ok()), AttemptState()
    assert await made(line, tries) == ok()
    assert tries.faults == 0
    gaps = [later.at - earlier.at - 0.1 for earlier, later in pairwise(line.requests)]
    assert gaps == pytest.approx([1, 2, 4, 8, 16, 32])


async def test_a_full_service_is_named_until_it_has_room() -> None:
    line = wire(full(), lambda: seen.append(calls.full()), ok())
    calls, seen = caller(line), list[tuple[str, ...]]()

    async def announce() -> None:
        pass

    await calls.make(CALL, "t", ready=announce, tries=AttemptState())
    assert (seen, calls.full()) == ([(SMS,)], ())


@pytest.mark.parametrize("failure", [no("InvalidRequestException", 400), no("OddException", 400), no("odd", 418)])
async def test_a_no_is_final(failure: Exception) -> None:
    line = wire(failure)
    with pytest.raises(CallRejected) as raised:
        await made(line, AttemptState())
    assert (raised.value.message, raised.value.request_id) == (failure.message, "r-0")  # type: ignore[attr-defined]  # a CallFailed
    assert len(line.requests) == 1


async def test_a_conflict_is_a_no() -> None:
    with pytest.raises(CallRejected):
        await made(wire(no("ConflictException", 409)), AttemptState())


@pytest.mark.parametrize("doubt", [timeout(), fault()])
async def test_a_conflict_after_a_doubtful_try_leaves_the_call_unsettled(doubt: Exception) -> None:
    with pytest.raises(CallUnsettled, match="ConflictException"):
        await made(wire(doubt, no("ConflictException", 409)), AttemptState())


async def test_a_conflict_after_an_earlier_run_leaves_the_call_unsettled() -> None:
    tries = AttemptState()
    tries.begin(in_doubt=True)
    with pytest.raises(CallUnsettled):
        await made(wire(no("ConflictException", 409)), tries)


async def test_a_conflict_after_throttles_and_refused_connections_is_a_no() -> None:
    with pytest.raises(CallRejected):
        await made(wire(throttled(), unreachable(), no("ConflictException", 409)), AttemptState())


async def test_a_token_that_was_accepted_before_leaves_the_call_unsettled() -> None:
    line = wire(no("IdempotencyException", 409))
    with pytest.raises(CallUnsettled):
        await made(line, AttemptState())
    assert len(line.requests) == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "ResourceNotFoundException"])
async def test_what_would_fail_every_row_halts_the_run(code: str) -> None:
    line = wire(no(code, 403))
    with pytest.raises(Halted, match=code):
        await made(line, AttemptState())
    assert len(line.requests) == 1


async def test_a_missing_resource_that_the_row_named_is_the_rows_own() -> None:
    policy = Policy(varies={SMS: True})
    with pytest.raises(CallRejected):
        await made(wire(no("ResourceNotFoundException", 404)), AttemptState(), policy=policy)
    with pytest.raises(Halted):
        await made(wire(no("AccessDeniedException", 403)), AttemptState(), policy=policy)


async def test_an_optional_call_halts_nothing() -> None:
    with pytest.raises(CallRejected):
        await made(wire(no("AccessDeniedException", 403)), AttemptState(), call=Call(STOP, {}, optional=True))


async def test_every_try_is_made_ready_when_it_has_its_turn() -> None:
    line = wire(throttled(), fault(), ok())
    await made(line, AttemptState())
    assert line.diary == ["announce", f"request {SMS}"] * 3


async def test_a_call_is_announced_only_when_its_turn_has_come() -> None:
    stop, line, announced = Stop(), wire(ok(), ok()), []
    calls = caller(line, stop, per_second=0.1)

    async def announce() -> None:
        announced.append(anyio.current_time())

    for _ in range(2):
        await calls.make(CALL, "t", ready=announce, tries=AttemptState())
    assert announced == pytest.approx([0.0, 10.0])


async def test_no_try_starts_after_a_stop() -> None:
    stop = Stop()
    line, tries = wire(throttled(), lambda: stop.ask("enough", 0), throttled()), AttemptState()
    with pytest.raises(Stopped):
        await made(line, tries, stop=stop)
    assert len(line.requests) == 2


async def test_a_stop_ends_the_wait_between_two_tries_at_once() -> None:
    stop, line, begun = Stop(), wire(*[fault()] * 3), anyio.current_time()

    async def ask() -> None:
        await anyio.sleep(0.3)
        stop.ask("enough", 0)

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        with pytest.raises(Stopped):
            await made(line, AttemptState(), stop=stop)
    assert anyio.current_time() - begun == pytest.approx(0.3)


async def test_a_reply_that_was_under_way_at_the_stop_is_still_given() -> None:
    stop = Stop()
    line = wire(lambda: stop.ask("enough", 0), ok())
    assert await made(line, AttemptState(), stop=stop) == ok()


async def test_what_is_announced_and_cannot_be_written_down_is_never_sent() -> None:
    line = wire(ok())

    async def announce() -> None:
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        await caller(line).make(CALL, "t", ready=announce, tries=AttemptState())
    assert line.requests == []


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServiceException"])
async def test_no_try_comes_sooner_than_the_answer_asked_for(code: str) -> None:
    asked = CallFailed(SMS, code, "no", status=500, retry_after=7.0)
    line = wire(asked, asked, ok())
    await made(line, AttemptState())
    assert all(later.at - earlier.at >= 7.1 for earlier, later in pairwise(line.requests))


async def test_an_answer_that_asks_for_nothing_changes_no_wait() -> None:
    line = wire(CallFailed(SMS, "InternalServiceException", "no", status=500, retry_after=0.0), ok())
    await made(line, AttemptState())
    assert 0.25 <= line.requests[1].at - line.requests[0].at - 0.1 <= 0.5


async def test_a_foreign_answer_halts_after_the_tries_and_leaves_the_row_in_doubt() -> None:
    foreign = CallFailed(SMS, "502", "a page", status=502, foreign=True)
    line, tries = wire(foreign, foreign, foreign), AttemptState()
    with pytest.raises(Halted, match="a page"):
        await made(line, tries)
    assert (tries.made, tries.in_doubt) == (3, True)


class Locked(Wire):
    """A wire whose credentials are gone."""

    async def prepare(self) -> None:
        raise SetupError("no usable AWS credentials")


async def test_trouble_with_credentials_comes_before_the_announcement_and_is_no_try() -> None:
    line, tries = Locked(wire().script), AttemptState()
    with pytest.raises(SetupError):
        await made(line, tries)
    assert (line.diary, line.requests, tries.made) == ([], [], 0)


async def test_trouble_with_credentials_in_signing_is_no_try_either() -> None:
    line, tries = wire(SetupError("no usable AWS credentials")), AttemptState()
    calls = caller(line)

    async def announce() -> None:
        line.diary.append("announce")

    with pytest.raises(SetupError):
        await calls.make(CALL, "t", ready=announce, tries=tries)
    assert (tries.made, tries.in_doubt, calls.call_counts.calls) == (0, False, 0)


async def test_contacts_that_cannot_be_stopped_are_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    denied = no("AccessDeniedException", 403)
    line = wire(*[denied] * 3)
    calls = caller(line)

    async def announce() -> None:
        pass

    told = []
    for _ in range(3):
        with pytest.raises(CallRejected):
            await calls.make(Call(STOP, {}, optional=True), "t", ready=announce, tries=AttemptState())
        told += [(calls.call_counts.unstopped, record.getMessage()) for record in caplog.records]
        caplog.clear()
    assert calls.call_counts.unstopped == 3
    assert told == [(1, "StopContact fails (AccessDeniedException): the contact stays open until it expires")]
