"""The sandbox as its users start it: a context manager with a URL, or a server until it is cancelled."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from bulk.sandbox import control, directory
from bulk.sandbox.account import Account, Settings
from bulk.sandbox.clock import VirtualClock, steady_clock
from bulk.sandbox.fault_file import located, read_file
from bulk.sandbox.fault_presets import PRESETS
from bulk.sandbox.quotas import Quotas
from bulk.sandbox.server import Server
from bulk.sandbox.signature import SECRETS
from bulk.sandbox.state import Limits
from bulk.sandbox.storage import Storage
from bulk.sandbox.templates import Templates

OPEN_CONTACTS: Mapping[str, int] = {"chat": 500, "email": 1000, "task": 2500}
"""The contacts a new instance may have open at once: "Amazon Connect service quotas"."""


class Sandbox:
    """A local Amazon Connect: `async with Sandbox(rate=50, burst=50) as sandbox: … sandbox.url …`.

    Any AWS client can talk to it at `url`, with any credentials, in any Region. Each account and Region has contacts,
    tokens and quotas of its own.

    - `rate` (calls a second; `math.inf` = unlimited) and `burst` hold for every operation that `quotas` does not name:
      an operation or `*`, perhaps with an account and a Region before it (`123456789012/us-west-2/CreateContact`), to
      rate and burst. Where neither is given, AWS's defaults hold: 2 and 5 for most (the others: `quotas.DOCUMENTED`).
    - `open_contacts`: how many contacts may be open at once per instance, by `chat`, `email`, `task`, `voice`. Where it
      is not given, AWS's `OPEN_CONTACTS` hold as long as `rate` and `burst` are AWS's too; else there is no limit.
    - `ends_after`: seconds after which a flow ends each contact.
    - `expires_after`: seconds after which a contact ends otherwise, by the same kinds: 25 hours for a chat, 14 days for
      an email, unless its request says so.
    - `instances`: the instance ids there are; None takes any.
    - `search_delay`: seconds until SearchContacts finds a new contact.
    - `answers`: the part of the people who answer a chat, from 0 to 1; the same person always does, or never.
    - `faults`: a declaration as in `bulk.sandbox.faults`, the path of a JSON or TOML file with one, or the name of a
      preset: `bad-day`, `throttled`, `lossy`.
    - `templates`: a folder of message templates, as in `bulk.sandbox.templates`.
    - `require_signature`: refuse what is not signed by one of `secret_keys`, at about this time, for this content.
    - `accounts`: access key to account, as in `bulk.sandbox.identity`.
    - `lenient`: take members that the API's model does not know, as a newer one may.
    - `bind`: the address it listens at, 127.0.0.1 unless given: any other lets other machines in.
    - `allow_hosts`: names by which it may be called beside 127.0.0.1 and localhost, with a port or for any port.
    - `control_token`: what `/_sandbox/…` wants as `Authorization: Bearer …`; without one, anybody on this machine may.
    - `state_dir`: a folder in which contacts outlive it; another one with the same folder goes on with them.
    - `account`: a declaration as in `bulk.sandbox.directory`, or the path of a JSON or TOML file with one.
    - `clock` gives Unix seconds; with `virtual_time` it has one that `advance` moves ahead.

    Raises `ValueError` for a setting that is wrong, `OSError` where the port is taken, or `state_dir` cannot
    be used or is another sandbox's at the moment.
    """

    def __init__(  # noqa: PLR0913 - the settings of an account, all by name and with defaults
        self,
        *,
        port: int = 0,
        bind: str = "127.0.0.1",
        rate: float | None = None,
        burst: int | None = None,
        quotas: Mapping[str, tuple[float, int]] | None = None,
        faults: Mapping[str, Any] | Path | str | None = None,
        open_contacts: Mapping[str, int] | None = None,
        ends_after: float | None = None,
        instances: Collection[str] | None = None,
        expires_after: Mapping[str, float] | None = None,
        search_delay: float = 0.0,
        answers: float = 0.0,
        templates: Path | str | None = None,
        require_signature: bool = False,
        secret_keys: Collection[str] = SECRETS,
        accounts: Mapping[str, str] | None = None,
        lenient: bool = False,
        allow_hosts: Collection[str] = (),
        control_token: str | None = None,
        state_dir: Path | str | None = None,
        account: Mapping[str, Any] | Path | str | None = None,
        clock: Callable[[], float] | None = None,
        virtual_time: bool = False,
    ) -> None:
        self._at: dict[str, Any] = {"port": port, "bind": bind}
        self._clock = clock or (VirtualClock() if virtual_time else steady_clock())
        if open_contacts is None:
            open_contacts = OPEN_CONTACTS if rate is None and burst is None else {}
        settings = Settings(
            Quotas(rate, burst).change({"quotas": quotas}),
            Limits(open_contacts, ends_after, instances, search_delay, expires_after or {}, answers),
            accounts=accounts or {},
            secrets=tuple(secret_keys) if require_signature else (),
            lenient=lenient,
            templates=None if templates is None else Templates(Path(templates)),
        )
        self._storage = Storage(None if state_dir is None else Path(state_dir))
        self._account = Account(settings, self._clock(), self._storage)
        if faults is not None:
            self._declare(faults)
        if account is not None:
            self.set_account(directory.read_file(Path(account)) if isinstance(account, str | Path) else account)
        self._server: Server | None = None
        self._guarded: dict[str, Any] = {"hosts": allow_hosts, "token": control_token}

    def _declare(self, faults: Mapping[str, Any] | Path | str) -> None:
        """Declare faults given as such, by a file, or by the name of a preset."""
        if isinstance(faults, Mapping):
            return self.set_faults(faults)
        if str(faults) in PRESETS:
            return self.set_faults(PRESETS[str(faults)])
        path = Path(faults)
        if not path.suffix and not path.exists():
            raise ValueError(f"faults: {str(faults)!r} is neither a file nor one of {', '.join(PRESETS)}")
        given = read_file(path)
        try:
            return self.set_faults(given)
        except ValueError as trouble:
            raise ValueError(located(path, str(trouble))) from None

    async def __aenter__(self) -> Self:
        self._storage.hold()
        self._account.contacts.count_open()  # another sandbox may have had them meanwhile
        server = Server(self._account, self._clock)
        try:
            await server.start(**self._at, **self._guarded)
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
    def page(self) -> str:
        """The address of its page, with the token where it wants one: behind the #, which no browser sends on."""
        token = self._guarded["token"]
        return f"{self.url}/" if token is None else f"{self.url}/#token={quote(str(token), safe='')}"

    @property
    def contacts(self) -> list[dict[str, Any]]:
        """What it accepted, oldest first.

        Each has `ContactId`, `Account`, `Region`, `Operation`, `Channel`, `InitiationMethod`, `InstanceId`,
        `Destination`, `ClientToken`, `Parameters` (the request), `Message` (the StartOutboundEmailContact that a draft
        was sent with, else None), `Attributes` and `Tags` (as they are now), `Mailed` (whether it was), `State`
        (`open`, `ended`), `StartedAt`, `EndedAt` (Unix seconds, None while open), `DisconnectReason`, and `Rendered`:
        what a template made of it (`Subject`, `Text`, `Html`, `Headers`, and `Missing`, the attributes that had no
        value), else None.
        """
        return control.contacts(self._account, self._clock())

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """What was called, by operation.

        Each has `received`, `accepted`, `replayed`, `throttled`, `failed`, `dropped`, and `received_at`, the
        Unix seconds of (the last million of) the calls received.
        """
        return control.calls(self._account)

    @property
    def faults(self) -> Mapping[str, Any]:
        """The faults declared, as they were given."""
        return self._account.settings.faults.given

    def set_faults(self, faults: Mapping[str, Any]) -> None:
        """Replace the faults; an empty mapping clears them. Raises `ValueError`."""
        self._account.set_faults(faults, self._clock())

    def set_quotas(self, **changed: Any) -> None:
        """Change `rate`, `burst`, `quotas` and limits at once; raises `ValueError`.

        The limits are `open_contacts`, `ends_after`, `expires_after`, `instances`, `search_delay` and
        `answers`.
        """
        self._account.set_quotas(changed, self._clock())

    def set_account(self, account: Mapping[str, Any]) -> None:
        """Declare the account anew: what there is besides contacts, and who may do what. Raises `ValueError`."""
        self._account.services.declare(account)

    def advance(self, by: float | str) -> None:
        """Move the clock of a sandbox with `virtual_time` ahead, by seconds or `1h30m`. Raises `ValueError`."""
        if not isinstance(self._clock, VirtualClock):
            raise ValueError("the clock of this sandbox cannot be moved: it needs virtual_time=True")  # noqa: TRY004 - the clock is ours; the setting is wrong, no type
        self._clock.move({"advance": by})

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
