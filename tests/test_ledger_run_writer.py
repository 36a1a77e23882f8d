import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ledgers import DIGEST, IDENTITY, begin, intent, outcomes

from bulk.errors import LedgerError
from bulk.ledger import ClaimKind, Decision, Ledger, RunLedger
from bulk.ledger.redaction import redact
from bulk.model import Outcome, Recipient, Reply, Status

STATES = ["pending", "intended", "sent", "rejected", "unknown", "refused", "skipped"]


def listed(count: int) -> list[Recipient]:
    return [Recipient(row, f"customer-{row}", f"ann.lee{row}@example.com", {"body": "dear"}) for row in range(count)]


async def test_a_recorded_reply_is_replayed_after_a_crash(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed(1))
    await run.intend(intent(claim.id, 0, "first", digest=DIGEST, at=1.7e9))
    await run.answer(claim.id, 0, Reply({"ContactId": "draft", "ContactArn": "arn"}, "request"), attempts=2)
    (again,) = begin(ledger).claim(listed(1))
    assert again.kind is ClaimKind.NEW
    assert again.progress.replies == (Reply({"ContactId": "draft"}, "request"),)
    assert again.progress.attempts == 2
    assert again.progress.intended_at is None


async def test_a_call_announced_again_keeps_its_first_time(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed(1))
    for at in (1.7e9, 1.8e9):
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=at))
    (again,) = begin(ledger).claim(listed(1))
    assert again.progress.intended_at == 1.7e9


async def test_a_withdrawn_call_leaves_the_row_pending(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed(1))
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
    await run.withdraw(claim.id, attempts=1)
    await run.flush()
    (again,) = begin(ledger).claim(listed(1))
    assert (again.kind, again.progress.intended_at, again.progress.attempts) == (ClaimKind.NEW, None, 1)


async def test_a_withdrawal_keeps_the_doubt_of_an_earlier_run(ledger: Ledger) -> None:
    run = begin(ledger)
    (claim,) = run.claim(listed(1))
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
    resumed = begin(ledger)
    resumed.claim(listed(1))
    await resumed.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.8e9))
    await resumed.withdraw(claim.id, attempts=1)
    await resumed.flush()
    (again,) = begin(ledger).claim(listed(1))
    assert (again.kind, again.progress.intended_at) == (ClaimKind.UNSETTLED, 1.7e9)


@pytest.mark.parametrize("token, digest", [("other", DIGEST), ("token", bytes(16))])
async def test_an_unanswered_call_is_not_announced_again_with_another_text(
    tmp_path: Path, token: str, digest: bytes
) -> None:
    ledger = Ledger.open(tmp_path, gather=0.0)
    run = begin(ledger)
    (claim,) = run.claim(listed(1))
    await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
    with pytest.raises(LedgerError, match="cannot go from its state"):
        await run.intend(intent(claim.id, 0, token, digest=digest, at=1.8e9))
    with pytest.raises(LedgerError):
        ledger.close()


async def test_nothing_more_is_written_once_a_write_has_failed(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, gather=0.0)
    run = begin(ledger)
    claims = run.claim(listed(2))
    with pytest.raises(LedgerError, match="1 of 1 writes met no delivery"):
        await run.answer(claims[0].id, 0, Reply({}), attempts=1)
    with pytest.raises(LedgerError):
        await run.intend(intent(claims[1].id, 0, "token", digest=DIGEST, at=1.7e9))
    with pytest.raises(LedgerError):
        run.claim(listed(2))
    with pytest.raises(LedgerError):
        ledger.close()


