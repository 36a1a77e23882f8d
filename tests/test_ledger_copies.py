"""A copy of the ledger that is older than its sender's death: what was tried since is never taken for untried.

The last test searches: a real ledger copied at any moment, a process that dies at any other, and a service that forgets
tokens. Whatever happens, a row is accepted once, or nobody is written to again.
"""

import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
import virtual
from fakes import CREATE, MAIL, SMS, STOP, caller
from hypothesis import event, given, settings
from hypothesis import strategies as st
from ledgers import DIGEST, IDENTITY, begin, intent, outcomes
from test_delivery_crashes import FATES, REPLAY_WITHIN, TABLES, Crash, Service, World

from bulk.channels import CHANNELS
from bulk.delivery.call_runner import Policy
from bulk.delivery.delivery import Deliverer
from bulk.delivery.workers import send
from bulk.errors import LedgerError
from bulk.ledger import Claim, ClaimKind, Decision, Ledger, RunLedger
from bulk.ledger.copies import Copier, doubt, restore
from bulk.ledger.database import FILE, Values, connect, transaction, write
from bulk.ledger.lookup import Hasher
from bulk.ledger.run_reader import Source
from bulk.model import Delivery, Outcome, Parameters, Recipient, Reply, Status
from bulk.pacing.waiters import WaiterCount
from bulk.stop import Stop

COPIED = 1.7e9  # when the copies of these tests were made


def people(keys: str) -> list[Recipient]:
    return [Recipient(row, key, f"+1415555{ord(key):04}", {}) for row, key in enumerate(keys)]


def copied(ledger: Ledger, folder: Path, *, ended: bool = False) -> Path:
    """Copy a ledger, and make a state directory of the copy as the next sender does."""
    copier = Copier(ledger._path.parent)
    (folder / "elsewhere").mkdir()
    copier.copy(folder / "elsewhere" / FILE, "v", ended=ended)
    copier.close()
    assert restore(folder / "elsewhere").ended is ended
    if not ended:
        doubt(folder / "elsewhere", COPIED)
    return folder / "elsewhere"


def claimed(run: RunLedger, keys: str, cells: str = "") -> dict[str, Claim]:
    rows = people(keys)
    contents = [(row.destination or "", cells) for row in rows]
    return dict(zip(keys, run.claim(rows, contents=lambda: contents), strict=True))


async def ended(run: RunLedger, claim: Claim, status: Status) -> None:
    await run.intend(intent(claim.id, 0, f"token-{claim.id}", reopens=claim.reopens is not None))
    await run.finish(claim.id, Outcome(status, "contact" if status is Status.SENT else None, 1))
    await run.flush()


async def test_every_open_row_of_a_run_under_way_is_in_doubt_and_no_other(ledger: Ledger, tmp_path: Path) -> None:
    run = begin(ledger)
    claims = claimed(run, "abcde")
    await ended(run, claims["a"], Status.SENT)
    await ended(run, claims["b"], Status.REJECTED)
    await run.intend(intent(claims["c"].id, 0, "own", at=1.6e9))
    await run.intend(intent(claims["d"].id, 0, "draft"))
    await run.answer(claims["d"].id, 0, Reply({"ContactId": "x"}, "r"), attempts=1)
    await run.flush()
    with Ledger.open(copied(ledger, tmp_path)) as there:
        again = begin(there)
        told = outcomes(again, people("abcde"))
        assert [one.status for one in told] == ["sent", "rejected", "unknown", "unknown", "unknown"]
        assert {one.error_code for one in told[2:]} == {"unanswered"}
        found = claimed(again, "abcdef")
        kinds = "".join(claim.kind.name[0].lower() for claim in found.values())
        assert kinds == "ffuuun"  # a row that no copy has was certainly not tried
        progress = {key: claim.progress for key, claim in found.items()}
        assert (progress["c"].intended_at, progress["c"].digest) == (1.6e9, DIGEST)
        assert (progress["e"].intended_at, progress["e"].digest) == (COPIED, b"")
        assert [len(progress[key].replies) for key in "cde"] == [0, 1, 0]
        assert {progress[key].doubted_at for key in "cde"} == {COPIED}
        assert progress["f"].doubted_at is None


