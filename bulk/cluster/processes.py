"""The engine for processes of this machine, over pipes. They end with this process, however it ends.

One that dies is replaced, under another name, unless it died before it had answered anything: then its successor would.
"""

import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import anyio
from anyio.abc import AnyByteReceiveStream, Process, TaskGroup
from anyio.streams.text import TextReceiveStream

from bulk.cluster.engine import EngineLost, WorkerLost
from bulk.cluster.frames import Frame, FrameReader

log = logging.getLogger("bulk")

LEAVES = 3.0  # seconds that a worker has to end when its pipe is closed

_BROKEN = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)


@dataclass(slots=True, eq=False)
class _Answer:
    came: anyio.Event = field(default_factory=anyio.Event)
    payload: bytes | None = None


@dataclass(slots=True, eq=False)
class _Worker:
    name: str
    process: Process
    asked: dict[int, _Answer] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    writing: anyio.Lock = field(default_factory=anyio.Lock)
    is_gone: bool = False
    has_answered: bool = False

    async def ask(self, kind: str, payload: bytes) -> bytes:
        """Send a message, and wait for its answer. Raises `WorkerLost`."""
        number, answer = next(self.numbers), _Answer()
        self.asked[number] = answer
        try:
            await self._write(Frame(number, kind, payload))
            await answer.came.wait()
        finally:
            self.asked.pop(number, None)
        if answer.payload is None:
            raise WorkerLost(self.name, ended=True)
        return answer.payload

    async def _write(self, frame: Frame) -> None:
        """Write a whole frame: one cut short by a cancellation would spoil all that follow."""
        assert self.process.stdin is not None  # noqa: S101 - it was opened with one
        if self.is_gone:
            raise WorkerLost(self.name, ended=True)
        try:
            async with self.writing:
                with anyio.CancelScope(shield=True):
                    await self.process.stdin.send(frame.whole)
        except _BROKEN as error:
            await self.process.wait()
            raise WorkerLost(self.name, ended=True) from error

    async def read(self) -> None:
        """Hand answers to those who asked, until the worker is gone: then all of them know."""
        assert self.process.stdout is not None  # noqa: S101 - it was opened with one
        frames = FrameReader(self.process.stdout)
        try:
            while True:
                frame = await frames.next()
                self.has_answered = True
                if answer := self.asked.get(frame.number):
                    answer.payload = frame.payload
                    answer.came.set()
        except _BROKEN:
            await self.process.wait()  # it makes no further call
        finally:
            self.is_gone = True
            for answer in self.asked.values():
                answer.came.set()

    async def log(self, stream: AnyByteReceiveStream) -> None:
        """Log what the worker says on stderr."""
        async for text in TextReceiveStream(stream, errors="replace"):
            for line in text.splitlines():
                log.warning("worker %s: %s", self.name, line)


class Processes:
    """The engine; an async context manager. `command` starts a worker in an `environment`."""

    def __init__(self, number: int, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._number = number
        self._command = command
        self._environment = dict(environment)
        self._workers: dict[str, _Worker] = {}
        self._numbers = itertools.count(1)
        self._changing = anyio.Lock()
        self._is_closing = False
        self._group: TaskGroup = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        """Start the processes. Raises `EngineLost` where the system does not let them."""
        await self._group.__aenter__()
        try:
            for _ in range(self._number):
                await self._start()
        except OSError as error:
            await self.__aexit__(None, None, None)
            raise EngineLost(f"--cluster local:{self._number}: no process can be started: {error.strerror}") from error
        return self

    async def _start(self) -> str:
        name = f"local-{next(self._numbers)}"
        process = await anyio.open_process(
            self._command,
            env=self._environment,
            start_new_session=True,  # an interrupt on the terminal is the driver's to hear
        )
        worker = self._workers[name] = _Worker(name, process)
        self._group.start_soon(self._attend, worker)
        if process.stderr is not None:
            self._group.start_soon(worker.log, process.stderr)
        return name

    async def _attend(self, worker: _Worker) -> None:
        """Read what a process answers, and start another one where it dies."""
        await worker.read()
        async with self._changing:
            if self._is_closing:
                return
            if not worker.has_answered:
                log.warning("worker %s has died before it answered, and is not replaced", worker.name)
                return
            try:
                log.warning("worker %s has died, and %s takes its place", worker.name, await self._start())
            except OSError as error:
                log.warning(
                    "worker %s has died, and no process can be started in its place: %s", worker.name, error.strerror
                )

    async def __aexit__(self, *_: object) -> None:
        """End the processes."""
        await self.close()
        self._group.cancel_scope.cancel()
        await self._group.__aexit__(None, None, None)

    async def workers(self) -> Sequence[str]:
        """Return the names of the processes that run."""
        return [name for name, worker in self._workers.items() if not worker.is_gone]

    async def post(self, worker: str, kind: str, payload: bytes) -> bytes:
        """Have a process answer. Raises `WorkerLost`."""
        return await self._workers[worker].ask(kind, payload)

    async def close(self) -> None:
        """Close the pipes, and wait for the processes to end."""
        with anyio.CancelScope(shield=True):
            async with self._changing:
                self._is_closing = True
            async with anyio.create_task_group() as group:
                for worker in self._workers.values():
                    group.start_soon(_end, worker.process)


async def _end(process: Process) -> None:
    assert process.stdin is not None  # noqa: S101 - it was opened with one
    await process.stdin.aclose()
    with anyio.move_on_after(LEAVES):
        await process.wait()
        return
    process.kill()
    await process.wait()
