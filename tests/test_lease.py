"""The claim of a state directory, over objects that are a dictionary and a clock that the test sets. It …"""

import json
import os
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from bulk.aws.objects import Replaced, Version
from bulk.errors import Halted, LedgerError, RunBusy
from bulk.run import lease as module
from bulk.run.lease import EARLY, NAME, SLACK, TRIES, Lease, claim_of


@dataclass
class Objects:
    """Objects that are written over a version that must be there. `lost` answers never arrive."""

    url: str = "s3://bucket/x"
    body: bytes | None = None
    version: Version = field(default_factory=lambda: Version("none", "nobody", 0.0))
    age: float = 0.0
    written: int = 0
    lost: int = 0
    raced: int = 0

    async def read(self, name: str) -> tuple[bytes, Version] | None:
        assert name == NAME == "claim.json"
        return None if self.body is None else (self.body, Version(self.version.etag, self.version.holder, self.age))

    async def write(self, name: str, body: bytes, *, over: str | None, holder: str) -> str:
        assert name == NAME
        if self.raced:
            self.raced -= 1
            raise Replaced
        if over != (None if self.body is None else self.version.etag):
            raise Replaced
        self.written += 1
        self.body, self.version, self.age = body, Version(f"etag {self.written}", holder, 0.0), 0.0
        if self.lost:
            self.lost -= 1
            raise Replaced  # the answer was lost, and the second try met the first
        return self.version.etag

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.body or b"{}"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module, "_clock", lambda: now[0])
    return now


def lease(objects: Objects, lasts: float = 30.0) -> Lease:
    return Lease(objects, lasts)  # type: ignore[arg-type]  # the two requests that it makes


async def test_a_claim_says_who_holds_it_and_for_how_long(clock: list[float]) -> None:
    objects = Objects()
    one = lease(objects)
    assert one.left < 0
    assert not one.copied
    await one.take()
    told = objects.told
    assert (told["lasts"], told["given_back"], told["copied"]) == (30.0, False, False)
    assert objects.version.holder == one.holder
    assert one.left == pytest.approx(30.0 - EARLY * 30.0)
    clock[0] += 20
    assert one.left == pytest.approx(7.0)
    one.copied = True
    await one.renew()
    assert one.left == pytest.approx(27.0)
    assert objects.told["copied"]
    assert objects.told["version"] != told["version"]


@pytest.mark.parametrize("age, busy", [(0.0, True), (30.0 + SLACK, True), (30.0 + SLACK + 0.5, False)])
async def test_a_claim_is_respected_until_it_has_ended_by_itself(age: float, *, busy: bool) -> None:
    assert SLACK == 2.0
    objects = Objects()
    first = lease(objects)
    first.copied = True
    await first.take()
    objects.age = age
    second = lease(objects)
    if busy:
        with pytest.raises(RunBusy, match=r"s3://bucket/x is in use by process \d+ on .* ends by itself in 30 s"):
            await second.take()
    else:
        await second.take()
        assert objects.version.holder == second.holder
    assert second.copied


async def test_a_claim_that_was_given_back_is_free_at_once() -> None:
    objects = Objects()
    first = lease(objects)
    await first.take()
    await first.give_back()
    assert objects.told["given_back"]
    await lease(objects).take()


async def test_a_holder_whose_claim_was_taken_halts_and_names_the_other() -> None:
    objects = Objects()
    first = lease(objects)
    await first.take()
    objects.age = 100.0
    await lease(objects).take()
    for act in (first.renew, first.give_back):
        with pytest.raises(Halted, match=r"was lost to process \d+ on .*: nothing more is sent from here"):
            await act()
    objects.body = None
    with pytest.raises(Halted, match="lost to somebody who removed it"):
        await first.renew()


async def test_a_renewal_of_our_own_whose_answer_was_lost_is_gone_on_with(clock: list[float]) -> None:
    for act in ("renew", "give_back"):
        objects = Objects()
        one = lease(objects)
        await one.take()
        clock[0] += 5
        objects.lost = 1
        await getattr(one, act)()
        assert objects.told["given_back"] == (act == "give_back")
        assert one.left == pytest.approx(27.0)
        await one.renew()


@pytest.mark.parametrize("raced, taken", [(0, True), (TRIES - 1, True), (TRIES, False)])
async def test_who_is_not_first_looks_again_a_few_times(raced: int, *, taken: bool) -> None:
    assert TRIES == 5
    objects = Objects(raced=raced)
    if taken:
        await lease(objects).take()
        assert objects.written == 1
    else:
        with pytest.raises(RunBusy, match="is being claimed by others at this moment; try again"):
            await lease(objects).take()


@pytest.mark.parametrize("body", [b"words", b"[]", b"{}", b'{"lasts": "long", "copied": 1}', b"7"])
def test_what_is_no_claim_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(LedgerError, match=r"claim\.json in the state directory is no claim of this program"):
        claim_of(body, Version("e", "h", 0.0))


async def test_a_holder_is_named_by_its_process_machine_and_time_at_no_great_length() -> None:
    objects = Objects()
    await lease(objects).take()
    known = claim_of(objects.body or b"", Version("e", "h", 0.0))
    words = rf"process {os.getpid()} on {re.escape(socket.gethostname())} since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    assert re.fullmatch(words, known.name)
    long = json.dumps(objects.told | {"host": "h" * 300}).encode()
    assert len(claim_of(long, Version("e", "h", 0.0)).name) == 200


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has such a clock")
def test_a_machine_that_was_asleep_has_lost_its_claim() -> None:
    asleep_as_well = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert module._SINCE_START == time.CLOCK_BOOTTIME
    assert asleep_as_well <= module._clock() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_every_holder_is_another() -> None:
    assert lease(Objects()).holder != lease(Objects()).holder