async def test_the_doubt_stays_with_the_calls_that_follow_and_gets_no_younger(ledger: Ledger, tmp_path: Path) -> None:
    claimed(begin(ledger), "a")
    first = copied(ledger, tmp_path)
    with Ledger.open(first, now=lambda: COPIED + 60) as there:
        run = begin(there)
        claim = claimed(run, "a")["a"]
        await run.intend(intent(claim.id, 0, "draft", at=COPIED + 60))
        await run.answer(claim.id, 0, Reply({"ContactId": "x"}, "r"), attempts=1)
        await run.intend(intent(claim.id, 1, "mail", at=COPIED + 61))
        await run.flush()
    doubt(first, COPIED + 90)
    with Ledger.open(first, now=lambda: COPIED + 100) as there:
        progress = claimed(begin(there), "a")["a"].progress
        assert (progress.intended_at, progress.doubted_at) == (COPIED, COPIED)


async def test_an_ended_copy_leaves_nothing_in_doubt(ledger: Ledger, tmp_path: Path) -> None:
    claimed(begin(ledger), "ab")
    with Ledger.open(copied(ledger, tmp_path, ended=True)) as there:
        assert {claim.kind for claim in claimed(begin(there), "ab").values()} == {ClaimKind.NEW}


async def test_a_run_that_was_at_rest_is_left_as_it_was(ledger: Ledger, tmp_path: Path) -> None:
    run = begin(ledger)
    claimed(run, "ab")
    run.close_pass()
    with Ledger.open(copied(ledger, tmp_path)) as there:
        assert {claim.kind for claim in claimed(begin(there), "ab").values()} == {ClaimKind.NEW}


async def test_rows_that_the_dead_pass_sends_again_are_in_doubt_under_that_decision(
    ledger: Ledger, tmp_path: Path
) -> None:
    run = begin(ledger)
    claims = claimed(run, "abc")
    for key, status in zip("abc", (Status.SENT, Status.REJECTED, Status.REJECTED), strict=True):
        await ended(run, claims[key], status)
    run.resolve(Decision.GIVE_UP, set())
    begin(ledger).only({Status.REJECTED})
    with Ledger.open(copied(ledger, tmp_path)) as there:
        found = claimed(begin(there), "abc")
        assert [claim.kind for claim in found.values()] == [ClaimKind.FINAL, ClaimKind.UNSETTLED, ClaimKind.UNSETTLED]
        assert {found[key].decisions for key in "bc"} == {1}


async def test_a_decision_ends_the_doubt(ledger: Ledger, tmp_path: Path) -> None:
    claimed(begin(ledger), "a")
    with Ledger.open(copied(ledger, tmp_path)) as there:
        run = begin(there)
        claim = claimed(run, "a")["a"]
        assert run.resolve(Decision.RESEND) == 0  # in doubt: it is settled, and not sent again
        await run.finish(claim.id, Outcome(Status.UNKNOWN, error_code="token_expired"))
        await run.flush()
        assert run.resolve(Decision.RESEND) == 1
        again = claimed(begin(there), "a")["a"]
        assert (again.kind, again.decisions) == (ClaimKind.NEW, 1)
        assert (again.progress.intended_at, again.progress.doubted_at) == (None, None)


async def test_a_row_that_is_another_now_is_no_row_to_be_tried_again(ledger: Ledger, tmp_path: Path) -> None:
    claimed(begin(ledger), "ab", cells="Ann")
    with Ledger.open(copied(ledger, tmp_path)) as there:
        run = begin(there)
        assert claimed(run, "a", cells="Bo")["a"].progress.digest not in {b"", DIGEST}
        run.read_again()
        assert claimed(run, "ab", cells="Ann")["b"].progress.digest == b""


