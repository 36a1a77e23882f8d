"""One row on its way: asked about, built, carried or left out, between parts that only take notes. It …"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bulk.delivery.announcements import Deferred
from bulk.ledger import Claim, ClaimKind
from bulk.model import Delivery, Outcome, Progress, Recipient, Refusal, Reply, Status
from bulk.rules import CAPPED, Wait
from bulk.run.row import Row

TABLES = {"request": {"as": "written"}}
BUILT = {"request": {"to": "ann"}}
SENT = Outcome(Status.SENT, "c-1", 1)
NO = Refusal("suppressed", "Margarete Holm is named in stop.csv", Status.SKIPPED)
BAD = Refusal("no_text", "the text of Margarete Holm is empty")
DRAFT = Progress(2, (Reply({"ContactId": "draft"}),))


@dataclass
class Parts:
    """What a row stands on: rules, a builder, a ledger and a deliverer."""

    says: list[Wait | Refusal | None] = field(default_factory=list)
    builds: Mapping[str, Any] | Refusal = field(default_factory=lambda: BUILT)
    told: list[Any] = field(default_factory=list)

    def judge(self, _: Recipient, *, delivery: int) -> Wait | Refusal | None:
        self.told.append(f"judge {delivery}")
        return self.says.pop(0) if self.says else None

    def build(self, _: Recipient, progress: Progress) -> Mapping[str, Any] | Refusal:
        self.told.append(f"build after {progress.attempts}")
        return self.builds

    async def flush(self) -> None:
        self.told.append("flush")

    async def finish(self, delivery: int, outcome: Outcome, *, reopens: bool = False) -> None:
        self.told.append(("finish", delivery, outcome, reopens))

    async def deliver(self, delivery: Delivery) -> Outcome:
        self.told.append(delivery)
        return SENT

    async def go(self, claim: Claim, refusal: Refusal | None = None) -> Outcome:
        recipient = Recipient(0, "ann", "+14155550123", {"name": "Margarete Holm"}, refusal=refusal)
        row = Row(self, TABLES, self, self, self.judge)  # type: ignore[arg-type]  # all parts in one
        return await row.outcome(recipient, claim)

    @property
    def delivered(self) -> Delivery:
        (one,) = [one for one in self.told if isinstance(one, Delivery)]
        return one

    @property
    def finished(self) -> tuple[Any, ...]:
        (one,) = [one for one in self.told if isinstance(one, tuple)]
        return one[1:]


def claimed(kind: ClaimKind = ClaimKind.NEW, progress: Progress | None = None, **more: Any) -> Claim:
    return Claim(kind, 7, progress or Progress(), **more)


async def test_a_row_is_judged_built_and_carried_with_all_that_its_claim_knows() -> None:
    parts = Parts()
    claim = claimed(progress=DRAFT, decisions=3, reopens=Status.REJECTED, occurrence=2)
    assert await parts.go(claim) is SENT
    assert parts.told[:2] == ["judge 7", "build after 2"]
    one = parts.delivered
    assert (one.id, one.recipient.key, one.parameters, one.progress) == (7, "ann", BUILT, DRAFT)
    assert (one.decisions, one.reopens, one.occurrence, one.refusal) == (3, Status.REJECTED, 2, None)


async def test_what_is_settled_is_not_judged_before_it_is_built() -> None:
    parts = Parts(says=[NO])
    assert await parts.go(claimed(ClaimKind.UNSETTLED)) is SENT
    assert parts.told[0] == "build after 0"


async def test_a_row_waits_for_its_window_before_it_is_built() -> None:
    parts = Parts(says=[Wait(1.8e9)])
    with pytest.raises(Deferred) as raised:
        await parts.go(claimed())
    assert (raised.value.until, parts.told) == (1.8e9, ["judge 7"])


@pytest.mark.parametrize("again, told", [(None, "delivered"), (Refusal(CAPPED, "often"), "capped")])
async def test_who_is_capped_is_asked_about_again_when_all_is_written(again: Refusal | None, told: str) -> None:
    parts = Parts(says=[Refusal(CAPPED, "often"), again])
    outcome = await parts.go(claimed())
    assert parts.told[:3] == ["judge 7", "flush", "judge 7"]
    assert (outcome is SENT) == (told == "delivered")


async def test_another_refusal_is_asked_about_once() -> None:
    parts = Parts(says=[NO, None])
    assert (await parts.go(claimed())).status is Status.SKIPPED
    assert parts.told[0] == "judge 7"
    assert "flush" not in parts.told


@pytest.mark.parametrize("where", ["list", "rules", "builder"])
@pytest.mark.parametrize("why", [NO, BAD])
async def test_who_is_refused_is_left_out_and_the_ledger_says_why_without_the_rows_own_values(
    where: str, why: Refusal
) -> None:
    parts = Parts(says=[why if where == "rules" else None], builds=why if where == "builder" else BUILT)
    outcome = await parts.go(claimed(progress=Progress(4)), why if where == "list" else None)
    said = why.message.replace("Margarete Holm", "…")
    assert outcome == Outcome(why.status, attempts=4, error_code=why.code, error_message=said)
    assert parts.finished == (7, outcome, False)


async def test_a_decision_on_a_row_that_is_left_out_is_recorded_with_that() -> None:
    parts = Parts(says=[NO])
    await parts.go(claimed(reopens=Status.REJECTED))
    assert parts.finished[2] is True


async def test_an_unknown_row_that_would_be_left_out_stays_unknown_and_nothing_is_written() -> None:
    parts = Parts(says=[NO])
    outcome = await parts.go(claimed(progress=Progress(4), reopens=Status.UNKNOWN))
    assert (outcome.status, outcome.attempts, outcome.error_code) == (Status.UNKNOWN, 4, "suppressed")
    assert outcome.error_message == "… is named in stop.csv"
    assert parts.told == ["judge 7"]


@pytest.mark.parametrize("where", ["list", "builder"])
async def test_what_may_have_been_accepted_and_is_not_tried_again_is_unknown(where: str) -> None:
    parts = Parts(builds=BAD if where == "builder" else BUILT)
    outcome = await parts.go(claimed(ClaimKind.UNSETTLED, DRAFT), BAD if where == "list" else None)
    said = "tried before without an answer, and not tried again: the text of … is empty"
    assert outcome == Outcome(Status.UNKNOWN, attempts=2, error_code="no_text", error_message=said)
    assert parts.finished == (7, outcome, False)


@pytest.mark.parametrize("where", ["list", "rules", "builder"])
async def test_who_has_an_open_draft_is_carried_with_the_refusal_so_that_it_is_ended(where: str) -> None:
    parts = Parts(says=[NO if where == "rules" else None], builds=NO if where == "builder" else BUILT)
    assert await parts.go(claimed(progress=DRAFT), NO if where == "list" else None) is SENT
    assert (parts.delivered.refusal, parts.delivered.parameters) == (NO, TABLES)
