"""Live updates: the state of the account as server-sent events (WHATWG HTML, 9.2)."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

from bulk.sandbox.account import Account

EVERY, SILENCE = 0.25, 10.0  # seconds between two looks; after so many, a comment keeps the line open


def status(account: Account, now: float, *, after: int = 0) -> dict[str, Any]:
    """Return what an account is at: contacts, calls and quotas by operation, refusals after a number."""
    levels, limits = account.levels(now), account.settings.limits.open_contacts
    return {
        "Last": account.contacts.storage.last,
        "Operations": {name: _operation(account, name, levels[name]) for name in levels},
        "Open": {
            kind: {"Open": count, "Limit": limits.get(kind)} for kind, count in account.contacts.fullest(now).items()
        },
        "Refusals": account.refusals.after(after),
    }


def _operation(account: Account, name: str, level: float) -> dict[str, Any]:
    rate, burst = account.settings.quotas.of(name)
    count = account.calls[name]
    return {
        "Rate": None if rate == math.inf else rate,
        "Burst": burst,
        "Left": round(min(level, burst), 1),
        "Received": count.received,
        "Accepted": count.accepted,
        "Replayed": count.replayed,
        "Throttled": count.throttled,
        "Failed": count.failed,
        "Dropped": count.dropped,
    }


async def events(account: Account, clock: Callable[[], float]) -> AsyncIterator[bytes]:
    """Yield the status as events: at once, and then whenever it has changed."""
    number, told, silent = 0, "", 0.0
    while True:
        found = status(account, clock(), after=number)
        refusals = found["Refusals"]
        text = json.dumps({**found, "Refusals": []})
        if refusals or text != told:
            yield f"event: status\ndata: {json.dumps(found)}\n\n".encode()
            number, told, silent = refusals[-1]["Number"] if refusals else number, text, 0.0
        elif silent >= SILENCE:
            yield b": still here\n\n"
            silent = 0.0
        silent += EVERY
        await asyncio.sleep(EVERY)
