"""What a sandbox accepted, read from its folder (even while it runs) or asked of a running one."""

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulk.sandbox.storage import NAME

_QUERY = "SELECT id, token, destination, operation, mail FROM contacts ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that was accepted: its contact, whom it went to, and the tokens of the calls that made it."""

    contact_id: str
    destination: str
    tokens: frozenset[str]


def records(folder: Path) -> list[Path]:
    """Return the files in which sandboxes kept what they accepted, for the runs of a state directory."""
    return [file for file in (folder / NAME, *sorted(folder.glob(f"accepted/*/{NAME}"))) if file.is_file()]


def read_record(file: Path) -> Iterator[Accepted]:
    """Yield what is in a file. Raises `OSError` where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            for id_, token, destination, operation, mail in database.execute(_QUERY):
                yield from _accepted(id_, token, destination, operation=operation, mail=json.loads(mail or "null"))
    except (sqlite3.Error, ValueError) as trouble:
        raise OSError(0, f"cannot be read as the record of a sandbox: {trouble}", str(file)) from None


def ask_running(url: str, token: str | None = None) -> Iterator[Accepted]:
    """Yield what a running sandbox accepted. Raises `OSError` where it cannot be asked."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url.rstrip('/')}/_sandbox/contacts", headers=headers)  # noqa: S310 - see below
    if request.type not in {"http", "https"}:
        raise OSError(0, "must be http:// or https://", url)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is reached without a proxy
    try:
        with direct.open(request, timeout=60) as answer:
            contacts = json.load(answer)["contacts"]
    except (ValueError, KeyError, TypeError) as trouble:
        raise OSError(0, f"does not answer as a sandbox: {trouble!r}", url) from None
    except urllib.error.URLError as trouble:
        raise OSError(0, str(trouble.reason), url) from None
    for one in contacts:
        yield from _accepted(
            one["ContactId"], one["ClientToken"], one["Destination"], operation=one["Operation"], mail=one["Message"]
        )


def _accepted(
    contact_id: str, token: str | None, destination: str | None, *, operation: str, mail: Any
) -> Iterable[Accepted]:
    """Yield the message of a contact; a draft is none until it is mailed."""
    if operation == "CreateContact" and mail is None:
        return
    tokens = {token, (mail or {}).get("ClientToken")} - {None}
    yield Accepted(contact_id, destination or "", frozenset(str(one) for one in tokens))
