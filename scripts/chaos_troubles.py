"""What goes wrong around the program, for real: clocks jump, disks fill, credentials expire, proxies fail.

Each trouble `strikes`, in a way that is drawn, and is `mended`; both at any time, whether the program lives or not.
"""

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from certificates import Authority, Proxy, proxying
from chaos_edge import HOST, PAGES, Edge
from clocks import Clock
from disks import mount

SHORT, LONG, AWAY = (2.0, 200.0), (400.0, 4 * 3600.0), 8 * 86400.0  # seconds: a signature is good for 300


class Trouble(Protocol):
    """One of the troubles. `life` is the program's process id, where it lives."""

    async def strike(self, lots: random.Random, life: int | None) -> str: ...

    async def repair(self) -> None: ...


class Jumps:
    """The wall clock of the program, and of nobody else."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    async def strike(self, lots: random.Random, life: int | None) -> str:
        """Set it forward or back: so little that the service does not mind, by hours, or by more than a week."""
        del life
        by = lots.choice([lots.uniform(*SHORT), lots.uniform(*SHORT), lots.uniform(*LONG), AWAY])
        self.clock.set(lots.choice([-by, by]))
        return "clocks"

    async def repair(self) -> None:
        self.clock.set(0.0)


class Disk:
    """The state directory on a disk of its own, where it may be mounted; and a limit on what the program writes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"
        folder.mkdir(mode=0o700)
        self.is_small = not mount("-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", folder)
        self._life: int | None = None

    async def strike(self, lots: random.Random, life: int | None) -> str:
        """Fill it to the last pages, or have it break under a living program."""
        if life is not None and (not self.is_small or lots.random() < 0.3):
            self._limit(life, 0)
            self._life = life
            return "disks"
        if self.is_small:
            self._fill(lots.choice([0, 1, 4, 16, 64, 256]))
            return "disks"
        return ""

    async def repair(self) -> None:
        self._ballast.unlink(missing_ok=True)
        if self._life is not None:
            self._limit(self._life, resource.RLIM_INFINITY)
            self._life = None

    def _fill(self, pages: int) -> None:
        """Leave so many pages."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        os.truncate(self._ballast, max(0, self._ballast.stat().st_size - pages * 4096))

    @staticmethod
    def _limit(life: int, size: int) -> None:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(life, resource.RLIMIT_FSIZE)
            resource.prlimit(life, resource.RLIMIT_FSIZE, (size, hard))

    def remove(self) -> None:
        if self.is_small:
            subprocess.run(["umount", "--lazy", self.folder], check=True)


KEYS = """
import json, sys, time
told = json.load(open({file!r}))
now = time.monotonic() + told["offset"]
if told["way"] == "hangs":
    time.sleep(5)
if told["way"] in ("hangs", "fails"):
    sys.exit("the login has ended")
if told["way"] == "nonsense":
    sys.exit(print("<html>Please log in</html>"))
ends = now + (-60 if told["way"] == "expired" else told["seconds"])
held = now - 60 if told["way"] == "revoked" else ends
stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
print(json.dumps(dict(Version=1, AccessKeyId="AKID%d" % held, SecretAccessKey="s", SessionToken="t", Expiration=stamp)))
"""


class Keys:
    """A `credential_process` whose credentials last for seconds. The id of a key says when it expires."""

    WAYS: ClassVar = ["fails", "nonsense", "expired", "hangs", "revoked"]

    def __init__(self, folder: Path) -> None:
        self._file, script = folder / "keys.json", folder / "keys.py"
        script.write_text(KEYS.format(file=str(self._file)))
        self.config = folder / "config"
        self.config.write_text(f"[default]\ncredential_process = {sys.executable} -I -S {script}\n")
        self._give("good", 4.0)

    async def strike(self, lots: random.Random, life: int | None) -> str:
        del life
        self._give(lots.choice(self.WAYS), 4.0)
        return "keys"

    async def repair(self) -> None:
        self._give("good", 4.0)

    def _give(self, way: str, seconds: float) -> None:
        told = {"way": way, "seconds": seconds, "offset": time.time() - time.monotonic()}
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(told))
        beside.replace(self._file)


REFUSALS = {"refuses": PAGES, "silent": [b""], "nonsense": [b"\x15\x03\r\n"]}


@dataclass
class SingleSendSession:
    """The way to the service: a proxy for CONNECT, TLS by a CA of our own, and the `edge` behind it."""

    folder: Path
    edge: Edge
    proxy: Proxy = field(default_factory=Proxy)
    _servers: AsyncExitStack = field(default_factory=AsyncExitStack)
    _tunnels: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        authority = Authority(self.folder)
        self.bundle = authority.bundle
        server = await asyncio.start_server(self.edge.serve, "127.0.0.1", 0, ssl=authority.serve_as(HOST))
        self._servers.callback(server.close)
        self._behind = server.sockets[0].getsockname()[1]
        await self._up(0)
        self._port = int(self.proxy.url.rpartition(":")[2])

    async def _up(self, port: int) -> None:
        self.proxy = await self._tunnels.enter_async_context(proxying(self._behind, listen=port))

    async def strike(self, lots: random.Random, life: int | None) -> str:
        """Refuse, fall silent, talk nonsense, die, break every tunnel; or have a page come back through the tunnel."""
        del life
        way = lots.choice(["refuses", "silent", "nonsense", "dies", "breaks", "page"])
        if way == "page":
            self.edge.page = lots.choice(PAGES)
            return "proxies"
        await self._tunnels.aclose()
        if way != "dies":
            await self._up(self._port)
        if way in REFUSALS:
            self.proxy.refusal = lots.choice(REFUSALS[way])
        return "proxies"

    async def repair(self) -> None:
        self.edge.page = None
        await self._tunnels.aclose()
        await self._up(self._port)

    async def stop(self) -> None:
        await self._tunnels.aclose()
        await self._servers.aclose()
