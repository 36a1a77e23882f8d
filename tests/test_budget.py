"""What a run costs, and the guard that keeps it within its budget, step by step: it …"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import polars as pl
import pytest
from sandbox_runs import SMS
from virtual import in_virtual_time

from bulk.account.prices import Price, load
from bulk.campaign import Campaign
from bulk.delivery.announcements import Deferred
from bulk.delivery.attempts import CallCounts
from bulk.errors import CampaignError, ExitCode
from bulk.model import Delivery, Outcome, Progress, Recipient, Refusal, Status
from bulk.run.budget import Purse, WithinBudget, guarded
from bulk.run.context import RunContext, RunRef, open_campaign
from bulk.run.cost import cost_of, excess, region_of, so_far
from bulk.run.options import Options
from bulk.stop import Stop, Stopped

OWN = """
date = 2027-02-01
source = "our contract"
currency = "EUR"
[[prices]]
channel = "sms"
regions = ["us-west-2"]
message = 1.0
segment = 0.5
[[prices]]
channel = "sms"
regions = ["*"]
message = 9.0
"""
ARN = "arn:aws:connect:eu-west-2:123456789012:phone-number/3333"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.toml").write_text(OWN)
    return tmp_path


def campaign(folder: Path, at_most: float | None = 10.0, **changed: Any) -> Campaign:
    budget = {"prices": "own.toml"} | ({} if at_most is None else {"at_most": at_most})
    request = {**SMS, "SourceEndpoint": {"Address": changed.pop("sender", SMS["SourceEndpoint"]["Address"])}}
    return Campaign(
        **{"name": "c", "channel": "sms", "request": request, "budget": budget, "folder": folder, **changed}
    )


def record(messages: int = 0, segments: int = 0, wrote: Sequence[int] = (), region: str = "us-west-2") -> Any:
    """Return what a ledger tells of a run."""
    facts = SimpleNamespace(identity=SimpleNamespace(region=region))
    return SimpleNamespace(written=lambda: (messages, segments), wrote=lambda one: one in wrote, facts=facts)


# What it costs


def test_takes_the_prices_of_the_option_else_the_campaigns_else_those_that_are_shipped(folder: Path) -> None:
    (folder / "given.toml").write_text(OWN.replace("1.0", "3.0"))
    own = cost_of(RunRef(campaign(folder), Options(region="us-west-2")), 2, 3)
    assert (own.amount, own.messages, own.segments, own.region, own.channel) == (3.5, 2, 3, "us-west-2", "sms")
    given = cost_of(RunRef(campaign(folder), Options(prices=folder / "given.toml", region="us-west-2")), 2, 1)
    assert (given.amount, given.segments) == (7.0, 2)
    shipped = cost_of(RunRef(campaign(folder, budget={}), Options(region="us-west-2")), 2, 2)
    assert shipped.table == load()
    assert cost_of(RunRef(campaign(folder), Options(region="us-west-2")), 1, 1, region="eu-west-2").amount == 9.0


@pytest.mark.parametrize(
    "said, environment, sender, region",
    [
        (("eu-west-1", "eu-west-2"), {"AWS_REGION": "eu-west-3"}, ARN, "eu-west-1"),
        ((None, "eu-west-2"), {"AWS_REGION": "eu-west-3"}, ARN, "eu-west-2"),
        ((None, None), {"AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-4"}, ARN, "eu-west-3"),
        ((None, None), {"AWS_DEFAULT_REGION": "eu-west-4"}, ARN, "eu-west-4"),
        ((None, None), {}, ARN, "eu-west-2"),
        ((None, None), {}, "{{ key }}", None),
    ],
)
def test_knows_the_region_as_a_run_does_else_by_what_the_campaign_names(
    monkeypatch: pytest.MonkeyPatch,
    said: tuple[str | None, str | None],
    environment: dict[str, str],
    sender: str,
    region: str | None,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    option, own = said
    ref = RunRef(campaign(Path(), sender=sender, at={"region": own} if own else {}), Options(region=option))
    assert region_of(ref) == region


def test_counts_what_was_spent_where_the_run_went(folder: Path) -> None:
    ref = RunRef(campaign(folder), Options(region="eu-west-2"))
    told = so_far(ref, record(2, 3))
    assert (told.amount, told.region) == (3.5, "us-west-2")
    assert so_far(ref, record(2, 3, region="")).region == "eu-west-2"
    assert so_far(RunRef(campaign(folder), Options(region="eu-west-2", sandbox=True)), record(2, 3)).amount == 18.0


@pytest.mark.parametrize(
    "at_most, before, said",
    [
        (None, (9, 9), None),
        (6.0, (2, 2), None),
        (5.99, (2, 2), "6.00 EUR, 3.00 of it spent before, and at most 5.99 is allowed."),
        (2.99, (0, 0), "3.00 EUR, and at most 2.99 is allowed."),
        (5.99, (2, 0), "6.00 EUR, 3.00 of it spent before, and at most 5.99 is allowed."),
    ],
)
def test_tells_by_what_a_plan_exceeds_the_budget(
    folder: Path, at_most: float | None, before: tuple[int, int], said: str | None
) -> None:
    ref = RunRef(campaign(folder, at_most), Options(region="us-west-2"))
    more = "Raise it, or send to fewer; with --yes the run stops before it is exceeded"
    expected = None if said is None else f"[budget] at_most: it comes to {said} {more}"
    assert excess(ref, record(*before), cost_of(ref, 2, 2)) == expected


# The guard


class Deliveries:
    """Ends deliveries as told, and notes which it was given."""

    def __init__(self, *ends: Status | Exception) -> None:
        self.call_counts, self.full, self.ends, self.given = CallCounts(7), ("A",), list(ends), list[int]()

    def probes_in(self) -> dict[str, float]:
        return {"A": 3.0}

    async def deliver(self, delivery: Delivery) -> Outcome:
        self.given.append(delivery.id)
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return Outcome(end)


def delivery(number: int, text: str = "Hi", **more: Any) -> Delivery:
    parameters = {"request": {"InitialSystemMessage": {"Content": text}}}
    return Delivery(number, Recipient(number, str(number), "+12065550100", {}), parameters, **more)


def opened(folder: Path, at_most: float | None = 10.0, **changed: Any) -> RunContext:
    frame = pl.DataFrame({"phone": ["+12065550100"], "name": ["Ann"], "key": ["a"], "email": ["a@example.com"]})
    return open_campaign(campaign(folder, at_most, **changed), Options(contacts=frame, region="eu-west-2"))


def test_is_not_there_where_there_is_no_budget(folder: Path) -> None:
    executor = Deliveries()
    assert guarded(opened(folder, None), record(), executor, Stop()) is executor


def test_begins_with_what_was_spent_at_the_price_of_where_the_run_went(folder: Path) -> None:
    executor, stop, known, context = Deliveries(), Stop(), record(2, 3), opened(folder)
    guard = guarded(context, known, executor, stop)
    assert isinstance(guard, WithinBudget)
    assert (guard.executor, guard.record, guard.stop, guard.texts) == (executor, known, stop, context.request.texts)
    assert (guard.purse.at_most, guard.purse.spent, guard.price.segment) == (10.0, 3.5, 0.5)
    assert (guard.call_counts, guard.full, guard.probes_in()) == (executor.call_counts, ("A",), {"A": 3.0})


def test_needs_a_price(folder: Path) -> None:
    (folder / "own.toml").write_text('date = 2027-02-01\nsource = "x"')
    with pytest.raises(CampaignError, match=r"^\[budget\] at_most: no price is known for sms in us-west-2"):
        guarded(opened(folder), record(), Deliveries(), Stop())


Guard = Callable[..., WithinBudget]


@pytest.fixture
def guard(folder: Path) -> Guard:
    def made(*ends: Status | Exception, wrote: Sequence[int] = (), at_most: float = 4.0) -> WithinBudget:
        texts, price = opened(folder).request.texts, Price(channel="sms", regions=("*",), message=1.0, segment=0.5)
        return WithinBudget(Deliveries(*ends), record(wrote=wrote), Purse(at_most), price, texts, Stop())

    return made


@pytest.mark.parametrize(
    "end, spent",
    [
        (Status.SENT, 1.5),
        (Status.UNKNOWN, 1.5),
        (Status.REJECTED, 0.0),
        (Status.REFUSED, 0.0),
        (Status.SKIPPED, 0.0),
    ],
)
async def test_gives_a_share_back_where_nothing_was_accepted(guard: Guard, end: Status, spent: float) -> None:
    made = guard(end)
    assert await made.deliver(delivery(1)) == Outcome(end)
    assert made.purse.spent == spent


@pytest.mark.parametrize("wrote, spent", [([1], 1.5), ([], 0.0)])
async def test_keeps_the_share_of_a_deferred_row_that_may_have_been_accepted(
    guard: Guard, wrote: list[int], spent: float
) -> None:
    made = guard(Deferred(1.0), wrote=wrote)
    with pytest.raises(Deferred):
        await made.deliver(delivery(1))
    assert made.purse.spent == spent


async def test_keeps_the_share_of_a_row_whose_end_nobody_knows(guard: Guard) -> None:
    made = guard(OSError("the disk is full"))
    with pytest.raises(OSError, match="full"):
        await made.deliver(delivery(1))
    assert made.purse.spent == 1.5


async def test_takes_the_share_of_each_segment_where_they_are_counted(guard: Guard) -> None:
    made = guard(Status.SENT, Status.SENT)
    await made.deliver(delivery(1, "x" * 400))
    assert made.purse.spent == 2.5
    made.texts = None
    await made.deliver(delivery(2, "x" * 400))
    assert made.purse.spent == 4.0


async def test_takes_nothing_for_what_is_counted_or_sends_nothing(guard: Guard) -> None:
    made = guard(Status.SENT, Status.SENT, Status.SENT, wrote=[1, 3])
    await made.deliver(delivery(1, progress=Progress(intended_at=1.0)))
    await made.deliver(delivery(2, refusal=Refusal("late", "said")))
    assert made.purse.spent == 0.0
    await made.deliver(delivery(3))
    assert made.purse.spent == 1.5


async def test_counts_a_call_that_was_announced_and_taken_back(guard: Guard) -> None:
    made = guard(Status.SENT)
    await made.deliver(delivery(1, progress=Progress(intended_at=1.0)))
    assert made.purse.spent == 1.5


async def test_ends_the_run_once_where_too_little_is_left(guard: Guard, caplog: pytest.LogCaptureFixture) -> None:
    made = guard(Status.SENT, Status.SENT)
    await made.deliver(delivery(1))
    await made.deliver(delivery(2))
    with caplog.at_level(logging.WARNING, "bulk"):
        for number in (3, 4):
            with pytest.raises(Stopped):
                await made.deliver(delivery(number))
    reason = "[budget] at_most: 3.00 of 4.00 may have been spent"
    assert (made.stop.reason, made.stop.exit_code) == (reason, ExitCode.ROWS_LEFT)
    said = [(one.name, one.getMessage()) for one in caplog.records]
    assert said == [("bulk", f"{reason}, and one more message would exceed it: the rest is left")]
    assert made.executor.given == [1, 2]  # type: ignore[attr-defined]  # the stand-in's


# The purse


async def test_a_share_that_comes_to_exactly_the_rest_is_there() -> None:
    purse = Purse(0.3)
    for _ in range(3):
        assert await purse.take(0.1) is True
    purse.settle(0.0)
    purse.settle(0.0)
    purse.settle(0.0)
    assert await purse.take(0.0001) is False
    assert purse.spent == pytest.approx(0.3)


@in_virtual_time
async def test_a_share_that_is_too_large_waits_until_enough_comes_back_or_nobody_is_under_way() -> None:
    purse, taken = Purse(3.0), list[tuple[float, bool]]()

    async def take() -> None:
        taken.append((anyio.current_time(), await purse.take(2.0)))

    assert [await purse.take(1.0) for _ in range(3)] == [True] * 3
    async with anyio.create_task_group() as group:
        group.start_soon(take)
        group.start_soon(take)
        await anyio.sleep(1)
        purse.settle(1.0)
        await anyio.sleep(1)
        assert taken == []
        purse.settle(1.0)
        await anyio.sleep(1)
        assert [enough for _, enough in taken] == [True]
        purse.settle(0.0)
        await anyio.sleep(1)
        assert len(taken) == 1
        purse.settle(0.0)
    assert [enough for _, enough in taken] == [True, False]
