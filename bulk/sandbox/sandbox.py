"""The sandbox as those meet it who start it: a context manager with a URL, or a server until it is cancelled."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bulk.sandbox import control, directory
from bulk.sandbox.account import Account, Settings
from bulk.sandbox.fault_config import read_file
from bulk.sandbox.quotas import Quotas
from bulk.sandbox.server import Server
from bulk.sandbox.state import Limits
from bulk.sandbox.storage import Storage

OPEN_CONTACTS: Mapping[str, int] = {"chat": 500, "email": 1000, "task": 2500}
"""The contacts a new instance may have open at once: "Amazon Connect service quotas"."""


def _steady_clock() -> Callable[[], float]:
    """Return Unix seconds that never jump, whatever is done to the machine's clock."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


class Sandbox:
    """A local Amazon Connect: `async with Sandbox(rate=50, burst=50) as sandbox: … sandbox.url …`.

    Any AWS client can talk to it at `url`, with any credentials, in any Region.

    - `rate` (calls a second; `math.inf` = unlimited) and `burst` hold for every operation that `quotas` (operation to
      rate and burst) does not name. Where neither is given, AWS's defaults hold: 2 and 5, for StopContact and
      DescribeContact 10 and 15.
    - `faults`: a declaration as in `bulk.sandbox.faults`, or the path of a JSON or TOML file with one.
    - `open_contacts`: how many contacts may be open at once per instance, by `chat`, `email`, `task`, `voice`; no limit
      unless given. AWS's are in `OPEN_CONTACTS`.
    - `ends_after`: seconds after which a flow ends each contact.
    - `instances`: the instance ids there are; None takes any.
    - `allow_hosts`: names by which it may be called beside 127.0.0.1 and localhost, with a port or for any port.
    - `control_token`: what `/_sandbox/…` wants as `Authorization: Bearer …`; without one, anybody on this machine may.
    - `state_dir`: a folder in which contacts outlive it; another one with the same folder goes on with them.
    - `account`: a declaration as in `bulk.sandbox.directory`, or the path of a JSON or TOML file with one.
    - `clock` gives Unix seconds.

    Raises `ValueError` for a setting that is wrong, `OSError` where the port is taken, or `state_dir` cannot
    be used or is another sandbox's at the moment.
    """

    def __init__(  # noqa: PLR0913 - the settings of an account, all by name and with defaults
        self,
        *,
        port: int = 0,
        rate: float | None = None,
        burst: int | None = None,
        quotas: Mapping[str, tuple[float, int]] | None = None,
        faults: Mapping[str, Any] | Path | str | None = None,
        open_contacts: Mapping[str, int] | None = None,
        ends_after: float | None = None,
        instances: Collection[str] | None = None,
        allow_hosts: Collection[str] = (),
        control_token: str | None = None,
        state_dir: Path | str | None = None,
        account: Mapping[str, Any] | Path | str | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._port = port
        self._clock = clock or _steady_clock()
        limits = Limits(dict(open_contacts or {}), ends_after, instances)
        granted = Quotas(rate, burst).change({"quotas": quotas})
        self._storage = Storage(None if state_dir is None else Path(state_dir))
        self._account = Account(Settings(granted, limits), self._clock(), self._storage)
        if faults is not None:
            self.set_faults(read_file(Path(faults)) if isinstance(faults, str | Path) else faults)
        if account is not None:
            self.set_account(directory.read_file(Path(account)) if isinstance(account, str | Path) else account)
        self._server: Server | None = None
        self._guarded = {"hosts": allow_hosts, "token": control_token}

    async def __aenter__(self) -> Self:
        self._storage.hold()
        self._account.contacts.count_open()  # another sandbox may have had them meanwhile
        server = Server(self._account, self._clock)
        try:
            await server.start(self._port, **self._guarded)
        except BaseException:
            self._storage.release()
            raise
        self._server = server
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.close()
            self._storage.release()

    @property
    def url(self) -> str:
        """Where it listens, as `endpoint_url` takes it; only while it runs."""
        if self._server is None:
            raise RuntimeError("the sandbox is not running; use `async with Sandbox() as sandbox:`")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def contacts(self) -> list[dict[str, Any]]:
        """What it accepted, oldest first.

        Each has `ContactId`, `Operation`, `Channel`, `InitiationMethod`, `InstanceId`, `Destination`,
        `ClientToken`, `Parameters` (the request), `Message` (the StartOutboundEmailContact that a draft was
        sent with, else None), `Mailed` (whether it was), `State` (`open`, `ended`), `StartedAt`, `EndedAt`
        (Unix seconds, None while open) and `DisconnectReason`.
        """
        return control.contacts(self._account, self._clock())

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """What was called, by operation.

        Each has `received`, `accepted`, `replayed`, `throttled`, `failed`, `dropped`, and `received_at`, the
        Unix seconds of (the last million of) the calls received.
        """
        return control.calls(self._account)

    def set_faults(self, faults: Mapping[str, Any]) -> None:
        """Replace the faults; an empty mapping clears them. Raises `ValueError`."""
        self._account.set_faults(faults, self._clock())

    def set_quotas(self, **changed: Any) -> None:
        """Change `rate`, `burst`, `quotas`, `open_contacts` or `ends_after` at once. Raises `ValueError`."""
        self._account.set_quotas(changed, self._clock())

    def set_account(self, account: Mapping[str, Any]) -> None:
        """Declare the account anew: what there is besides contacts, and who may do what. Raises `ValueError`."""
        self._account.services.declare(account)

    @property
    def asked(self) -> dict[str, int]:
        """How often each operation that only reads was asked for."""
        return dict(self._account.services.asked)

    def reset(self) -> None:
        """Forget contacts, tokens and calls; quotas and faults stay, and start over."""
        self._account.reset(self._clock())


async def serve(*, port: int = 8788, started: Callable[[str], None] | None = None, **settings: Any) -> None:
    """Run a sandbox until cancelled; `started` is told its URL. `settings` are those of `Sandbox`."""
    async with Sandbox(port=port, **settings) as sandbox:
        if started is not None:
            started(sandbox.url)
        await asyncio.Event().wait()
