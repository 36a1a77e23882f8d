"""A run whose calls workers make, in virtual time: it …"""

from collections import Counter

import anyio
import pytest
from clusters import Driver, Here, Service, full
from fakes import CREATE, MAIL, no
from mailings import Mailing
from virtual import in_virtual_time

from bulk.cluster.members import Greeting, Members
from bulk.cluster.message import Site
from bulk.errors import CampaignError, Halted
from bulk.model import Reply
from bulk.stop import Stop, Stopped

pytestmark = in_virtual_time


def busiest(service: Service, seconds: float) -> int:
    """Return the most calls of any so many seconds."""
    times = sorted(at for at, *_ in service.calls)
    return max(sum(1 for other in times if at <= other < at + seconds) for at in times)


@pytest.mark.parametrize("burst, ahead", [(20, 0.0), (10, 0.0), (20, 1000.0)])
async def test_two_workers_keep_the_rate_between_them(burst: int, ahead: float) -> None:
    service = Service(rate=50, burst=burst)
    driver = Driver(Here(service, ahead={"a": ahead, "b": ahead / 3}), rate=50, burst=burst)
    begun = anyio.current_time()
    await driver.send(300)
    took = max(at for at, *_ in service.calls) - begun
    assert (len(service.calls), service.throttled) == (300, 0)
    assert 300 / (burst + 50 * took) > 0.97
    shares = Counter(worker for _, worker, _ in service.calls)
    assert min(shares.values()) > 120


@pytest.mark.parametrize("burst", [100, 10])
async def test_a_mail_follows_its_draft_closely_and_lots_are_few(burst: int) -> None:
    service = Service(rate=100, burst=burst)
    engine = Here(service)
    await Mailing(Driver(engine, rate=100, burst=burst)).send(600)
    drafts, mails = (sorted(at for at, _, token in service.calls if token.startswith(name)) for name in (CREATE, MAIL))
    assert (len(drafts), len(mails), service.throttled) == (600, 600, 0)
    assert 600 / (burst + 100 * (drafts[-1] - drafts[0])) > 0.98
    assert mails[-1] - drafts[-1] < 0.45
    assert sum(kind == "lot" for _, kind, _ in engine.posted) < 1200 / 5


@pytest.mark.parametrize("burst", [100, 10])
async def test_a_worker_that_freezes_costs_a_second_of_its_part_and_the_rate_is_never_exceeded(burst: int) -> None:
    service = Service(rate=100, burst=burst, frozen={"a": (4.0, 12.0)})
    driver = Driver(Here(service), rate=100, burst=burst)
    await driver.send(1500)
    took = max(at for at, *_ in service.calls)
    assert (len(service.calls), service.throttled) == (1500, 0)
    assert 1500 / (burst + 100 * took) > 0.94
    assert not any(4.1 < at < 12.0 for at, worker, _ in service.calls if worker == "a")


async def test_a_rate_that_nobody_said_is_found_by_workers_together() -> None:
    service = Service(rate=60, burst=20)
    driver = Driver(Here(service), rate=None, burst=20)
    await driver.send(600)
    took = max(at for at, *_ in service.calls)
    assert 600 / (20 + 60 * took) > 0.8
    assert service.throttled < 40
    assert all(isinstance(end, Reply) for end in driver.done.values())


async def test_each_call_is_made_once_under_its_token() -> None:
    service = Service()
    driver = Driver(Here(service))
    await driver.send(120)
    assert Counter(token for *_, token in service.calls) == Counter(f"t{number}" for number in range(120))
    assert {state.made for state in driver.tries.values()} == {1}
    assert driver.runner.call_counts.calls == 120


async def test_what_a_lost_worker_had_is_in_doubt_and_asked_again_under_its_token() -> None:
    service, lost = Service(), anyio.Event()
    engine = Here(service)
    driver = Driver(engine)

    async def kill() -> None:
        await anyio.sleep(2.0)
        engine.lost.add("a")
        lost.set()

    async with anyio.create_task_group() as group:
        group.start_soon(kill)
        await driver.send(300)
    counts = Counter(token for *_, token in service.calls)
    repeated = {token for token, count in counts.items() if count > 1}
    assert all(isinstance(end, Reply) for end in driver.done.values())
    assert 1 <= len(repeated) <= 20
    assert {driver.tries[token].in_doubt for token in repeated} == {True}
    assert service.throttled == 0


async def test_a_worker_that_comes_in_a_lost_ones_place_gets_its_part() -> None:
    service = Service()
    engine = Here(service)

    async def replace() -> None:
        await anyio.sleep(2.0)
        engine.lost.add("a")
        engine.names = ("b", "c")

    async with anyio.create_task_group() as group:
        group.start_soon(replace)
        await Driver(engine).send(400)
    later = Counter(worker for at, worker, _ in service.calls if at > 5.0)
    assert min(later["b"], later["c"]) > 60
    assert service.throttled == 0


async def test_a_worker_that_joins_slowly_keeps_no_other_from_joining() -> None:
    service = Service(frozen={"c": (0.0, 60.0)})
    engine = Here(service, names=("a", "b"))

    async def join() -> None:
        await anyio.sleep(1.0)
        engine.names = ("a", "b", "c", "d")

    async with anyio.create_task_group() as group:
        group.start_soon(join)
        await Driver(engine).send(400)
    assert {worker for _, worker, _ in service.calls} == {"a", "b", "d"}


