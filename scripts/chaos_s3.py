"""Nothing lost, nothing doubled where the disk dies too: the state directory is in S3, and each life is elsewhere.

    scripts/chaos s3                  some 60 kills over five kinds of campaigns
    scripts/chaos s3 --kills 3 --only sms --seed 7

As in `chaos.py`, the program is killed at random instants. Each life has a folder of its own for everything, which is
removed when it dies; the next goes on from the copy in S3 (moto's server, with conditional writes one after the other),
when the claim of the dead one has ended by itself. While it lives, S3 is gone for moments, and another sender tries to
send too, and must be turned away (exit code 75). `email-old` and `inbound-email-old` trust a token for one second, and
the service forgets it after three: rows in doubt when a life died must end `unknown`, and be sent to nobody again.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import chaos_ledger
from chaos import DRAFTED, ENVIRONMENT, Trial, main
from chaos_figures import Figures, RemoteFigures
from chaos_trial import KINDS, Kind

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from buckets import OneByOne, client, served

from bulk.run.lease import SLACK
from bulk.sandbox import state

RATE = 40.0
LEASE = 4.0
FREE = LEASE + SLACK + 1.5  # seconds after a death in which the claim ends: S3 tells times in whole seconds
REMEMBERED, TRUSTED = 3.0, 1.0  # seconds: how long the service knows a token, and is trusted to, where tokens are old
BUCKET = "chaos"
SECOND = 0.3  # of the lives meet another sender
GONE = 0.3  # of the lives are without S3 for a while
KILLS = 6  # of one campaign
HURRIED = "CHAOS_HURRY" in os.environ  # the short form waits for no claim: it is removed, as if time had passed

KINDS |= {f"{name}-old": replace(KINDS[name], name=f"{name}-old") for name in ("email", "inbound-email")}
NAMES = "sms", "email", "email-stop", "email-old", "inbound-email-old"


def _is_old(kind: Kind) -> bool:
    return kind.name.endswith("-old")


@dataclass(slots=True)
class RemoteTrial(Trial):
    """One campaign, whose state is in S3 alone."""

    FIGURES: ClassVar[type[Figures]] = RemoteFigures

    figures: RemoteFigures
    url: str = ""
    s3: OneByOne = field(default_factory=OneByOne)
    life: int = 0
    free_at: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        return f"s3://{BUCKET}/{self.folder.name}"

    @property
    def reach(self) -> str:
        lasting = f"--state-dir {self.state} --lease {LEASE:g}s"
        return f"--endpoint-url {self.sandbox.url} {lasting} --results {self.folder / 'results.csv'}"

    @property
    def home(self) -> Path:
        return self.folder / f"life-{self.life}"

    @property
    def environment(self) -> dict[str, str]:
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL_S3": self.url, "TMPDIR": str(self.home)}

    async def run(self, kills: int) -> str:
        """Send it, with `kills` kills at most; give what was wrong."""
        state.TOKEN_LIFE = REMEMBERED if _is_old(self.kind) else 7 * 86400.0
        with served(self.s3) as self.url:
            place = {"LocationConstraint": "us-west-2"}
            with suppress(client(self.url).exceptions.BucketAlreadyOwnedByYou):
                client(self.url).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
            wrong = await Trial.run(self, min(kills, KILLS))
        return wrong + "\n".join(self.wrong)

    async def _start(self) -> asyncio.subprocess.Process:
        """Begin another life, in a folder of its own, when the claim of the last has ended."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.life += 1
        self.home.mkdir()
        await asyncio.sleep(max(0.0, self.free_at - time.monotonic()))
        text = self.kind.campaign(RATE)
        if _is_old(self.kind):
            text = text.replace('longest_wait = "40ms"', f'longest_wait = "40ms"\nreplay_within = "{TRUSTED:g}s"')
        (self.home / "campaign.toml").write_text(text)
        shutil.copy(self.folder / "list.csv", self.home)
        return await self._program(self.home)

    async def _program(self, folder: Path) -> asyncio.subprocess.Process:
        command = f"-m bulk send campaign.toml --yes --json --results results.csv {self.reach}"
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, *command.split(), cwd=folder, env=self.environment, stdout=pipe, stderr=pipe
        )

    async def _killed(self) -> bool:
        """Let a life be, with an outage and another sender; kill it, and remove all that it had."""
        process = await self._start()
        self.figures.lives += 1
        telling = asyncio.ensure_future(process.communicate())
        storm = asyncio.ensure_future(self._outage())
        other = asyncio.ensure_future(self._second(process))
        now = self._moment()
        while not now() and not telling.done():
            await asyncio.wait([telling], timeout=0.002)
        if is_killed := not telling.done():
            process.send_signal(signal.SIGKILL)
        _, told = await telling
        self.free_at = time.monotonic() + (0.0 if HURRIED else FREE)
        await asyncio.gather(storm, other)
        if HURRIED:
            client(self.url).delete_object(Bucket=BUCKET, Key=f"{self.folder.name}/claim.json")
        shutil.rmtree(self.home)
        if is_killed and process.returncode == -signal.SIGKILL:
            self.figures.kills += 1
            self._look_into_the_ledger()
            return True
        self.free_at = 0.0
        if process.returncode not in {0, 1, 3}:
            self.wrong.append(f"exit code {process.returncode}: {told.decode()[-1500:]}")
        return process.returncode == 3

    def _moment(self) -> Callable[[], bool]:
        """Draw when to kill: at moments between copies, and at any time at all."""
        if self.lots.random() < 0.3:
            return Trial._moment(self)  # noqa: SLF001 - `super` knows no class that has slots
        start, lasts, begun = self._received(), self.lots.uniform(0.0, 1.0 if HURRIED else 9.0), [0.0]

        def now() -> bool:
            if not begun[0] and self._received() != start:
                begun[0] = time.monotonic()
            return bool(begun[0]) and time.monotonic() > begun[0] + lasts

        return now

    async def _outage(self) -> None:
        """Be without S3 for a moment, shorter than a claim."""
        if self.lots.random() < GONE:
            await asyncio.sleep(self.lots.uniform(1.0, 5.0))
            self.s3.gone = True
            self.figures.outages += 1
            await asyncio.sleep(self.lots.uniform(0.1, LEASE / 3))
            self.s3.gone = False

    async def _second(self, first: asyncio.subprocess.Process) -> None:
        """Start another sender while the first one sends: it must be turned away."""
        if self.lots.random() >= SECOND:
            return
        start = self._received()
        while self._received() == start:
            if first.returncode is not None:
                return
            await asyncio.sleep(0.05)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("campaign.toml", "list.csv"):
                shutil.copy(self.home / name, folder)
            process = await self._program(Path(folder))
            _, told = await process.communicate()
        if first.returncode is None and process.returncode == 75:
            self.figures.turned_away += 1
        elif first.returncode is None and "cannot be reached" not in told.decode():
            self.wrong.append(f"a second sender ended with {process.returncode}: {told.decode()[-800:]}")

    def _look_into_the_ledger(self) -> None:
        """Count what the copy had of it."""
        query = f"SELECT ifnull(sum(state = 'intended'), 0), ifnull(sum({DRAFTED}), 0) FROM delivery"
        left = "SELECT count(*) FROM delivery WHERE state = 'pending' OR state = 'intended'"
        with tempfile.TemporaryDirectory() as folder:
            with suppress(client(self.url).exceptions.ClientError):
                client(self.url).download_file(BUCKET, f"{self.folder.name}/ledger.db", f"{folder}/ledger.db")
            [(unanswered, between)] = chaos_ledger.read(Path(folder), query) or [(0, 0)]
            [(open_,)] = chaos_ledger.read(Path(folder), left) or [(0,)]
        self.figures.kills_unanswered += unanswered > 0
        self.figures.kills_between_calls += between > 0
        self.figures.kills_before_a_call += not open_
        self.figures.doubted += open_

    def _forget_the_pace(self) -> None:
        """Keep it: it travels along."""

    async def _finish(self) -> str:
        for _ in range(3):  # a busy machine may lose a claim as short as this one: it is resumable
            wrong: str = await Trial._finish(self)  # noqa: SLF001 - likewise
            self.free_at = time.monotonic() + FREE if wrong else 0.0
            if not wrong.startswith(("exit code 3", "exit code 75")):
                break
        return wrong


if __name__ == "__main__":
    sys.exit(asyncio.run(main(RemoteTrial, __doc__, NAMES)))
