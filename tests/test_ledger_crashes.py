"""Any interleaving of calls, answers, crashes and resumes ends with each row in one final state, never left again."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledgers import intent, outcomes

from bulk.ledger import Claim, ClaimKind, Ledger, RunIdentity, RunLedger
from bulk.model import Outcome, Recipient, Reply, Status

IDENTITY = RunIdentity("welcome", "default", "email", "https://connect.example", "us-west-2", "8f3c")
KEYS = "abcd"
ROW = st.sampled_from(KEYS)
FINAL = [Status.SENT, Status.REJECTED, Status.UNKNOWN]


class Crashes(RuleBasedStateMachine):
    """A two-call conversation for each row; a crash leaves the files as they stand on the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.durable: dict[str, Status] = {}  # ends that were flushed
        self.late: dict[str, Status] = {}  # ends that a crash may lose
        self.announced: set[str] = set()  # calls that nothing has answered
        self.times: dict[str, tuple[int, int]] = {}  # the step that was announced last, and how often in a row
        self.drafts: set[str] = set()  # first calls whose answer is recorded
        self.ending: set[str] = set()  # refused second calls, whose draft is being ended by a third
        self.copies = 0

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger.open(self.folder / "0", gather=0.0)
        self.resume(KEYS)

    def resume(self, keys: str) -> None:
        self.run: RunLedger = self.ledger.begin(IDENTITY, {})
        rows = [Recipient(row, key, None, {}) for row, key in enumerate(keys)]
        self.rows = rows
        self.claims: dict[str, Claim] = dict(zip(keys, self.run.claim(rows), strict=True))
        self.announced -= self.ending  # the second call was refused, and to tidy up is in no doubt: it begins anew
        self.ending.clear()

    def open_(self, key: str) -> bool:
        return key not in self.durable and key not in self.late

    @rule(key=ROW)
    def announce(self, key: str) -> None:
        if self.open_(key):
            self.intend(key, int(key in self.drafts))
            self.ending.discard(key)

    def intend(self, key: str, step: int) -> None:
        self.runner.run(self.run.intend(intent(self.claims[key].id, step, f"{key}{step}", digest=bytes(16), at=1.0)))
        last, times = self.times.get(key, (step, 0))
        self.times[key] = step, times + 1 if key in self.announced and last == step else 1
        self.announced.add(key)

    @rule(key=ROW)
    def end_draft(self, key: str) -> None:
        if self.open_(key) and key in self.announced and key in self.drafts:
            self.intend(key, 2)
            self.ending.add(key)

    @rule(key=ROW)
    def withdraw(self, key: str) -> None:
        if self.open_(key) and key in self.ending:
            self.runner.run(self.run.withdraw(self.claims[key].id, attempts=1))
            self.runner.run(self.run.flush())
            self.flushed()
            step, times = self.times[key]
            self.times[key] = step, times - 1
            if times == 1:  # else an earlier announcement stands
                self.announced.remove(key)
                self.ending.remove(key)

    @rule(key=ROW)
    def answer_first(self, key: str) -> None:
        if self.open_(key) and key in self.announced and key not in self.drafts:
            self.runner.run(self.run.answer(self.claims[key].id, 0, Reply({"ContactId": key}), attempts=1))
            self.announced.remove(key)
            self.drafts.add(key)

    @rule(key=ROW, status=st.sampled_from(FINAL))
    def finish(self, key: str, status: Status) -> None:
        if self.open_(key) and key in self.announced:
            self.runner.run(self.run.finish(self.claims[key].id, Outcome(status, f"contact-{key}", 2)))
            self.late[key] = status

    @rule()
    def flush(self) -> None:
        self.runner.run(self.run.flush())
        self.flushed()

    def flushed(self) -> None:
        self.durable |= self.late
        self.announced -= self.late.keys()
        self.late.clear()

    @rule(keys=st.permutations(KEYS))
    def stop_and_resume(self, keys: list[str]) -> None:
        self.flush()
        self.ledger.close()
        self.ledger = Ledger.open(self.folder / str(self.copies), gather=0.0)
        self.resume("".join(keys))

    @rule(keys=st.permutations(KEYS))
    def crash_and_resume(self, keys: list[str]) -> None:
        here, there = (self.folder / str(self.copies + n) for n in range(2))
        self.ledger._writing().run(lambda _: shutil.copytree(here, there))
        self.ledger.close()
        self.copies += 1
        self.ledger = Ledger.open(there, gather=0.0)
        self.resume("".join(keys))
        for key, status in self.late.items():
            if self.claims[key].kind is ClaimKind.FINAL:
                assert self.claims[key].status is status
                self.durable[key] = status
                self.announced.discard(key)
        self.late.clear()

    @invariant()
    @precondition(lambda self: hasattr(self, "claims") and not self.late)
    def the_ledger_knows_what_happened(self) -> None:
        found = dict(zip((r.key for r in self.rows), outcomes(self.run, self.rows), strict=True))
        for key, outcome in found.items():
            open_as = Status.UNKNOWN if key in self.announced else Status.PENDING
            assert outcome.status is self.durable.get(key, open_as)
        assert sum(self.run.counts().values()) == len(KEYS)

    def teardown(self) -> None:
        if hasattr(self, "claims"):
            self.stop_and_resume(list(KEYS))
            for key in KEYS:
                self.settle(key)
            self.flush()
            self.the_ledger_knows_what_happened()
            assert self.durable.keys() == set(KEYS)
            self.ledger.close()
        self.runner.close()
        shutil.rmtree(self.folder)

    def settle(self, key: str) -> None:
        claim = self.claims[key]
        assert (claim.kind is ClaimKind.FINAL) == (key in self.durable)
        assert (claim.kind is ClaimKind.UNSETTLED) == (key in self.announced)
        if claim.kind is not ClaimKind.FINAL:
            assert [reply["ContactId"] for reply in claim.progress.replies] == [key] * (key in self.drafts)
            self.announce(key)
            self.finish(key, Status.SENT)


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
