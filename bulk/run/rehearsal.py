"""The sandboxes of rehearsals: who is told their addresses, and how long they stay open."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bulk.errors import CampaignError
from bulk.sandbox import Sandbox


@dataclass(slots=True)
class Sandboxes:
    """The sandboxes of one process.

    `told` hears the address of each one's page. With `stay`, a stack that is closed by whom it belongs to, they go on
    when their runs have ended.
    """

    told: Callable[[str], None] | None = None
    stay: AsyncExitStack | None = None

    @asynccontextmanager
    async def open(self, **settings: Any) -> AsyncIterator[Sandbox]:
        """Start a sandbox with the settings of `Sandbox`. Raises `CampaignError` for a wrong file in them."""
        async with AsyncExitStack() as stack:
            sandbox = await (self.stay or stack).enter_async_context(_made(settings))
            if self.told is not None:
                self.told(sandbox.page)
            yield sandbox


def _made(settings: dict[str, Any]) -> Sandbox:
    try:
        return Sandbox(**settings)
    except ValueError as error:
        raise CampaignError(str(error)) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise CampaignError(f"the sandbox cannot start: {place}{error.strerror or error}") from None
