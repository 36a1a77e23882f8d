"""`bulk sandbox`: a local Amazon Connect until it is interrupted."""

import os
from typing import TYPE_CHECKING, Any

import click

from bulk.cli import options, process, sandbox_options, screen
from bulk.cli.examples import EXAMPLES
from bulk.cli.verify import verify

if TYPE_CHECKING:
    import anyio


@click.group("sandbox", epilog=EXAMPLES["sandbox"], invoke_without_command=True)
@sandbox_options.serving
@options.talking
@click.pass_context
def sandbox(ctx: click.Context, /, port: int, faults: str | None, **settings: Any) -> None:
    """Run a local Amazon Connect to send to, until interrupted.

    Its address goes to stdout, and shows what each person would have received. It answers programs on this machine
    alone, by its own names, and no other web page; --bind lets other machines in.
    """
    if ctx.invoked_subcommand is None:
        process.to_the_end(serve, port=port, faults=faults, **_read(settings))


sandbox.add_command(verify)


def _read(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a sandbox, of which what was not given is the sandbox's to choose."""
    for name in ("quotas", "open_contacts", "expires_after", "accounts"):
        settings[name] = dict(settings[name]) or None
    settings["instances"] = settings["instances"] or None
    own = os.environ.get("AWS_SECRET_ACCESS_KEY")
    secrets = settings.pop("secret_keys")
    if secrets or own:
        settings["secret_keys"] = secrets or (own,)
    return settings


async def serve(*, port: int, faults: str | None, rate: float | str | None = None, **settings: Any) -> None:
    """Serve until a signal; a rate of `auto` is AWS's own. Raise `CampaignError` where that cannot begin."""
    import anyio

    from bulk.errors import CampaignError
    from bulk.sandbox import serve as run_sandbox

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
    screen.say(f"Amazon Connect sandbox; {url}/ shows what each person would have received. Interrupt to end it.")


async def _until_signalled(scope: "anyio.CancelScope") -> None:
    import anyio

    with anyio.open_signal_receiver(*process.stop_signals()) as signals:
        async for _ in signals:
            scope.cancel()
            return
