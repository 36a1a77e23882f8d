"""Where a state directory is worked on: in place, or in a private folder if it is in S3."""

import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from bulk.aws.objects import Objects, Unreachable, objects_of
from bulk.errors import BulkError, Halted, LedgerError, unwrapped
from bulk.files import private_folder
from bulk.ledger.copies import doubt, restore
from bulk.ledger.database import FILE
from bulk.loader import Scratch
from bulk.loader.own_list import OwnList
from bulk.run.context import RunRef, Source, choose
from bulk.run.environment import endpoint_of
from bulk.run.lease import NAME, Lease, claim_of
from bulk.run.options import Options
from bulk.run.own_list_place import OwnListPlace
from bulk.run.pool import Pool
from bulk.run.remote_state import RemoteState
from bulk.stop import Stop
from bulk.threads import in_thread

log = logging.getLogger("bulk")


@dataclass(slots=True)
class StatePlace:
    """Where a state directory is worked on. `options` are the caller's, with that folder as their state directory.

    `sender` is who holds the claim, None where nobody does, or it is not in S3. `holds` is what keeps the folder.
    """

    options: Options
    pool: Pool = field(default_factory=Pool)
    sender: str | None = None
    holds: list[Scratch] = field(default_factory=list)
    lost: str | None = None
    own: OwnListPlace | None = None

    def own_list(self, ref: RunRef) -> OwnListPlace:
        """Return where the suppression list of the state directory is changed."""
        return self.own or OwnListPlace(ref.own_list)

    def check(self) -> None:
        """Raise `Halted` where what was done here could not be kept in S3."""
        if self.lost:
            raise Halted(self.lost)


@asynccontextmanager
async def claimed(source: Source, options: Options, stop: Stop) -> AsyncIterator[StatePlace]:
    """Open a state directory to send from it. One in S3 is claimed, copied all the while, and given back at the end.

    `source` is whose account it is that S3 is reached with. Raises `RunBusy`, which names the holder, `LedgerError`,
    and what reaching S3 raises.
    """
    url = options.state_url
    if url is None:
        yield StatePlace(options)
        return
    endpoint = endpoint_of(await in_thread(choose, source, options))
    scratch = Scratch()
    base = url
    home, url = (scratch.path / "sandbox", f"{url}/sandbox") if options.sandbox else (scratch.path, url)
    private_folder(home)
    with _naming(url, home), unwrapped():
        async with objects_of(base, endpoint) as outer, anyio.create_task_group() as beside:
            objects = outer.under("sandbox") if options.sandbox else outer
            state = RemoteState(objects, Lease(objects, options.lease), home, stop)
            await _begun(state)
            own = OwnListPlace(OwnList(scratch.path), outer)
            place = StatePlace(replace(options, state_dir=scratch.path), Pool(state.keep, state.lot), holds=[scratch])
            place.own = own
            beside.start_soon(own.follow)
            beside.start_soon(state.renewing)
            beside.start_soon(state.copying)
            try:
                await own.fetch()
                yield place
            finally:
                with anyio.CancelScope(shield=True):
                    await state.end()
                place.lost = state.lost
                beside.cancel_scope.cancel()


async def _begun(state: RemoteState) -> None:
    """Claim a state directory and restore what is in it; give it back where that fails."""
    try:
        await state.lease.take()
        try:
            await state.open()
        except BaseException:
            with anyio.CancelScope(shield=True), suppress(Unreachable, BulkError):
                await state.lease.give_back()
            raise
    except Unreachable as error:
        raise _unreachable(state.objects, error) from error


@asynccontextmanager
async def looked_at(source: Source, options: Options) -> AsyncIterator[StatePlace]:
    """Open a state directory to look at it. One in S3 is seen as its last copy has it.

    Raises `LedgerError`, and what reaching S3 raises.
    """
    url = options.state_url
    if url is None:
        yield StatePlace(options)
        return
    endpoint = endpoint_of(await in_thread(choose, source, options))
    scratch = Scratch()
    place = StatePlace(replace(options, state_dir=scratch.path), holds=[scratch])
    with _naming(url, scratch.path):
        async with objects_of(url, endpoint) as objects:
            if not options.sandbox:
                place.sender = await _fetched(objects, scratch.path)
            place.sender = await _fetched(objects.under("sandbox"), scratch.path / "sandbox") or place.sender
            await OwnListPlace(OwnList(scratch.path), objects).fetch()
        yield place


async def _fetched(objects: Objects, home: Path) -> str | None:
    """Fetch the copy of a state directory into a folder, where there is one; return who has claimed it."""
    private_folder(home)
    try:
        claim = await objects.read(NAME)
        found = await objects.fetch(FILE, home / FILE)
    except Unreachable as error:
        raise _unreachable(objects, error) from error
    held = claim_of(*claim) if claim is not None else None
    sender = held.name if held is not None and held.is_held else None
    if found is not None:
        await in_thread(_seen, home, found.age, sender is not None)
    return sender


def _seen(home: Path, age: float, held: bool) -> None:  # noqa: FBT001 - `in_thread` passes no names
    """Make a state directory of a copy, as it is to be seen: where its sender died, with what may have been tried."""
    facts = restore(home)
    if not facts.ended and not held:
        doubt(home, min(facts.at, time.time() - age))
    elif not facts.ended:
        log.info("being sent at this moment; this is how it stood %.0f s ago", age)


def _unreachable(objects: Objects, error: Unreachable) -> LedgerError:
    return LedgerError(f"{objects.url}: {error}. Nothing was sent; try again when S3 can be reached")


@contextmanager
def _naming(url: str, home: Path) -> Iterator[None]:
    """Name in what is raised the place that was named, not the private folder."""
    try:
        yield
    except BulkError as error:
        error.args = (str(error).replace(str(home), url),)
        raise
