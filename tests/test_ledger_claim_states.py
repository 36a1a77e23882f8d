"""What is claimed of a row, by what is known of it: each state, with and without a refusal, and in each kind of pass.

The rows are claimed as the second batch of their reading.
"""

from dataclasses import replace
from typing import Any

import pytest
from ledgers import DIGEST, begin, intent

from bulk.ledger import Claim, ClaimKind, Decision, Ledger, RunLedger
from bulk.model import Outcome, Recipient, Refusal, Reply, Status

AT = 1.7e9
DRAFT = Reply({"ContactId": "draft"}, "request")
REFUSED = Refusal("suppressed", "asked to be left alone", Status.SKIPPED)
FIRST = [Recipient(row, f"first-{row}", "first@example.com", {}) for row in range(2)]

STEPS = {
    "pending": "",
    "withdrawn": "call withdraw",
    "draft": "call answer",
    "resent": "call unknown resend",
    "doubted": "doubt",
    "intended": "call",
    "mail intended": "call answer call",
    "tidying": "call answer call withdraw call",
    "out": "call settle",
    "out, stopping": "call settle call",
    "sent": "call sent",
    "rejected": "call rejected",
    "mail rejected": "call answer call rejected doubt",
    "given up": "call unknown give-up",
    "marked": "call unknown mark-sent",
    "unknown": "call unknown",
    "mail unknown": "call answer call unknown",
    "refused": "",
    "skipped": "",
}
"""How a row that was claimed gets into a state."""
STATES = [*STEPS]


def people() -> list[Recipient]:
    return [Recipient(2 + row, name, f"{row}@example.com", {}) for row, name in enumerate(STATES)]


async def bring_about(run: RunLedger, state: str, id_: int) -> None:
    calls = 0
    for step in STEPS[state].split():
        match step:
            case "call":
                await run.intend(intent(id_, calls, f"token {calls}", at=AT))
                calls += 1
            case "answer" | "settle":
                await run.answer(id_, 0, DRAFT, attempts=0, settled=step == "settle")
            case "withdraw":
                await run.withdraw(id_, attempts=2)
            case "doubt":
                run.write(lambda writing, _: writing.execute("UPDATE delivery SET doubted_at = 5 WHERE id = ?", [id_]))
            case "resend" | "give-up" | "mark-sent":
                run.resolve(Decision(step), [id_])
            case end:
                await run.finish(id_, Outcome(Status(end), "contact" if end == "sent" else None, 1, "Code", "why"))
        await run.flush()


@pytest.fixture
async def ids(ledger: Ledger) -> dict[str, int]:
    run = begin(ledger)
    run.claim(FIRST)
    refused = {"refused": Refusal("bad", "no address"), "skipped": REFUSED}
    claims = run.claim([replace(row, refusal=refused.get(row.key)) for row in people()])
    numbers = {state: 3 + place for place, state in enumerate(STATES)}
    assert [claim.id for claim in claims] == [0 if state in refused else id_ for state, id_ in numbers.items()]
    for state, id_ in numbers.items():
        await bring_about(run, state, id_)
    return numbers


def words(claim: Claim, id_: int) -> str:
    """Return a claim in words: what it says beside what every claim says."""
    progress = claim.progress
    told: dict[str, Any] = {
        "fresh": claim.fresh,
        "decisions": claim.decisions,
        "reopens": claim.reopens and claim.reopens.value,
        "tries": progress.attempts,
        "replies": len(progress.replies),
        "since": progress.intended_at and progress.intended_at - AT + 1,
        "digest": progress.digest == DIGEST,
        "doubted": progress.doubted_at,
    }
    assert progress.digest in {b"", DIGEST}
    assert [*progress.replies] in ([], [DRAFT])
    assert claim.id == (0 if claim.kind is ClaimKind.FINAL else id_)
    assert (claim.first_row, claim.occurrence) == (None, 0)
    more = [name if value is True else f"{name}={value}" for name, value in told.items() if value]
    return " ".join([claim.kind.name.lower(), claim.status.value, *more])