async def test_a_full_disk_stops_the_sending_before_the_call(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, gather=0.0)
    run = begin(ledger)
    claims = run.claim(listed(500))
    ledger._writing().run(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
    called: list[int] = []

    async def send() -> None:
        for claim in claims:
            await run.intend(intent(claim.id, 0, "t" * 400, digest=DIGEST, at=1.7e9))
            called.append(claim.id)

    with pytest.raises(LedgerError, match=r"ledger\.db: the disk is full\. .* goes on where it stopped"):
        await send()
    with pytest.raises(LedgerError):
        ledger.close()
    with Ledger.open(tmp_path) as fixed:
        kinds = [claim.kind for claim in begin(fixed).claim(listed(500))]
    assert kinds == [ClaimKind.UNSETTLED] * len(called) + [ClaimKind.NEW] * (500 - len(called))


async def test_a_list_that_does_not_fit_the_disk_is_not_claimed(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=0.0) as ledger:
        run = begin(ledger)
        ledger._writing().run(lambda connection: connection.execute("PRAGMA max_page_count = 1"))
        with pytest.raises(LedgerError, match="the disk is full"):
            run.claim(listed(5000))
        assert sum(run.counts().values()) == 0


async def test_calls_announced_together_share_a_commit(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=0.02) as ledger:
        run = begin(ledger)
        claims = run.claim(listed(50))
        statements: list[str] = []
        ledger._writing()._connection.set_trace_callback(statements.append)
        async with asyncio.TaskGroup() as tasks:
            for claim in claims:
                tasks.create_task(run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9)))
        assert statements.count("COMMIT") == 1


async def test_an_outcome_rides_along_with_the_next_intent(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=0.0) as ledger:
        run = begin(ledger)
        claims = run.claim(listed(2))
        await run.intend(intent(claims[0].id, 0, "token", digest=DIGEST, at=1.7e9))
        await run.finish(claims[0].id, Outcome(Status.SENT, "contact", 1))
        await run.intend(intent(claims[1].id, 0, "token", digest=DIGEST, at=1.7e9))
        assert run.counts()[Status.SENT] == 1


async def test_an_outcome_reaches_the_disk_by_itself(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=0.0) as ledger:
        run = begin(ledger)
        (claim,) = run.claim(listed(1))
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
        committed = asyncio.Event()
        writer, loop = ledger._writing(), asyncio.get_running_loop()
        writer._connection.set_trace_callback(
            lambda statement: statement == "COMMIT" and loop.call_soon_threadsafe(committed.set)
        )
        await run.finish(claim.id, Outcome(Status.SENT, "contact", 1))
        await committed.wait()
        writer.run(lambda _: None)
        assert run.counts()[Status.SENT] == 1


async def test_leaving_brings_outcomes_to_the_disk(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=0.0) as ledger:
        run = begin(ledger)
        (claim,) = run.claim(listed(1))
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
        await run.finish(claim.id, Outcome(Status.SENT, "contact", 1))
    with Ledger.open(tmp_path) as ledger:
        assert begin(ledger).counts()[Status.SENT] == 1


async def test_a_cancelled_announcement_can_be_withdrawn(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=5.0) as ledger:
        run = begin(ledger)
        (claim,) = run.claim(listed(1))
        task = asyncio.create_task(run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9)))
        await asyncio.sleep(0)
        task.cancel()
        withdrawal = asyncio.create_task(run.withdraw(claim.id, attempts=0))
        await asyncio.sleep(0)
        await run.flush()
        await withdrawal
        assert run.counts()[Status.PENDING] == 1


