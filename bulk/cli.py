"""Words on a terminal: arguments in, exit codes out. Everything else is behind `bulk.send` and its sisters.

Data goes to stdout, words for people to stderr. What a person can cause is told in a sentence, never as a traceback.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bulk import __version__
from bulk.terminal import hints, options, running, screen, words
from bulk.terminal.examples import EXAMPLES, HELP

CAMPAIGN = click.argument("campaign", type=options.FILE)


class _InOrder(click.Group):
    """Lists its commands in the order in which they are needed."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    help=HELP,
    epilog=EXAMPLES["bulk"],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": words.WIDTH},
)
@click.version_option(__version__)
def bulk() -> None:
    """Choose a command."""


def _command(function: Callable[..., None]) -> click.Command:
    """Make a command of a function, with its examples at the end of its help."""
    return bulk.command(epilog=EXAMPLES[function.__name__])(function)


@_command
@click.argument("channel", required=False)
@click.argument("folder", metavar="[DIR]", required=False, type=options.FOLDER)
@click.option("--from", "source", metavar="LIST", help="Write the campaign for this list, which stays where it is.")
@options.option("--column", metavar="NAME", help="With --from: the column of the destinations, which is else found.")
def init(channel: str | None, folder: Path | None, source: str | None, column: str | None) -> None:
    """Write a starter campaign and list that run against the sandbox.

    CHANNEL is sms, whatsapp, email or inbound-email; DIR is where to, by default a folder named after the channel.
    Nothing that is there is overwritten. With --from, a campaign is written for a list of yours and named after it; its
    columns are found by their names and cells. CHANNEL may be left out then, where the columns tell it.
    """
    from bulk import starters  # noqa: PLC0415 - `bulk --help` does not wait for the rest

    if source is not None:
        made = starters.write_for(source, channel, folder, column=column)
        screen.say("\n".join(made.seen))
        paths = [made.path]
    elif channel is not None and column is None:
        paths = list(starters.write(channel, folder or Path(channel)))
    else:
        raise click.UsageError(f"name a CHANNEL ({', '.join(starters.CHANNELS)}), or show a list: --from LIST")
    click.echo("\n".join(map(str, paths)))
    screen.say(f"to try it: {hints.typed('send', str(paths[0]), '--sandbox')}")


@_command
@CAMPAIGN
@options.reading
@options.pace
@options.reaching
@options.talking
def check(campaign: Path, **given: Any) -> None:
    """Read everything, send nothing, and say what would be sent.

    Shows the rows refused and why, the first messages as they will look, SMS parts, what was seen of the list, the
    time at the given rate. Ends with 1 where rows are refused, else with 0.
    """
    from bulk.run import check as checked  # noqa: PLC0415 - see init

    plan = running.to_the_end(checked, campaign, **given)
    screen.show(plan.as_dict(), words.plan(plan))
    sys.exit(1 if any(reason.status == "refused" for reason in plan.reasons) else 0)


@_command
@CAMPAIGN
@options.trying
@options.reaching
@options.talking
def test(campaign: Path, *, row: int | None, line: int | None, to: str, yes: bool, **given: Any) -> None:
    """Send what a row would get to somebody else, outside any run.

    Nothing is recorded, and the row's own person gets nothing. On a terminal it shows the message and asks first;
    elsewhere it needs --yes or --sandbox. The contact id goes to stdout. Ends with 1 where the message was not
    certainly accepted, else with 0.
    """
    from bulk.terminal import sending, trying  # noqa: PLC0415 - see init

    whose = options.whose_of(row, line)
    if not (yes or given["sandbox"]):
        sending.ask(running.to_the_end(trying.preview, campaign, whose, to, options=given))
    told = running.to_the_end(trying.send, campaign, whose, to, options=given)
    sys.exit(trying.tell(told, rehearsed=given["sandbox"]))


