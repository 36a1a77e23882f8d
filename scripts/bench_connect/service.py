"""The server as its own process, seen from the one who measures."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server saw of one client. Times are those of the machine's monotonic clock, None before a call."""

    accepted: dict[str, int]
    throttled: int
    permitted: dict[str, float]
    first: float | None
    last: float | None

    @property
    def throttled_share(self) -> float:
        """The share of all calls that was throttled."""
        calls = sum(self.accepted.values()) + self.throttled
        return self.throttled / calls if calls else 0.0


class Service:
    """The server, to be set and asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def begin(self, **settings: Any) -> None:
        """Begin anew under these settings."""
        self._ask("PUT", json.dumps(settings))

    def seen(self) -> Seen:
        """Return what came since."""
        told = self._ask("GET", None)
        operations = told.values()
        return Seen(
            {name: operation["accepted"] for name, operation in told.items()},
            sum(operation["throttled"] for operation in operations),
            {name: operation["permitted"] for name, operation in told.items()},
            min((operation["first"] for operation in operations), default=None),
            max((operation["last"] or 0.0 for operation in operations), default=None),
        )

    def _ask(self, method: str, body: str | None) -> dict[str, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, "/bench", body)
            told: dict[str, dict[str, Any]] = json.loads(connection.getresponse().read())
            return told
        finally:
            connection.close()


@contextmanager
def service() -> Iterator[Service]:
    """Run the server."""
    program = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Service(int(process.stdout.readline()))
        finally:
            process.kill()
