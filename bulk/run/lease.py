"""The claim of a state directory in S3: one sender at a time, and it expires if the sender dies.

A claim is a lease. Others tell its age by S3's own clock alone; its holder counts from before the renewal was sent, on
a clock that does not jump, and starts no call beyond its end. So no two clocks need to agree.
"""

import json
import os
import socket
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from bulk.aws.objects import Objects, Replaced, Version
from bulk.errors import Halted, LedgerError, RunBusy
from bulk.text.outside import outside_text

NAME = "claim.json"
SLACK = 2.0  # seconds that others wait beyond that: S3 tells times in whole seconds
EARLY = 0.1  # of a lease is left when its holder stops
TRIES = 5

# `time.monotonic` leaves out the time for which the machine was suspended. Linux has another, to macOS it is this one.
_SINCE_START = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _clock() -> float:
    return time.clock_gettime(_SINCE_START)


class Lease:
    """The claim of one holder. `holder` is its id, unlike any other's."""

    def __init__(self, objects: Objects, lasts: float) -> None:
        self.holder = uuid.uuid4().hex
        self._objects = objects
        self.lasts = lasts
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._etag: str | None = None
        self._ends = 0.0
        self.copied = False
        """Whether a copy of the ledger was made under this prefix: then one must be there."""

    @property
    def left(self) -> float:
        """The seconds for which calls may start."""
        return self._ends - EARLY * self.lasts - _clock()

    async def take(self) -> None:
        """Claim the state directory. Raises `RunBusy`, which names the holder, `LedgerError` and `Unreachable`."""
        for _ in range(TRIES):
            found = await self._objects.read(NAME)
            if found is not None:
                known = claim_of(*found)
                self.copied = known.copied
                if known.is_held:
                    raise RunBusy(
                        f"{self._objects.url} is in use by {known.name}; wait until that ends (a dead one's claim "
                        f"ends by itself in {known.lasts:g} s), or name another place with --state-dir"
                    )
            try:
                await self._write(None if found is None else found[1].etag)
            except Replaced:
                continue  # another was first, and is met on the next look
            return
        raise RunBusy(f"{self._objects.url} is being claimed by others at this moment; try again")

    async def renew(self) -> None:
        """Make it last from now on. Raises `Halted` where it is lost, `LedgerError` and `Unreachable`."""
        try:
            await self._write(self._etag)
        except Replaced:
            await self._adopt()
            await self._write(self._etag)

    async def give_back(self) -> None:
        """End it. Raises what `renew` raises."""
        try:
            await self._write(self._etag, given_back=True)
        except Replaced:
            await self._adopt()
            await self._write(self._etag, given_back=True)

    async def _adopt(self) -> None:
        """Go on with a renewal of our own whose answer was lost. Raises `Halted` where it is another's."""
        found = await self._objects.read(NAME)
        if found is None or found[1].holder != self.holder:
            by = "somebody who removed it" if found is None else claim_of(*found).name
            raise Halted(f"the claim of {self._objects.url} was lost to {by}: nothing more is sent from here")
        self._etag = found[1].etag

    async def _write(self, over: str | None, *, given_back: bool = False) -> None:
        begun = _clock()
        told = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": self._since,
            "lasts": self.lasts,
            "given_back": given_back,
            "copied": self.copied,
            "version": uuid.uuid4().hex,
        }
        body = json.dumps(told).encode()
        self._etag = await self._objects.write(NAME, body, over=over, holder=self.holder)
        self._ends = begun + self.lasts


class Claim:
    """A claim as others read it."""

    def __init__(self, told: dict[str, Any], version: Version) -> None:
        self.lasts = float(told["lasts"])
        self.copied = bool(told["copied"])
        self.name = outside_text(f"process {told['pid']} on {told['host']} since {told['since']}", limit=200)
        self.is_held = not told["given_back"] and version.age <= self.lasts + SLACK


def claim_of(body: bytes, version: Version) -> Claim:
    """Read a claim. Raises `LedgerError` where it is none."""
    try:
        return Claim(json.loads(body), version)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{NAME} in the state directory is no claim of this program: remove it by hand") from error
