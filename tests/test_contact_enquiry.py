"""Contacts asked about, some at once, and kept some together: in a ledger that is real, without a network."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from fakes import no
from ledgers import IDENTITY as EXAMPLE
from ledgers import intent
from sandbox_runs import EMAIL

import bulk
from bulk.ledger import ContactEnd, Ledger, RunLedger
from bulk.ledger import ends as ledger_ends
from bulk.model import Outcome, Parameters, Recipient, Reply, Status
from bulk.run import contact_enquiry
from bulk.run.contact_enquiry import Keeping, ask_all
from bulk.run.context import RunRef
from bulk.run.options import Options
from bulk.stop import Stop, Stopped

AT = 1_800_000_000.0
IDENTITY = replace(EXAMPLE, instance=EMAIL["InstanceId"])
PLACE = IDENTITY.endpoint, IDENTITY.region
ENDED = {"Id": "the-first", "InitiationTimestamp": AT, "DisconnectTimestamp": AT + 5, "DisconnectReason": "EXPIRED"}


@dataclass
class Service:
    """Answers by the contact; what has no answer here is open. Notes what was asked, and how many questions at once."""

    answers: dict[str, dict[str, Any] | Exception] = field(default_factory=dict)
    asked: list[Parameters] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def ask(self, operation: str, parameters: Parameters, *, of_one: bool = False) -> Reply:
        assert (operation, of_one) == ("DescribeContact", True)
        self.asked.append(parameters)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await anyio.lowlevel.checkpoint()
        self.under_way -= 1
        answer = self.answers.get(str(parameters["ContactId"]), {"Contact": {"Id": parameters["ContactId"]}})
        if isinstance(answer, Exception):
            raise answer
        return Reply(answer)


@dataclass
class Kept(Keeping):
    """Notes how many were kept together."""

    times: list[int] = field(default_factory=list)

    def keep(self, ends: Sequence[ContactEnd]) -> None:
        self.times.append(len(ends))
        super().keep(ends)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()

    @asynccontextmanager
    async def destination(_: RunRef) -> AsyncIterator[tuple[object, tuple[str, str]]]:
        yield object(), PLACE

    monkeypatch.setattr(contact_enquiry, "destination", destination)
    monkeypatch.setattr(contact_enquiry, "enquirer", lambda *_: service)
    monkeypatch.setattr("time.time", lambda: AT + 100)
    return service


async def sent(ledger: Ledger, rows: int) -> RunLedger:
    run = ledger.begin(IDENTITY, {})
    run.claim([Recipient(row, f"key-{row}", f"{row}@example.com", {}) for row in range(rows)])
    for delivery in range(1, rows + 1):
        await run.intend(intent(delivery, 0, f"t{delivery}", at=AT))
        at = datetime.fromtimestamp(AT, UTC)
        await run.finish(delivery, Outcome(Status.SENT, f"c-{delivery}", 1, finished_at=at))
    await run.flush()
    return run


def ref(**options: Any) -> RunRef:
    campaign = bulk.Campaign(name="welcome", channel="email", list={"key": "key"}, request=EMAIL)
    return RunRef(campaign, Options(**options))


def ends(run: RunLedger) -> list[ContactEnd]:
    return run.read(lambda connection, number: list(ledger_ends.ends(connection, number)))


async def test_each_contact_is_asked_about_and_the_whole_answer_is_kept_under_its_own_id(
    ledger: Ledger, service: Service
) -> None:
    run = await sent(ledger, 4)
    keeping = Keeping(ledger, run)
    service.answers = {"c-1": {"Contact": ENDED}, "c-3": no("ResourceNotFoundException", 404), "c-4": {}}
    await ask_all(ref(), keeping, Stop())
    assert service.asked == [{"InstanceId": EMAIL["InstanceId"], "ContactId": f"c-{one}"} for one in range(1, 5)]
    assert ends(run) == [
        ContactEnd(1, "c-1", "ended", AT, AT + 5, "EXPIRED", None, "asked", AT + 100),
        ContactEnd(2, "c-2", "open", None, None, None, None, "asked", AT + 100),
        ContactEnd(3, "c-3", "gone", None, None, None, None, "asked", AT + 100),
        ContactEnd(4, "c-4", "open", None, None, None, None, "asked", AT + 100),
    ]
    assert keeping.told == 4


async def test_eight_are_asked_about_at_once_and_ten_are_kept_together(ledger: Ledger, service: Service) -> None:
    run = await sent(ledger, 23)
    keeping = Kept(ledger, run)
    await ask_all(ref(), keeping, Stop())
    assert (service.most, sorted(keeping.times), keeping.told, len(ends(run))) == (8, [3, 10, 10], 23, 23)


async def test_where_no_end_is_left_to_be_known_nobody_is_asked(ledger: Ledger, service: Service) -> None:
    keeping = Kept(ledger, await sent(ledger, 0))
    await ask_all(ref(sandbox=True), keeping, Stop())
    assert (service.asked, keeping.times, keeping.told) == ([], [], 0)


@pytest.mark.parametrize("failure", [no("InvalidParameterException", 400), bulk.Halted("no credentials"), Stopped()])
async def test_what_ends_the_questions_keeps_what_was_told_before(
    ledger: Ledger, service: Service, failure: Exception
) -> None:
    run = await sent(ledger, 9)
    service.answers = {f"c-{one}": failure for one in range(2, 10)}
    keeping = Keeping(ledger, run)
    if isinstance(failure, Stopped):
        await ask_all(ref(), keeping, Stop())
    else:
        with pytest.raises(bulk.Halted) as raised:
            await ask_all(ref(), keeping, Stop())
        assert str(raised.value) == str(failure)
    assert [one.delivery for one in ends(run)] == [1]
    assert keeping.told == 1


async def test_what_was_told_is_kept_where_the_caller_gives_up(ledger: Ledger, service: Service) -> None:
    run = await sent(ledger, 2)
    hangs, ask = anyio.Event(), service.ask

    async def answer(operation: str, parameters: Parameters, *, of_one: bool = False) -> Reply:
        if parameters["ContactId"] == "c-2":
            hangs.set()
            await anyio.sleep_forever()
        return await ask(operation, parameters, of_one=of_one)

    service.ask = answer  # type: ignore[method-assign]  # one that hangs
    async with anyio.create_task_group() as group:
        group.start_soon(ask_all, ref(), Keeping(ledger, run), Stop())
        await hangs.wait()
        while not service.asked or service.under_way:
            await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert [one.delivery for one in ends(run)] == [1]


async def test_contacts_of_another_place_or_of_a_rehearsal_are_not_asked_about(
    ledger: Ledger, service: Service
) -> None:
    keeping = Keeping(ledger, await sent(ledger, 1))
    other = ref(run_id="june")
    with pytest.raises(bulk.LedgerError) as raised:
        await ask_all(other, keeping, Stop())
    there = f"https://connect.example, us-west-2, instance {EMAIL['InstanceId']}"
    assert str(raised.value) == (f"run 'default' belongs to {there}, and this would ask {there}. Ask where it was sent")
    with pytest.raises(bulk.CampaignError, match="a rehearsal's sandbox forgets"):
        await ask_all(ref(sandbox=True), keeping, Stop())
    assert (service.asked, keeping.told) == ([], 0)
