"""An open ledger: its runs, and who was written to."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from bulk.errors import LedgerError
from bulk.ledger import dispatches, passes, runs, schema
from bulk.ledger.database import FILE, connect, create, empty, ledger_errors, missing
from bulk.ledger.dispatches import Connection
from bulk.ledger.facts import RunFacts, RunIdentity
from bulk.ledger.lookup import Hasher
from bulk.ledger.passes import Origin
from bulk.ledger.run_reader import RunRecord, Source
from bulk.ledger.run_writer import RunLedger
from bulk.ledger.writer import AT_ONCE, GATHER, Writer
from bulk.pacing import virtual_time

T = TypeVar("T")


def _prepare(path: Path) -> None:
    """Make the tables in a file that nobody else knows. Without a WAL: a commit leaves nothing beside the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        schema.prepare(connection, path)


class Ledger:
    """All the runs of one state directory. A context manager; what is not yet on the disk gets there on leaving."""

    def __init__(
        self, path: Path, reader: sqlite3.Connection, *, writer: Writer | None, now: Callable[[], float]
    ) -> None:
        (salt,) = reader.execute("SELECT value FROM setting WHERE name = 'salt'").fetchone()
        self._path = path
        self._source = Source(reader, path, Hasher(salt))
        self._writer = writer
        self._now = now

    @classmethod
    def open(
        cls, folder: Path, *, now: Callable[[], float] = time.time, gather: float = GATHER, at_once: int = AT_ONCE
    ) -> Self:
        """Open the ledger of a state directory to write it, and make it where there is none.

        `gather` is how long (seconds) an intent waits for others to share its commit, `at_once` how many deliveries
        are under way at most. Raises `LedgerError` where the ledger cannot be written, is damaged, or was made by a
        newer version; it is then left as it is.
        """
        path = folder / FILE
        with ledger_errors(path):
            create(path, _prepare)
            writing = connect(path, writing=True)
            try:
                if virtual_time.current():  # a rehearsal of a minute is begun again after a loss of power
                    writing.execute("PRAGMA synchronous = OFF")
                schema.prepare(writing, path)
                reader = connect(path, writing=False)
            except BaseException:
                writing.close()
                raise
            return cls(path, reader, writer=Writer(writing, path, at_once=at_once, gather=gather), now=now)

    def share(self, *, now: Callable[[], float] = time.time, at_once: int = AT_ONCE) -> Self:
        """Open it once more in this process, to be closed by itself: the same writer, and a reader of its own."""
        writer = self._writing()
        with ledger_errors(self._path):
            reader = connect(self._path, writing=False)
        writer.share(at_once)
        return type(self)(self._path, reader, writer=writer, now=now)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Open it only to read, also while another process writes. None where there is no ledger."""
        path = folder / FILE
        if missing(path):
            return None
        with ledger_errors(path):
            reader = connect(path, writing=False)
            try:
                return cls(path, schema.up_to_date(reader, path), writer=None, now=time.time)
            except BaseException:
                reader.close()
                raise

    def runs(self) -> list[RunFacts]:
        """Return all runs, the oldest first."""
        with ledger_errors(self._path):
            return runs.every(self._source.reader)

    def begin(
        self,
        identity: RunIdentity,
        digests: Mapping[str, str],
        *,
        fixed: AbstractSet[str] = frozenset(),
        accept_changes: bool = False,
        origin: Origin | None = None,
    ) -> RunLedger:
        """Begin a run, or another pass of it; first become its `lock.sole_sender`.

        `digests` names what the campaign consists of: path to short digest; `fixed` are those of these paths that say
        who is reached and what names a row; `origin` is who sends, which is kept. Raises `LedgerError` where the run
        belongs to another channel, endpoint, Region or instance, where a new one has nearly the name of another, where
        the digests differ and nobody has accepted that, or where something fixed has changed after a row was tried.
        """
        writer, now = self._writing(), self._now()

        def begin(writing: sqlite3.Connection) -> tuple[int, RunFacts]:
            run, facts = runs.begin(
                writing, identity, digests=digests, fixed=fixed, accept_changes=accept_changes, now=now
            )
            if origin is not None:
                passes.begin(writing, run, facts.passes, origin=origin, now=now)
            return run, facts

        number, facts = writer.run(begin)
        return RunLedger(self._source, number, facts=facts, writer=writer, now=self._now)

    def find(self, campaign: str, run: str) -> RunRecord | None:
        """Return a run to be read, None where it never began."""
        with ledger_errors(self._path):
            found = runs.find(self._source.reader, campaign, run)
        if found is None:
            return None
        number, facts = found
        return RunRecord(self._source, number, facts=facts)

    def write(self, record: RunRecord, act: Callable[[sqlite3.Connection, int], T]) -> T:
        """Change something beside a run's deliveries, by its number, in a transaction; others may send it meanwhile."""
        number = record.read(lambda _, number: number)
        return self._writing().run(lambda writing: act(writing, number))

    def index_people(self) -> None:
        """Make `written_to` quick. Only who caps how often a person is written to pays for the index."""
        self._writing().run(dispatches.index_people)

    def written_to(
        self, destination: str, channel: str, *, since: float, but: int = 0, inside: Connection | None = None
    ) -> int:
        """Return how many messages may have reached a person since then (Unix seconds), over all runs.

        Those of the delivery `but` do not count. `inside`: as the transaction of this connection sees it.
        """
        people = self._source.hasher.people(destination)
        with ledger_errors(self._path):
            return dispatches.written(inside or self._source.reader, people, channel, since, but)

    def index_open(self) -> None:
        """Make `still_open` possible. Only who bounds the open contacts pays for the index."""
        self._writing().run(dispatches.index_open)

    def still_open(self, identity: RunIdentity, *, since: float, limit: int) -> list[float]:
        """Return when the contacts opened that may be open now: see `dispatches.still_open`."""
        with ledger_errors(self._path):
            return dispatches.still_open(self._source.reader, identity, since=since, limit=limit)

    def copy(self, folder: Path) -> None:
        """Copy the ledger as it stands into another folder, which has none: whole, also while a process writes it."""
        path = folder / FILE
        with ledger_errors(path):
            empty(path)
            with closing(sqlite3.connect(path)) as copy:
                self._source.reader.backup(copy)

    def close(self) -> None:
        """Bring what is left to the disk. Raises `LedgerError` where that, or an earlier write, failed."""
        self._source.reader.close()
        if self._writer is not None:
            self._writer.close()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise LedgerError(f"{self._path}: opened only to be read")
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except LedgerError:
            if kind is None:  # else it is most likely the same trouble, on its way already
                raise