async def test_a_worker_that_joins_with_another_account_is_told_of_once_and_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service()
    engine = Here(service, names=("a",), accounts={"b": "999999999999"})

    async def join() -> None:
        await anyio.sleep(1.0)
        engine.names = ("a", "b")

    async with anyio.create_task_group() as group:
        group.start_soon(join)
        await Driver(engine).send(400)
    assert {worker for _, worker, _ in service.calls} == {"a"}
    assert sum("worker b has credentials of account 999999999999" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("burst, least", [(100, 0.99), (10, 0.98)])  # a service keeps no more than a burst
@pytest.mark.parametrize("after", [0.2, 1.5], ids=["replaced at once", "replaced later"])
async def test_what_nobody_sent_when_a_worker_died_is_made_up_and_the_rate_is_never_exceeded(
    burst: int, least: float, after: float
) -> None:
    service = Service(rate=100, burst=burst)
    engine = Here(service)

    async def replace() -> None:
        await anyio.sleep(4.0)
        engine.lost.add("a")
        await anyio.sleep(after)
        engine.names = ("b", "c")

    async with anyio.create_task_group() as group:
        group.start_soon(replace)
        await Driver(engine, rate=100, burst=burst).send(1500)
    made, took = len(service.calls), max(at for at, *_ in service.calls)
    assert service.throttled == 0
    assert made / (burst + 100 * took) > least
    assert min(Counter(worker for at, worker, _ in service.calls if at > 9.0).values()) > 100


async def test_all_workers_lost_halts_the_run() -> None:
    engine = Here(Service())
    driver = Driver(engine)

    async def lose() -> None:
        await anyio.sleep(2.0)
        engine.lost.update(engine.names)

    async with anyio.create_task_group() as group:
        group.start_soon(lose)
        await driver.send(400)
    assert driver.stop.exit_code == 3
    assert "no worker of the cluster is left" in str(driver.stop.reason)


async def test_a_stop_is_heard_by_all_workers_and_what_they_had_not_made_counts_as_no_try() -> None:
    service = Service()
    driver = Driver(Here(service))

    async def ask() -> None:
        await anyio.sleep(3.0)
        driver.stop.ask("enough", 130)

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await driver.send(1000)
    made = {token for *_, token in service.calls}
    assert max(at for at, *_ in service.calls) <= 3.0 + 0.2
    for token, end in driver.done.items():
        assert isinstance(end, Reply if token in made else Stopped)
        assert driver.tries[token].made == (token in made)
        assert not driver.tries[token].in_doubt


async def test_a_service_that_is_full_ends_a_lot_and_one_call_asks_again() -> None:
    service = Service(rate=100, burst=50)
    service.answers = lambda _: full() if 1.0 <= anyio.current_time() < 9.0 else None
    driver = Driver(Here(service), rate=100, burst=50)
    await driver.send(300, at_once=80)
    held = [at for at, *_ in service.calls if 1.5 < at < 9.0]
    assert len(held) <= 4  # probes, each twice as late as the one before
    assert all(isinstance(end, Reply) for end in driver.done.values())


async def test_an_error_that_halts_ends_all_lots() -> None:
    service = Service(rate=100, burst=50)
    service.answers = lambda token: no("AccessDeniedException", 403) if token == "t60" else None
    driver = Driver(Here(service), rate=100, burst=50)

    async def halt() -> None:
        while not any(isinstance(end, Halted) for end in driver.done.values()):  # noqa: ASYNC110 - nothing tells
            await anyio.sleep(0.01)
        driver.stop.ask("halted", 3)

    async with anyio.create_task_group() as group:
        group.start_soon(halt)
        await driver.send(1000)
    (failed_at,) = [at for at, _, token in service.calls if token == "t60"]
    after = [at for at, *_ in service.calls if at > failed_at + service.latency + 0.2]
    assert after == []
    assert sum(isinstance(end, Halted) for end in driver.done.values()) == 1


async def test_an_engine_that_is_gone_halts_the_run_and_leaves_its_lots_in_doubt() -> None:
    service, stop = Service(), Stop()
    engine = Here(service)
    driver = Driver(engine, stop=stop)

    async def leave() -> None:
        await anyio.sleep(2.0)
        engine.gone = True

    async with anyio.create_task_group() as group:
        group.start_soon(leave)
        await driver.send(1000)
    assert (stop.reason, stop.exit_code) == ("the engine is gone", 3)
    answered = {token for token, end in driver.done.items() if isinstance(end, Reply)}
    made = {token for *_, token in service.calls}
    assert made - answered <= {token for token, tries in driver.tries.items() if tries.in_doubt}


async def test_a_worker_of_another_account_is_refused_before_any_call() -> None:
    service = Service()
    engine = Here(service)
    driver = Driver(engine)

    site = Site("https://connect.example", "us-west-2", 1.0, 2.0)
    members = Members(engine, Greeting(site, site.url or "", "999999999999", 10, {}), anyio.current_time, driver.stop)
    with pytest.raises(ExceptionGroup) as raised:
        await members.open()
    error = raised.value.exceptions[0]
    assert isinstance(error, CampaignError)
    assert "999999999999" in str(error)
    assert service.calls == []