AS_USUAL = {
    "pending": "new pending",
    "withdrawn": "new pending tries=2 digest",
    "draft": "new pending replies=1 digest",
    "resent": "new pending decisions=1 tries=1",
    "doubted": "new pending doubted=5.0",
    "intended": "unsettled unknown since=1.0 digest",
    "mail intended": "unsettled unknown replies=1 since=1.0 digest",
    "tidying": "new pending replies=1",
    "out": "unsettled unknown replies=1 digest",
    "out, stopping": "unsettled unknown replies=1 since=1.0 digest",
    "sent": "final sent",
    "rejected": "final rejected",
    "mail rejected": "final rejected",
    "given up": "final rejected",
    "marked": "final sent",
    "unknown": "final unknown",
    "mail unknown": "final unknown",
    "refused": "final refused",
    "skipped": "final skipped",
}
LEFT_ALONE = AS_USUAL | {
    "pending": "final pending",
    "withdrawn": "final pending",
    "draft": "final pending",
    "doubted": "final pending",
    "intended": "final unknown",
    "mail intended": "final unknown",
    "tidying": "final unknown",
    "out": "final sent",
    "out, stopping": "final sent",
}
"""What a pass says of the rows that it does not send again; what was sent again by hand goes on in every pass."""

SETTLED = {state: AS_USUAL[state] for state in ("intended", "mail intended", "out", "out, stopping")}
AGAIN = {
    "": AS_USUAL,
    "rejected": LEFT_ALONE
    | dict.fromkeys(["rejected", "mail rejected"], "new pending decisions=1 reopens=rejected tries=1"),
    "unknown": LEFT_ALONE
    | SETTLED
    | {
        "unknown": "new pending decisions=1 reopens=unknown tries=1",
        "mail unknown": "new pending decisions=1 reopens=unknown tries=1 replies=1",
    },
    "refused": LEFT_ALONE | {"refused": "new pending decisions=1 reopens=refused"},
    "skipped": LEFT_ALONE | {"skipped": "new pending decisions=1 reopens=skipped"},
}
LEFT_OUT = {
    "": ["pending", "withdrawn", "resent", "doubted"],
    "rejected": ["resent", "rejected", "mail rejected"],
    "unknown": ["resent"],
    "refused": ["resent", "refused"],
    "skipped": ["resent", "skipped"],
}
"""Which rows end at once in each pass, where the list leaves all of them out."""


def rows(run: RunLedger) -> dict[str, tuple[Any, ...]]:
    ask = """
    SELECT state, decisions, intended_at, error_code, error_message, finished_at FROM delivery WHERE id > 2 ORDER BY id
    """
    return dict(zip(STATES, run.read(lambda connection, _: connection.execute(ask).fetchall()), strict=True))


def claimed(ledger: Ledger, only: str, refusal: Refusal | None) -> tuple[list[Claim], dict[str, tuple[Any, ...]]]:
    """Claim all of them in another pass; return that, and the rows that this changed, as they are now."""
    run = begin(ledger)
    if only:
        run.only({Status(only)})
    run.claim(FIRST)
    before = rows(run)
    claims = run.claim([replace(row, refusal=refusal) for row in people()])
    return claims, {state: now for state, now in rows(run).items() if now != before[state]}


@pytest.mark.parametrize("only", AGAIN)
async def test_a_row_is_claimed_by_its_state(ledger: Ledger, ids: dict[str, int], only: str) -> None:
    claims, changed = claimed(ledger, only, None)
    assert {state: words(claim, ids[state]) for state, claim in zip(STATES, claims, strict=True)} == AGAIN[only]
    assert changed == ({} if only else {"tidying": ("pending", 0, None, None, None, None)})


@pytest.mark.parametrize("only", AGAIN)
async def test_a_row_that_is_left_out_now_ends_unless_something_of_it_may_be_there(
    ledger: Ledger, ids: dict[str, int], only: str
) -> None:
    claims, changed = claimed(ledger, only, REFUSED)
    there = {"out": "final sent", "out, stopping": "final sent", "unknown": "final unknown"}
    expected = AGAIN[only] | there | dict.fromkeys(LEFT_OUT[only], "final skipped fresh")
    assert {state: words(claim, ids[state]) for state, claim in zip(STATES, claims, strict=True)} == expected
    decided = {state: int(bool(only) or state == "resent") for state in LEFT_OUT[only]}
    ended = {
        state: ("skipped", decisions, None, "suppressed", "asked to be left alone", 1.8e9)
        for state, decisions in decided.items()
    }
    assert changed == ended | ({} if only else {"tidying": ("pending", 0, None, None, None, None)})
