"""Words on a terminal: arguments in, exit codes out. Everything else is behind `bulk.send` and its sisters.

Data goes to stdout, words for people to stderr. What a person can cause is told in a sentence, never as a traceback.
"""

import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import click

from bulk import __version__
from bulk.terminal import options, screen

T = TypeVar("T")
CAMPAIGN = click.argument("campaign", type=click.Path(dir_okay=False, path_type=Path))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def bulk() -> None:
    r"""Send a contact list through Amazon Connect: SMS, email, inbound email.

    \b
    Examples:
      bulk init sms reminders                            a campaign and a list to start from
      bulk check reminders/campaign.toml                 what would be sent, and what not and why
      bulk send reminders/campaign.toml --sandbox        a rehearsal on this machine
      bulk send reminders/campaign.toml --yes            the real thing; run it again to go on

    \b
    Exit codes:
      0  every row was sent, or skipped on purpose
      1  finished; some rows were refused, rejected or are unknown
      2  could not start: campaign, list or options are wrong; nothing was sent
      3  halted on a cause that would fail every row; resumable
      4  stopped by --max-duration or the end of sending hours with rows left; resumable
      75 another process is sending this run
      130, 143  interrupted after finishing what was in flight; resumable
    """


@bulk.command()
@click.argument("channel")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
def init(channel: str, folder: Path | None) -> None:
    r"""Write a starter campaign and a contact list that run as they are against the sandbox.

    CHANNEL is sms, email or inbound-email; DIR is where to, by default a folder named after the channel.

    \b
    Example:
      bulk init email newsletter && bulk send newsletter/campaign.toml --sandbox
    """
    from bulk.starters import write  # noqa: PLC0415 - `bulk --help` does not wait for the rest

    folder = folder or Path(channel)
    for path in write(channel, folder):
        click.echo(path)
    click.echo(f"Try it: bulk send {folder / 'campaign.toml'} --sandbox", err=True)


@bulk.command()
@CAMPAIGN
@options.reading
@options.pace
@options.talking
def check(campaign: Path, **given: Any) -> None:
    r"""Read everything and send nothing: rows refused and why, first messages, SMS parts, time at the given rate.

    \b
    Examples:
      bulk check campaign.toml
      bulk check campaign.toml --contacts other.parquet --json
    """
    from bulk.run import check as checked  # noqa: PLC0415 - see init

    plan = _run(checked(campaign, **given))
    click.echo(json.dumps(plan.as_dict(), ensure_ascii=False) if screen.is_json() else screen.plan(plan))
    sys.exit(1 if any(reason.status == "refused" for reason in plan.reasons) else 0)


@bulk.command()
@CAMPAIGN
@options.reading
@options.pace
@options.sending
@options.reaching
@options.talking
def send(campaign: Path, *, yes: bool, **given: Any) -> None:
    r"""Send; run again, it goes on where it stopped and never sends a row twice.

    \b
    Examples:
      bulk send campaign.toml --sandbox                  rehearse
      bulk send campaign.toml --yes --max-duration 2h    from cron
      bulk send campaign.toml --yes --only rejected      again, after a cause was mended
    """
    from bulk.terminal.sending import send as sent  # noqa: PLC0415 - see init

    run = _run(sent(campaign, yes=yes, **given))
    if screen.is_json():
        click.echo(json.dumps(run.summary.as_dict(), ensure_ascii=False))
    screen.summary(run)
    sys.exit(run.exit_code)


@bulk.command()
@CAMPAIGN
@options.reading
@options.talking
def status(campaign: Path, **given: Any) -> None:
    r"""Show where a run stands, from the ledger, also while it runs.

    \b
    Example:
      bulk status campaign.toml --run 2026-11-20 --json
    """
    from bulk.run import status as stands  # noqa: PLC0415 - see init

    run = _run(stands(campaign, **given))
    click.echo(
        json.dumps(run.summary.as_dict(), ensure_ascii=False) if screen.is_json() else screen.counts(run.summary)
    )


@bulk.command()
@CAMPAIGN
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help=".csv, .parquet or .ndjson"
)
@options.reading
@options.talking
def results(campaign: Path, output: Path, **given: Any) -> None:
    r"""Write the results of a run as a table, at any time.

    \b
    Example:
      bulk results campaign.toml -o today.parquet
    """
    from bulk.run import results as written  # noqa: PLC0415 - see init

    click.echo(_run(written(campaign, output, **given)))


@bulk.command()
@click.option("--port", default=8788, show_default=True, envvar="BULK_PORT", help="Port on 127.0.0.1; 0 picks one.")
@click.option(
    "--rate", type=float, envvar="BULK_RATE", help="Calls a second and operation; AWS's defaults if not given."
)
@click.option("--burst", type=int, envvar="BULK_BURST", help="Calls at once and operation.")
@click.option("--faults", type=click.Path(dir_okay=False, path_type=Path), help="A bad day, as JSON or TOML.")
@options.talking
def sandbox(port: int, rate: float | None, burst: int | None, faults: Path | None, **_: Any) -> None:
    r"""Run a local Amazon Connect to send to, until it is interrupted.

    \b
    Example:
      bulk sandbox --port 8788 --rate 2 --burst 5
      AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_REGION=us-east-1 \\
        bulk send campaign.toml --yes --endpoint-url http://127.0.0.1:8788
    """
    from bulk.terminal.serving import serve  # noqa: PLC0415 - see init

    _run(serve(port=port, rate=rate, burst=burst, faults=faults))


def _run(coroutine: Awaitable[T]) -> T:
    """Run a command's work to its end."""
    import anyio  # noqa: PLC0415 - see init

    async def work() -> T:
        return await coroutine

    return anyio.run(work)


def main() -> None:
    """Be the program `bulk`: turn what a person can cause into a sentence and an exit code."""
    try:
        bulk(prog_name="bulk", standalone_mode=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from bulk.errors import BulkError  # noqa: PLC0415 - see init

        if not isinstance(error, BulkError):
            raise
        screen.complain(str(error))
        sys.exit(error.exit_code)
