"""Sends several campaigns in one process: each is a run of its own, and they share what they can.

All are opened before the first call of any goes out, so that what is wrong with one is known while nothing is sent.
From then on each goes its own way: the halt of one leaves the others going.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Unpack

import anyio
import polars as pl
from anyio.abc import TaskStatus

from bulk.delivery.attempts import CallCounts
from bulk.errors import BulkError, CampaignError, ExitCode, unwrapped
from bulk.run.connections import shares
from bulk.run.context import RunContext, RunRef, Source, choose
from bulk.run.label import labelled
from bulk.run.notebook import EVERY as NOTEBOOK_EVERY
from bulk.run.notebook import Display, shell, until_stopped
from bulk.run.options import Options
from bulk.run.pool import Pool
from bulk.run.rehearsal import Sandboxes
from bulk.run.results import frame_of, summarise
from bulk.run.send import EVERY, Run, Starting, kept, prepared, sent
from bulk.run.send_options import SendOptions, public
from bulk.run.start import wait_to_start
from bulk.run.state_place import StatePlace, claimed, looked_at
from bulk.run.summary import Progress
from bulk.stop import Stop, Stopped
from bulk.threads import in_thread

log = logging.getLogger("bulk")

WatchAll = Callable[[str, Progress], None]

GAP = 0.05  # seconds between the starts of two runs: what a run does first takes the processor for as long

GRAVEST = (
    *(ExitCode.TERMINATED, ExitCode.INTERRUPTED, ExitCode.HALTED, ExitCode.NOT_STARTED, ExitCode.BUSY),
    *(ExitCode.ROWS_LEFT, ExitCode.ROWS_FAILED, ExitCode.DONE),
)
"""The exit codes, the gravest first."""


def gravest(runs: Sequence[Run]) -> int:
    """Return the exit code of a process that sent these runs: the gravest of theirs.

    Where one did not start and another made calls, that is a halt: no exit code says that nothing was sent.
    """
    code = min((ExitCode(run.exit_code) for run in runs), key=GRAVEST.index, default=ExitCode.DONE)
    made = any(run.summary.calls for run in runs)
    return int(ExitCode.HALTED if made and code in {ExitCode.NOT_STARTED, ExitCode.BUSY} else code)


@public
async def send_all(
    campaigns: Sequence[Source],
    *,
    stop: Stop | None = None,
    watch: WatchAll | None = None,
    every: float = EVERY,
    sandboxes: Sandboxes | None = None,
    **options: Unpack[SendOptions],
) -> list[Run]:
    """Send several campaigns together; return their runs, in the same order.

    `options` are those of `bulk.Options`, for each campaign alike. `watch` is told the name of a campaign and its
    progress, of each every `every` seconds; `stop.ask(…)` ends all runs early. Each run has an exit code of its own:
    one that halts, or that cannot go on before its first call, says so in its summary, and the others go on.

    Raises what `send` raises where one of the campaigns could not start: then nothing was sent by any.
    """
    asked, stop, kernel = Options.of(options), stop or Stop(), shell()
    _check_some(campaigns)
    display = Display(kernel) if kernel is not None else None
    watching = (display.note_of, NOTEBOOK_EVERY) if display is not None and watch is None else (watch, every)
    work = _together(campaigns, asked, stop, sandboxes or Sandboxes(), watching=watching)
    runs = await until_stopped(work, stop, display)
    if display is not None:
        display.end(*(run.summary for run in runs))
    return runs


async def _together(
    campaigns: Sequence[Source],
    asked: Options,
    stop: Stop,
    sandboxes: Sandboxes,
    *,
    watching: tuple[WatchAll | None, float],
) -> list[Run]:
    await in_thread(_chosen, campaigns, asked)
    await wait_to_start(campaigns, asked, stop)
    async with looked_at(campaigns[0], asked) if asked.dry_run else claimed(campaigns[0], asked, stop) as place:
        place.pool.sandboxes = sandboxes
        runs = await _all_sent(campaigns, place, _Together(stop, *watching, place.pool))
    return [kept(run, place) for run in runs]


async def _all_sent(campaigns: Sequence[Source], place: StatePlace, together: "_Together") -> list[Run]:
    asked = place.options
    chosen = await in_thread(_chosen, campaigns, asked)
    names = _names(campaigns, chosen)
    opened = []
    for name, campaign in zip(names, campaigns, strict=True):
        with labelled(name), _named(name, campaign):
            opened.append(await prepared(campaign, asked))
            opened[-1].contacts.holds += place.holds
    with unwrapped():
        async with anyio.create_task_group() as group:
            for name, one in zip(names, _bounded(opened), strict=True):
                await group.start(together.send, name, one)
            together.all_open.set()
    return [together.runs[name] for name in names]


@dataclass(slots=True)
class _Together:
    """The runs of one `send_all`, by name."""

    stop: Stop
    watch: WatchAll | None
    every: float
    pool: Pool
    runs: dict[str, Run] = field(default_factory=dict)
    all_open: anyio.Event = field(default_factory=anyio.Event)
    _open: int = 0

    async def send(self, name: str, context: RunContext, *, task_status: TaskStatus[None]) -> None:
        """Open a run, and send it once all are open. Raises `BulkError` where it could not be opened."""

        async def is_open() -> None:
            place, self._open = self._open, self._open + 1
            task_status.started()
            await self.all_open.wait()
            with suppress(Stopped):
                await self.stop.sleep(GAP * place)

        with labelled(name), _named(name):
            try:
                self.runs[name] = await self._sent(name, context, Starting(self.pool, is_open))
            except BulkError as error:
                if not self.all_open.is_set():
                    raise
                log.error(str(error))  # noqa: TRY400 - the sentence says it all
                self.runs[name] = _not_sent(context, error)

    async def _sent(self, name: str, context: RunContext, starting: Starting) -> Run:
        stop = Stop()
        watch = None if self.watch is None else partial(self.watch, name)
        with unwrapped():
            async with anyio.create_task_group() as beside:
                beside.start_soon(self._follow, stop)
                run = await sent(context, stop, watch, self.every, starting=starting)
                beside.cancel_scope.cancel()
        return run

    async def _follow(self, stop: Stop) -> None:
        """Stop one run when all are to stop."""
        await self.stop.wait()
        stop.ask(self.stop.reason or "", self.stop.exit_code)


def _not_sent(context: RunContext, error: BulkError) -> Run:
    """Return a run that came to nothing after it was opened."""
    told = summarise(context, {}, CallCounts(), seconds=0.0, halted=str(error))

    def results() -> pl.DataFrame:
        return frame_of(context, context.reader)

    return Run(told, int(error.exit_code), results)


@contextmanager
def _named(name: str, campaign: Source | None = None) -> Iterator[None]:
    """Name the campaign in what is raised, unless its file is named already."""
    try:
        yield
    except BulkError as error:
        if not str(error).startswith(f"{campaign}:"):
            error.args = (f"{name}: {error}",)
        raise


def _check_some(campaigns: Sequence[Source]) -> None:
    if isinstance(campaigns, Source):  # a text is a sequence of texts as well
        raise CampaignError("send_all takes a list of campaigns: write one in brackets, or send it with send")
    if not campaigns:
        raise CampaignError("no campaign: name one at least")


def _chosen(campaigns: Sequence[Source], options: Options) -> list[RunRef]:
    """Read the campaigns without their lists. Raise `CampaignError`, also where two would be one run, or one file."""
    found = [choose(campaign, options) for campaign in campaigns]
    if options.cluster and len(found) > 1:
        raise CampaignError("--cluster sends one campaign: send them one after the other, or leave it out")
    if options.results and len(found) > 1:
        raise CampaignError("--results names one file, and there are several campaigns: leave it out")
    _check_distinct([(str(one.state_dir.resolve()), one.campaign.name) for one in found], campaigns, "the same run")
    if not options.dry_run:
        _check_distinct([(str(one.results_path.resolve()),) for one in found], campaigns, "results of the same file")
    return found


def _check_distinct(keys: Sequence[tuple[str, ...]], campaigns: Sequence[Source], what: str) -> None:
    first: dict[tuple[str, ...], Source] = {}
    for key, campaign in zip(keys, campaigns, strict=True):
        if key in first:
            both = f"{_said(first[key])} and {_said(campaign)}"
            raise CampaignError(f"{both} are {what}: name each campaign once, and give each a `name` of its own")
        first[key] = campaign


def _names(campaigns: Sequence[Source], chosen: Sequence[RunRef]) -> list[str]:
    """Return what the campaigns are called beside each other: by their names, where these differ."""
    often = Counter(one.campaign.name for one in chosen)
    given = zip(campaigns, chosen, strict=True)
    return [one.campaign.name if often[one.campaign.name] == 1 else _said(source) for source, one in given]


def _said(campaign: Source) -> str:
    return f"campaign {campaign.name!r} of {campaign.folder}" if not isinstance(campaign, Path | str) else str(campaign)


def _bounded(opened: Sequence[RunContext]) -> list[RunContext]:
    """Return the campaigns with as many calls in flight as the system lets files be open for all of them together."""
    wanted = [one.rates.wanted_at_once() for one in opened]
    able = shares(wanted, files=2 if opened[0].options.sandbox else 1)
    if able != wanted:
        log.info(
            "%d calls at once of all campaigns, not more: raise the limit of open files with `ulimit -n`", sum(able)
        )
    bounded = zip(opened, able, strict=True)
    return [replace(one, options=replace(one.options, at_once=number)) for one, number in bounded]
