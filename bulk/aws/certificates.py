"""Which certificates a connection trusts, and which connections need none: plain HTTP and proxies.

The SDK's asynchronous session checks no host name, and behind a proxy no certificate at all. So every TLS context of
ours is made here: the chain and the name are verified, of the proxy as of the endpoint.
"""

import ipaddress
import ssl
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path

from bulk.errors import CampaignError


def context(bundle: Path | str | None) -> ssl.SSLContext:
    """Return a TLS context that verifies chain and host name, by a CA bundle or by the SDK's own certificates.

    It is the same for all who trust the same file, and not to be changed: to read that takes 20 to 40 ms.
    """
    path = Path(bundle or get_cert_path(verify=True))
    found = path.stat()
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _read(path: Path, _changed_at: int, _size: int) -> ssl.SSLContext:
    return own_context(path)


def own_context(bundle: Path | str | None) -> ssl.SSLContext:
    """Return such a context that may be changed."""
    return ssl.create_default_context(cafile=bundle or get_cert_path(verify=True))


def check_bundle(bundle: Path | str, source: str) -> None:
    """Raise `CampaignError` where a CA bundle cannot be used; `source` is the option or variable that names it."""
    if Path(bundle).is_dir():
        raise CampaignError(f"{bundle}: a folder, not a CA bundle; name one file in PEM form. Check {source}")
    try:
        context(bundle)
    except (OSError, ValueError) as error:
        trouble = getattr(error, "strerror", None) or error
        raise CampaignError(f"{bundle}: not a CA bundle in PEM form: {trouble}. Check {source}") from error


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    name = (host or "").strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=64)  # asked for each call
def is_direct(url: str) -> bool:
    """Whether a URL is never reached through a proxy: this machine, and the services of a host (169.254.0.0/16)."""
    host = urlsplit(url).hostname
    address = _address(host or "")
    return is_loopback(host) or (address is not None and address.is_link_local)


def check_endpoint(url: str, *, allow_http: bool) -> None:
    """Raise `CampaignError` where an endpoint is reached over plain HTTP, and is not this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or allow_http or is_loopback(parts.hostname):
        return
    raise CampaignError(
        f"{parts.scheme}://{parts.hostname}: without TLS, whoever is on the way reads and changes what is sent. "
        "Write https:// as the endpoint (--endpoint-url, AWS_ENDPOINT_URL), or allow it with --allow-http"
    )


def check_proxy(url: str, scheme: str) -> None:
    """Raise `CampaignError` where a proxy's URL cannot be used; `scheme` is that of the endpoint behind it."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url.removeprefix('//')}")
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or any(sign.isspace() or not sign.isprintable() for sign in url):
        variable = f"{scheme.upper()}_PROXY"
        raise CampaignError(f"{_masked(url)!r} is no proxy: write {variable} as http://HOST:PORT or https://HOST:PORT")


def _masked(url: str) -> str:
    """Return a proxy's URL without what stands before its @: a password."""
    before, at, after = url.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    return f"{scheme}{slashes}…@{after}" if at else url
