"""`bulk sandbox`: a local Amazon Connect until it is interrupted."""

from pathlib import Path
from typing import Any

import anyio

from bulk.errors import CampaignError
from bulk.sandbox import serve as run_sandbox
from bulk.terminal import screen
from bulk.terminal.sending import heeded


async def serve(*, port: int, faults: Path | None, rate: float | str | None = None, **settings: Any) -> None:
    """Serve until a signal; a rate of `auto` is AWS's own. Raise `CampaignError` where that cannot begin."""
    granted = None if isinstance(rate, str) else rate
    async with anyio.create_task_group() as group:
        group.start_soon(_until_signalled, group.cancel_scope)
        try:
            await run_sandbox(port=port, faults=faults, started=_say, rate=granted, **settings)
        except ValueError as error:
            raise CampaignError(str(error)) from None
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise CampaignError(f"the sandbox cannot start: {place}{error.strerror or error}") from None


def _say(url: str) -> None:
    screen.show({"url": url}, url)
    screen.say(f"Amazon Connect sandbox at {url} (contacts: {url}/_sandbox/contacts); interrupt to end it")


async def _until_signalled(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(*heeded()) as signals:
        async for _ in signals:
            scope.cancel()
            return
