"""The protocol of an engine. Anything that starts processes on other machines can be one with these three methods."""

from collections.abc import Sequence
from typing import Protocol

from bulk.errors import Halted


class WorkerLost(Exception):
    """A worker gives no answer any more. `ended`: its process has certainly ended, and makes no more calls."""

    def __init__(self, worker: str, *, ended: bool = False) -> None:
        super().__init__(worker)
        self.ended = ended


class EngineLost(Halted):
    """The engine itself is gone: no worker can be reached. The run can be resumed, with or without a cluster."""


class Engine(Protocol):
    """Carries bytes to a worker and back. It repeats nothing by itself, and logs nothing of what it carries."""

    async def workers(self) -> Sequence[str]:
        """Return the names of the workers that are there. Raises `EngineLost`."""

    async def post(self, worker: str, kind: str, payload: bytes) -> bytes:
        """Have a worker answer a message. Raises `WorkerLost` and `EngineLost`."""

    async def close(self) -> None:
        """Let go of the workers."""