async def test_caps_count_who_may_have_been_written_to_once(ledger: Ledger, tmp_path: Path) -> None:
    claimed(begin(ledger), "abc")
    with Ledger.open(copied(ledger, tmp_path)) as there:
        run = begin(there)
        found = claimed(run, "abc")
        there.index_people()

        def written(row: int) -> int:
            return there.written_to(people("abc")[row].destination or "", IDENTITY.channel, since=COPIED - 1)

        assert [written(row) for row in range(3)] == [1, 1, 1]
        await ended(run, found["a"], Status.SENT)
        await run.intend(intent(found["b"].id, 0, "b"))
        await run.finish(found["b"].id, Outcome(Status.REJECTED, None, 1), token="b")
        await run.flush()
        assert [written(row) for row in range(3)] == [1, 0, 1]


def test_paces_travel_along(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "pace").mkdir()
    (tmp_path / "pace" / "Start-1").write_bytes(b"12345678")
    there = copied(ledger, tmp_path)
    assert (there / "pace" / "Start-1").read_bytes() == b"12345678"
    assert (there / "pace" / "Start-1").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"no database at all", None])
def test_what_is_no_copy_is_said_to_be_none(content: bytes | None, tmp_path: Path) -> None:
    if content is None:
        with Ledger.open(tmp_path):
            pass
    else:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(LedgerError):
        restore(tmp_path)


# The search