async def test_results_say_what_is_known_of_each_row(ledger: Ledger) -> None:
    run = begin(ledger)
    claims = run.claim(listed(4))
    at = datetime(2026, 11, 20, 9, 30, 0, 123456, UTC)
    ends = [
        Outcome(Status.SENT, "contact", 2, request_id="request", finished_at=at),
        Outcome(Status.REJECTED, None, 1, "InvalidRequestException", "no such queue", "request", at),
    ]
    for claim, end in zip(claims, ends, strict=False):
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
        await run.finish(claim.id, end)
    await run.intend(intent(claims[2].id, 0, "token", digest=DIGEST, at=1.7e9))
    await run.flush()
    found = outcomes(run, listed(5))
    assert found[:2] == ends
    assert (found[2].status, found[2].error_code) == (Status.UNKNOWN, "unanswered")
    assert [outcome.status for outcome in found[3:]] == [Status.PENDING, Status.PENDING]
    assert run.unanswered() == 1


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_nothing_personal_is_kept(tmp_path: Path) -> None:
    with Ledger.open(tmp_path, gather=0.0) as ledger:
        run = begin(ledger)
        (claim,) = run.claim(listed(1))
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
        message = "ann.lee0@example.com is invalid, as are +1 (415) 555-0123 and 14155550123"
        await run.finish(claim.id, Outcome(Status.REJECTED, None, 1, "InvalidRequestException", message))
        await run.flush()
        kept = on_disk(tmp_path)
    assert b"InvalidRequestException" in kept
    assert b"a\xe2\x80\xa6@example.com" in kept
    for personal in (b"ann.lee0", b"customer-0", b"dear", b"555-0123", b"4155550123"):
        assert personal not in kept


@pytest.mark.parametrize(
    "text",
    [
        "between 2026-11-20 and 2026-11-21, 1024 of 32768 bytes",
        "flow 846ec553-a005-41c0-8341-123456789012 was not found",
        "arn:aws:connect:us-west-2:123456789012:instance/8f3c",
    ],
)
def test_what_is_not_personal_stays_readable(text: str) -> None:
    assert redact(text) == text


async def test_what_a_person_was_sent_is_counted_over_all_runs(ledger: Ledger) -> None:
    ledger.index_people()
    ends = [Status.SENT, Status.UNKNOWN, Status.REJECTED]
    for name, end in zip("abc", ends, strict=True):
        run = ledger.begin(replace(IDENTITY, run=name), {})
        (claim,) = run.claim(listed(1))
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
        token = "token" if end is Status.REJECTED else None  # certainly not accepted
        await run.finish(claim.id, Outcome(end, "contact" if end is Status.SENT else None, 1), token=token)
        await run.flush()
    person = listed(1)[0].destination
    assert person is not None
    assert ledger.written_to(person, "email", since=1.7e9) == 2
    assert ledger.written_to(person, "email", since=1.7e9 + 1) == 0
    assert ledger.written_to(person, "sms", since=0.0) == 0
    assert ledger.written_to("other@example.com", "email", since=0.0) == 0


async def unknown_rows(run: RunLedger) -> None:
    for claim in run.claim(listed(4)):
        await run.intend(intent(claim.id, 0, "token", digest=DIGEST, at=1.7e9))
        if claim.id != 4:
            await run.finish(claim.id, Outcome(Status.UNKNOWN, None, 3, "ReadTimeout", "no answer"))
    await run.flush()


async def test_unknown_rows_are_listed_for_a_person(ledger: Ledger) -> None:
    run = begin(ledger)
    await unknown_rows(run)
    unknown = run.unknown()
    assert [row.row for row in unknown] == [0, 1, 2, 3]
    assert unknown[0].destination == "a…@example.com"
    assert [row.outcome.error_code for row in unknown] == ["ReadTimeout"] * 3 + ["unanswered"]
    assert unknown[3].intended_at == datetime.fromtimestamp(1.7e9, UTC)


async def test_a_person_decides_about_unknown_rows(ledger: Ledger) -> None:
    run = begin(ledger)
    await unknown_rows(run)
    assert run.resolve(Decision.MARK_SENT, [1]) == 1
    assert run.resolve(Decision.GIVE_UP, [2]) == 1
    assert run.resolve(Decision.RESEND) == 1
    assert [one.in_doubt for one in run.unknown()] == [True]  # the next pass settles that one
    first, second, *rest = outcomes(run, listed(4))
    assert (first.status, first.error_code) == (Status.SENT, "marked_sent")
    assert (second.status, second.error_message) == (Status.REJECTED, "given up by hand: no answer")
    assert [outcome.status for outcome in rest] == [Status.PENDING, Status.UNKNOWN]
    again = begin(ledger).claim(listed(4))[2]
    assert (again.kind, again.decisions, again.progress.intended_at) == (ClaimKind.NEW, 1, None)


