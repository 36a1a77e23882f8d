"""`bulk sandbox`: a local Amazon Connect until it is interrupted."""

import signal
from pathlib import Path
from typing import Any

import anyio

from bulk.errors import CampaignError
from bulk.sandbox import serve as run_sandbox
from bulk.terminal import screen


async def serve(*, port: int, faults: Path | None, **settings: Any) -> None:
    """Serve until SIGINT or SIGTERM. Raises `CampaignError` where that cannot begin."""
    async with anyio.create_task_group() as group:
        group.start_soon(_until_signalled, group.cancel_scope)
        try:
            await run_sandbox(port=port, faults=faults, started=_say, **settings)
        except ValueError as error:
            raise CampaignError(str(error)) from None
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise CampaignError(f"the sandbox cannot start: {place}{error.strerror or error}") from None


def _say(url: str) -> None:
    screen.show({"url": url}, url)
    screen.say(f"Amazon Connect sandbox at {url} (contacts: {url}/_sandbox/contacts); interrupt to end it")


async def _until_signalled(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return