class AtOnce:
    """What writes a ledger, in the thread of who asks: in virtual time nobody waits for another."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.idle = True

    async def durable(self, *writes: tuple[str, Values]) -> None:
        with transaction(self._connection):
            for statement, values in writes:
                assert write(self._connection, statement, [values]) == 1

    soon = durable

    def run(self, act: Callable[[sqlite3.Connection], Any]) -> Any:
        with transaction(self._connection):
            return act(self._connection)


class Copied(World):
    """A world in which the ledger is copied at some of the steps."""

    def __init__(self, dies_after: int | None, copies: Sequence[int], copy: Callable[[], None]) -> None:
        super().__init__(dies_after)
        self._copies = {number for number in copies if dies_after is None or number < dies_after}
        self._copy = copy
        self._steps = 0

    async def step(self) -> None:
        if self._steps in self._copies:
            self._copy()
        self._steps += 1
        await super().step()


class Lives:
    """A run that dies with its disk, and goes on elsewhere from the last copy, until every row has its end."""

    def __init__(self, way: str, service: Service, home: Path) -> None:
        self.way, self.service, self.home = way, service, home
        self.number, self.copied_at = 0, 0.0
        with Ledger.open(self.folder, now=self.now):
            pass

    @property
    def folder(self) -> Path:
        return self.home / str(self.number)

    def now(self) -> float:
        return self.service.clock + anyio.current_time()

    def live(self, dies_after: int | None, copies: Sequence[int], hours: float) -> None:
        copier, following = Copier(self.folder), self.home / str(self.number + 1)
        following.mkdir()

        def copy(*, is_ended: bool = False) -> None:
            self.copied_at = self.service.clock if is_ended else self.now()
            copier.copy(following / FILE, "v", ended=is_ended)

        self.service.world = Copied(dies_after, copies, copy)
        try:
            virtual.run(self.send(copy))
        except BaseExceptionGroup as group:
            assert group.subgroup(Crash) is not None, group  # noqa: PT017 - others are bugs, and say so
        else:
            copy(is_ended=True)
        finally:
            copier.close()
        self.number += 1
        self.service.clock += hours * 3600.0
        if not restore(self.folder).ended:
            doubt(self.folder, self.copied_at)

    async def send(self, copy: Callable[[], None]) -> None:
        with closing(connect(self.folder / FILE, writing=True)) as writing:
            (salt,) = writing.execute("SELECT value FROM setting WHERE name = 'salt'").fetchone()
            writer: Any = AtOnce(writing)
            with Ledger.open(self.folder, now=self.now) as ledger:
                facts = begin(ledger).facts
            source = Source(writing, self.folder / FILE, Hasher(salt))
            run = RunLedger(source, 1, facts=facts, writer=writer, now=self.now)
            claims = claimed(run, "abc")
            copy()  # no row is called before a copy has it
            await self._sent(run, [claims[key] for key in "abc"])

    async def _sent(self, run: RunLedger, claims: Sequence[Claim]) -> None:
        stop, waiting = Stop(), WaiterCount()
        carrier = Deliverer(
            caller=caller(self.service, stop, policy=Policy(attempts=2, longest_wait=5.0), waiting=waiting),
            journal=run,
            exchange=CHANNELS[TABLES[self.way][0]].exchange,
            token_of=lambda operation, step, delivery: f"{operation}/{step}/{delivery.recipient.key}",
            replay_within=dict.fromkeys((SMS, CREATE, MAIL, STOP), REPLAY_WITHIN),
            now=self.now,
        )

        async def deliver(number: int) -> None:
            who, claim = people("abc")[number], claims[number]
            tables: dict[str, Parameters] = {table: {"InstanceId": "i", "To": who.key} for table in TABLES[self.way][1]}
            await carrier.deliver(Delivery(claim.id, who, tables, claim.progress, claim.decisions))

        async def batches() -> AsyncIterator[Sequence[int]]:
            yield [number for number, claim in enumerate(claims) if claim.kind is not ClaimKind.FINAL]

        try:
            await send(batches(), deliver, at_once=2, waiting=waiting, stop=stop, grace=5.0)
        finally:
            self.service.clock += anyio.current_time()

    def ends(self) -> list[Outcome]:
        ledger = Ledger.read(self.folder)
        assert ledger is not None
        with ledger:
            run = ledger.find(IDENTITY.campaign, IDENTITY.run)
            assert run is not None
            return outcomes(run, people("abc"))


@pytest.mark.parametrize("dies_after", range(8, 26, 3))
def test_a_mail_is_as_old_as_the_copy_also_where_its_draft_was_settled_since(
    dies_after: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("test_delivery_crashes.REMEMBERED", 1.2 * 3600)
    service = Service(iter([]), frozenset(), conflicts=False)
    lives = Lives("email", service, tmp_path)
    lives.live(dies_after, (), 0.9)
    service.fates = iter(["ok", "ok", *["unreachable"] * 20])  # drafts are settled, and then nothing gets through
    lives.live(None, (), 0.5)
    service.fates = iter([])
    lives.live(None, (), 0.01)
    tokens = [token for token, _ in service.accepted]
    assert len(tokens) == len(set(tokens)), "a token was accepted twice"
    assert {outcome.status for outcome in lives.ends()} <= {Status.SENT, Status.UNKNOWN}


@pytest.mark.parametrize("way", TABLES)
@settings(max_examples=12)
@given(
    fates=st.lists(st.sampled_from(FATES), max_size=20),
    bad=st.sets(st.sampled_from("ab")),
    deaths=st.lists(
        st.tuples(
            st.integers(0, 30), st.lists(st.integers(0, 25), max_size=2), st.sampled_from([0.01, 0.9, 2.0, 100.0])
        ),
        max_size=4,
    ),
    conflicts=st.booleans(),
)
def test_nothing_is_sent_twice_however_old_the_copy_is(
    way: str, fates: list[str], bad: set[str], deaths: list[tuple[int, list[int], float]], *, conflicts: bool
) -> None:
    service = Service(iter(fates), frozenset(bad), conflicts)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as home:
        lives = Lives(way, service, Path(home))
        for dies_after, copies, hours in deaths:
            lives.live(dies_after, copies, hours)
        for _ in range(6):  # a line that reaches nobody halts a run; the fates of a story have an end
            lives.live(None, (), 0.01)
        ends = lives.ends()
    tokens = [token for token, _ in service.accepted]
    assert len(tokens) == len(set(tokens)), "a token was accepted twice"
    reached = {token.rpartition("/")[2] for token, _ in service.accepted if token.startswith((SMS, MAIL))}
    for key, outcome in zip("abc", ends, strict=True):
        event(f"{way}: {outcome.status}")
        if outcome.status is Status.SENT:
            assert outcome.contact_id is not None
            assert key in reached
        elif outcome.status is Status.REJECTED:
            assert key not in reached
        else:
            assert outcome.status is Status.UNKNOWN
        if not deaths and not fates:
            assert outcome.status is (Status.REJECTED if key in bad else Status.SENT)