ALLOWED = {
    ("pending", "pending"),
    ("pending", "intended"),
    ("pending", "refused"),
    ("pending", "skipped"),
    ("intended", "intended"),
    ("intended", "sent"),
    ("intended", "rejected"),
    ("intended", "unknown"),
}
"""What `docs/internals/ledger.md` draws, decisions, withdrawals and recorded answers apart."""


def in_state(connection: sqlite3.Connection, state: str) -> None:
    initial = state if state in {"refused", "skipped"} else "pending"
    connection.execute("INSERT INTO delivery (id, run, key, state) VALUES (1, 1, x'00', ?)", (initial,))
    if state not in {"pending", "refused", "skipped"}:
        announce = "UPDATE delivery SET state = 'intended', step = 0, token = 't', digest = x'00', announced = 1"
        connection.execute(announce)
    if state in {"sent", "rejected", "unknown"}:
        connection.execute("UPDATE delivery SET state = ?, contact_id = 'c'", (state,))


@pytest.mark.parametrize("becomes", STATES)
@pytest.mark.parametrize("was", STATES)
def test_the_database_keeps_the_drawing(ledger: Ledger, was: str, becomes: str) -> None:
    begin(ledger)

    def move(connection: sqlite3.Connection) -> None:
        in_state(connection, was)
        connection.execute("UPDATE delivery SET state = ?, token = 't', contact_id = 'c'", (becomes,))

    if (was, becomes) in ALLOWED:
        ledger._writing().run(move)
    else:
        with pytest.raises(LedgerError, match="cannot go from its state to that one"):
            ledger._writing().run(move)


@pytest.mark.parametrize(
    "statement, why",
    [
        ("DELETE FROM delivery", "not forgotten"),
        ("INSERT INTO delivery (id, run, key, state, token) VALUES (2, 1, x'01', 'intended', 't')", "begins"),
        ("INSERT INTO delivery (id, run, key, state) VALUES (2, 1, x'00', 'pending')", "UNIQUE"),
        ("UPDATE delivery SET state = 'intended'", "CHECK"),
        ("UPDATE delivery SET state = 'lost'", "cannot go"),
    ],
)
def test_the_database_forbids(ledger: Ledger, statement: str, why: str) -> None:
    begin(ledger)
    ledger._writing().run(lambda connection: in_state(connection, "pending"))
    with pytest.raises(LedgerError, match=why):
        ledger._writing().run(lambda connection: connection.execute(statement))


KILLED = """
import asyncio, sys
from pathlib import Path
from bulk.ledger import Ledger, RunIdentity
from bulk.model import Announcement, Recipient

async def announce(run, claims):
    for number, claim in enumerate(claims):
        await run.intend(Announcement(claim.id, 0, "token", bytes(16), 1.7e9, opens=True, writes=True))
        print(number, flush=True)
    await asyncio.sleep(60)

ledger = Ledger.open(Path(sys.argv[1]))
run = ledger.begin(RunIdentity("welcome", "default", "email", "https://connect.example", "us-west-2", "8f3c"), {})
asyncio.run(announce(run, run.claim([Recipient(row, f"customer-{row}", None, {}) for row in range(20)])))
"""


@pytest.mark.parametrize("last", [0, 7, 19])
def test_an_intent_outlives_the_process_that_announced_it(tmp_path: Path, last: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == last:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate()
    with Ledger.open(tmp_path) as ledger:
        kinds = [claim.kind for claim in begin(ledger).claim(listed(20))]
    assert kinds[: last + 1] == [ClaimKind.UNSETTLED] * (last + 1)