@_command
@CAMPAIGN
@options.reading
@options.pace
@options.sending
@options.reaching
@options.talking
def send(campaign: Path, *, yes: bool, **given: Any) -> None:
    """Send; run again, it goes on where it stopped.

    No row is sent twice. On a terminal it shows the plan and asks first; elsewhere it needs --yes, --sandbox or
    --dry-run.
    """
    from bulk.terminal import sending  # noqa: PLC0415 - see init

    if not (yes or given["sandbox"] or given["dry_run"]):
        sending.ask(running.to_the_end(sending.survey, campaign, given))
    run = running.to_the_end(sending.send, campaign, given)
    if screen.is_json():
        screen.show(run.summary.as_dict(), "")
    else:
        screen.say(words.glance(run.glance, masked=not screen.is_looked_at()))
    screen.say(words.summary(run.summary))
    if run.summary.halted:
        screen.complain(f"halted: {run.summary.halted}")
    screen.say("\n".join(hints.after_sending(run.summary)))
    sys.exit(run.exit_code)


@_command
@CAMPAIGN
@options.reading
@options.talking
def status(campaign: Path, **given: Any) -> None:
    """Show where a run stands, also while it runs.

    It is read from the ledger alone: the list may be gone.
    """
    from bulk.run import status as stands  # noqa: PLC0415 - see init

    run = running.to_the_end(stands, campaign, **given)
    screen.show(run.summary.as_dict(), words.status(run.summary, run.sender))
    if screen.is_json() and run.sender:
        screen.say(f"being sent by {run.sender}")


@_command
@CAMPAIGN
@options.deciding
@options.reading
@options.reaching
@options.talking
def resolve(campaign: Path, *, rows: tuple[int, ...], lines: tuple[int, ...], **given: Any) -> None:
    """List the rows whose fate is unknown, and decide about them.

    They were tried, and nobody can tell whether Amazon Connect accepted them. Without a decision it only lists. Ends
    with 1 where rows are unknown still, else with 0.
    """
    from bulk.run.resolving import resolve as resolved  # noqa: PLC0415 - see init

    decision = options.decision_of(given)
    told = running.to_the_end(resolved, campaign, decision, rows=rows or None, lines=lines or None, **given)
    screen.show(told.as_dict(), words.resolution(told))
    if told.decision == "resend" and told.decided:
        screen.say(f"to send them: {hints.again('send')}")
    elif told.unknown:
        screen.say(f"to decide: {hints.again('resolve')} with --resend, --mark-sent or --give-up")
    sys.exit(1 if told.unknown else 0)


@_command
@CAMPAIGN
@click.option("-o", "--output", required=True, type=options.FILE, help=".csv, .parquet or .ndjson")
@options.reading
@options.writing
@options.reaching
@options.talking
def results(campaign: Path, output: Path, **given: Any) -> None:
    """Write the results of a run as a table, at any time."""
    from bulk.run import results as written  # noqa: PLC0415 - see init

    path = running.to_the_end(written, campaign, output, **given)
    screen.show({"results": str(path)}, str(path))


@_command
@CAMPAIGN
@click.option("-o", "--output", required=True, type=options.FILE, help=".html")
@options.reading
@options.reaching
@options.talking
def report(campaign: Path, output: Path, **given: Any) -> None:
    """Write how a run went as one page with charts, at any time.

    The page is one file that loads nothing: it can be mailed, printed, kept. Where the list cannot be read any more, it
    has what the ledger alone can tell.
    """
    from bulk.run.reporting import report as written  # noqa: PLC0415 - see init

    path = running.to_the_end(written, campaign, output, **given)
    screen.show({"report": str(path)}, str(path))


@_command
@options.serving
@options.talking
def sandbox(port: int, faults: Path | None, **settings: Any) -> None:
    """Run a local Amazon Connect to send to, until interrupted.

    Its address goes to stdout. It answers programs on this machine alone, by its own names, and no web page.
    """
    from bulk.terminal.serving import serve  # noqa: PLC0415 - see init

    running.to_the_end(serve, port=port, faults=faults, **settings)


def main() -> None:
    """Be the program `bulk`: turn what a person can cause into a sentence and an exit code."""
    running.open_streams()
    try:
        _obey()
    except (KeyboardInterrupt, click.Abort):
        running.leave_interrupted()
    finally:
        running.end_at_once()


def _obey() -> None:
    screen.begin()
    try:
        sys.exit(bulk.main(prog_name="bulk", standalone_mode=False))
    except click.ClickException as error:
        screen.refuse(error, sys.argv[1:])
        sys.exit(error.exit_code)
    except Exception as error:
        from bulk.errors import BulkError  # noqa: PLC0415 - see init

        if not isinstance(error, BulkError):
            raise
        screen.complain_of(error)
        sys.exit(error.exit_code)
