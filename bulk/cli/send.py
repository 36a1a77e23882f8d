"""`bulk send`: shows the plan and asks, shows progress, and handles signals at any time."""

import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bulk.cli import account, hints, notice, options, plan_text, process, rehearsal, screen, send_all, text
from bulk.cli.command import command
from bulk.cli.progress import watching

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from bulk.run.plan import Plan
    from bulk.run.send import Run
    from bulk.stop import Stop

T = TypeVar("T")

NOTICE = "notify_command", "on_exit", "metrics_file", "emf", "otel"
QUESTION = 2  # lines below the plan
PLANNED = hints.RUN | hints.REACH | hints.PACE | {"only"}


@command("send")
@options.campaigns
@options.reading
@options.rehearsing
@options.virtual_time
@options.pace
@options.sending
@options.scheduling
@options.reaching
@options.progress
@options.verbose
@options.talking
def send(campaign: tuple[Path, ...], *, yes: bool, verbose: bool, **given: Any) -> None:
    """Send; run it again to continue where it stopped.

    No row is sent twice. On a terminal it shows the plan and asks first; elsewhere it needs --yes, --sandbox or
    --dry-run.

    Several campaigns are sent together, each with the same options and as a run of its own. If one cannot start, none
    is sent; if one halts, the others continue. The exit code is the most serious of theirs: 143, 130, 3, 2, 75, 4, 1,
    0, in that order, but 3 in place of 2 once a call was made. With --json their summaries are in "runs".
    """
    if given["keep_open"] and (not given["sandbox"] or given["dry_run"]):
        raise click.UsageError("--keep-open keeps the sandbox of a rehearsal open: it needs --sandbox, and calls")
    if given["virtual_time"] and (not given["sandbox"] or given["dry_run"]):
        raise click.UsageError("--virtual-time is the clock of a rehearsal: it needs --sandbox, and calls")
    told = {name: given.pop(name) for name in NOTICE}
    command = told.pop("notify_command")
    to_the_end = process.to_the_virtual_end if given["virtual_time"] else process.to_the_end
    with notice.given(notice.Notice(campaign, given["run_id"], command, **told)) as end:
        if not (yes or given["sandbox"] or given["dry_run"]):
            screen.ask(process.to_the_end(_plan, campaign, given, verbose=verbose))
        if len(campaign) > 1:
            sys.exit(to_the_end(_until_signalled, lambda stop: send_all.send(campaign, stop, end, **given)))
        sys.exit(to_the_end(_until_signalled, lambda stop: _send(campaign[0], stop, end, **given)))


def _show(campaign: Path, run: "Run", end: notice.Notice) -> None:
    """Show what became of a campaign."""
    end.runs = [{**run.summary.as_dict(), "exit_code": run.exit_code}]
    if screen.is_json():
        screen.show(run.summary.as_dict(), "")
    else:
        screen.say_ends(run.preview)
    screen.say(text.summary(run.summary))
    if run.summary.halted:
        screen.complain(f"halted: {run.summary.halted}")
    screen.say("\n".join(hints.after_sending(run.summary, campaign)))


async def _plan(campaigns: Sequence[Path], options: dict[str, Any], *, verbose: bool) -> str:
    """Return what would be sent, for a person who is there to be asked.

    Raises what is wrong with a campaign or its list, and `CampaignError` where nobody is there.
    """
    planned, (width, height) = {name: options[name] for name in PLANNED}, screen.size()
    if not screen.is_terminal():
        await _open(campaigns, planned)
    screen.check_somebody_is_there()
    plans = [await _planned(campaign, planned) for campaign in campaigns]
    longer = [text.plan(plan, width) for plan in plans] if verbose else []
    return "\n\n".join([*longer, plan_text.blocks(plans, time.time(), width=width - 1, height=height - QUESTION)])


async def _open(campaigns: Sequence[Path], options: dict[str, Any]) -> None:
    """Open campaigns and lists. Raises what is wrong with them, which matters more than that nobody can be asked."""
    from bulk.run.environment import open_from
    from bulk.run.options import Options

    for campaign in campaigns:
        await open_from(campaign, Options.of(options), to_send=False)


async def _planned(campaign: Path, options: dict[str, Any]) -> "Plan":
    """Return the plan of a campaign with what its account tells. Raises `CampaignError` where it exceeds its budget."""
    from bulk.run.check import check, known

    plan = await known(campaign, await check(campaign, account=True, **options), **options)
    return account.affordable(plan)


async def _send(campaign: Path, stop: "Stop", end: notice.Notice, *, keep_open: bool, **options: Any) -> int:
    """Send a campaign until its end or a signal, show what became of it, and return the exit code."""
    from bulk.run.send import send

    async with rehearsal.sandboxes(keep_open=keep_open) as sandboxes:
        with watching(end.note) as (watch, every):
            run = await send(campaign, stop=stop, watch=watch, every=every, sandboxes=sandboxes, **options)
        _show(campaign, run, end)
        if keep_open:
            await rehearsal.stay(stop)
    return run.exit_code


async def _until_signalled(work: Callable[["Stop"], Awaitable[T]]) -> T:
    """Do work until its end or a signal."""
    import anyio

    from bulk.stop import Stop

    stop = Stop()
    _settle()
    async with anyio.create_task_group() as group:
        await group.start(_obey_signals, stop)
        done = await work(stop)
        group.cancel_scope.cancel()
    return done


def _settle() -> None:
    """Have the collector know that the modules stay, and that many short-lived objects are the work itself, not a leak.

    Searching hundreds of thousands of objects of the SDK's for garbage again and again took a fifth of each call.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _obey_signals(stop: "Stop", *, task_status: "TaskStatus[None]") -> None:
    """End well at the first signal, at once at the second."""
    import anyio

    with anyio.open_signal_receiver(*process.stop_signals()) as signals:
        task_status.started()
        leaving = False
        async for number in signals:
            code = process.exit_code(number)
            if leaving:
                screen.say(f"{number.name}: left at once. What was in flight is in doubt, and settled by: {_again()}")
                os._exit(code)
            leaving = True
            screen.say(f"{number.name}: finishing what is in flight; once more to leave at once{_afterwards()}")
            stop.ask(f"interrupted by {number.name}", code)


def _afterwards() -> str:
    """Return how to go on, where there is something to go on with: a rehearsal begins anew each time."""
    params = click.get_current_context().params
    is_kept = not params.get("dry_run") and (not params.get("sandbox") or params.get("state_dir"))
    return f". No row is lost or sent twice; to go on later: {_again()}" if is_kept else ""


def _again() -> str:
    return hints.again("send", *(("--sandbox",) if click.get_current_context().params.get("sandbox") else ()))
