"""How long making one call waits, and what it says of a full service: it …"""

import logging
import math

import anyio
import anyio.lowlevel
import pytest
from call_runs import CALL, Made
from fakes import SMS, fault, full, ok
from virtual import in_virtual_time

from bulk.delivery.attempts import AttemptState
from bulk.delivery.call_runner import FIRST_WAIT, GIVE_WAY, Policy
from bulk.stop import Stopped

# How long it waits


def test_it_tries_five_times_and_waits_twenty_seconds_at_most_unless_told_otherwise() -> None:
    policy = Policy()
    assert (policy.attempts, policy.longest_wait, dict(policy.varies)) == (5, 20.0, {})
    assert (FIRST_WAIT, GIVE_WAY) == (0.5, 0.02)
    assert [policy.wait(tries) for tries in range(1, 9)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert [policy.wait(tries, GIVE_WAY) for tries in (1, 2, 3)] == [0.02, 0.04, 0.08]


def test_a_wait_of_very_many_tries_is_a_number_still() -> None:
    patient = Policy(longest_wait=math.inf)
    assert patient.wait(33, 1.0) == patient.wait(34, 1.0) == patient.wait(10_000, 1.0) == 2.0**32


@in_virtual_time
async def test_a_wait_is_between_half_and_all_of_what_was_planned() -> None:
    waits = []
    for _ in range(100):
        made = Made(fault(), ok())
        await made.call()
        first, second = made.line.requests
        waits.append(second.at - first.at - 0.1)
    assert 0.25 <= min(waits) < 0.3
    assert 0.45 < max(waits) <= 0.5 + 1e-9


@in_virtual_time
async def test_a_stop_ends_the_later_waits_at_once_too() -> None:
    made = Made(*[fault()] * 3, policy=Policy(attempts=5))
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: made.fails(Stopped))
        await anyio.sleep(0.8)  # in the second wait, whatever the first two were
        made.stop.ask("enough", 0)
        await anyio.lowlevel.checkpoint()
        asked = anyio.current_time()
    assert len(made.line.requests) == 2
    assert anyio.current_time() == asked


# What it says


@in_virtual_time
async def test_a_full_service_is_said_once_and_again_at_each_probe_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    made = Made(full(), full(), full(), ok())
    await made.call()
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    waits = "waiting for contacts to end"
    assert said == [
        ("WARNING", f"{SMS}: full (LimitExceededException) for 0 s; {waits}"),
        ("WARNING", f"{SMS}: full (LimitExceededException) for 1 s; {waits}"),
        ("WARNING", f"{SMS}: full (LimitExceededException) for 3 s; {waits}"),
        ("INFO", f"{SMS}: room again after 7 s"),
    ]


@in_virtual_time
async def test_calls_under_way_say_nothing_more_of_a_full_service(caplog: pytest.LogCaptureFixture) -> None:
    made = Made(full(), full(), ok(), ok())
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(lambda: made.runner.make(CALL, "t", ready=made.ready, tries=AttemptState()))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@in_virtual_time
async def test_it_tells_which_operation_is_full_and_when_it_is_probed() -> None:
    made = Made(full(), ok())
    assert (made.runner.full(), made.runner.probes_in()) == ((), {})
    async with anyio.create_task_group() as group:
        group.start_soon(made.call)
        await anyio.sleep(0.35)
        assert made.runner.full() == (SMS,)
        assert made.runner.probes_in() == {SMS: pytest.approx(0.75)}
    assert (made.runner.full(), made.runner.probes_in()) == ((), {})
