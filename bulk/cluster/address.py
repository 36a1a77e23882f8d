"""The value of `--cluster`: `local:2` is two processes of this machine, `tcp://scheduler:8786` a Dask cluster."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bulk.errors import CampaignError

MOST = 64  # processes of one machine

_LOCAL = re.compile(r"local:([0-9]{1,4})")
_HOST = re.compile(r"[\w.:-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the workers are: so many `processes` of this machine, or at the `scheduler`'s."""

    processes: int = 0
    scheduler: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the workers can reach this machine's loopback addresses."""
        return not self.scheduler or _is_loopback(urlsplit(self.scheduler).hostname or "")


def address(text: str) -> Address:
    """Read what `--cluster` says. Raises `CampaignError`."""
    if local := _LOCAL.fullmatch(text):
        number = int(local[1])
        if not 1 <= number <= MOST:
            raise CampaignError(f"--cluster {text}: local:N starts 1 to {MOST} processes")
        return Address(processes=number)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _wrong(text) from None
    if parts.scheme not in {"tcp", "tls"} or not port or not _HOST.fullmatch(parts.hostname or ""):
        raise _wrong(text)
    if parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong(text)
    return Address(scheduler=f"{parts.scheme}://{parts.netloc}")


def _wrong(text: str) -> CampaignError:
    shown = text.partition("@")[2] or text  # what stands before an @ may be a password
    return CampaignError(f"--cluster {shown[:80]!r} is no cluster: write local:2, or tcp://scheduler:8786")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
