"""The options, each defined once. An option that is not a file can also come from `BULK_…` in the environment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bulk.cli import screen
from bulk.cli.option_types import FOLDER, Duration, Moment, Rate, Share, StateDirectory
from bulk.run.run_name import dated

Command = Callable[..., Any]
Option = Callable[[Command], Command]

FILE = click.Path(dir_okay=False, path_type=Path)
ABOVE_0 = click.FloatRange(0, min_open=True)


def option(name: str, *names: str, **settings: Any) -> Option:
    """Make an option that can also come from the environment, unless it is a file."""
    is_file = settings.get("type") is FILE or settings.get("metavar") == "FILE"
    envvar = None if is_file else "BULK_" + name.strip("-").replace("-", "_").upper()
    return click.option(name, *names, envvar=envvar, show_envvar=envvar is not None, **settings)


def all_of(*chosen: Option) -> Option:
    def decorate(command: Command) -> Command:
        for option in reversed(chosen):
            command = option(command)
        return command

    return decorate


campaign = click.argument("campaign", type=FILE)
campaigns = click.argument("campaign", type=FILE, nargs=-1, required=True)

_contacts = option("--contacts", metavar="FILE", help="The contact list, instead of the campaign's.")

templates = option("--templates", type=FOLDER, help="Message templates: .json files, as GetMessageTemplate prints.")
faults = option("--faults", metavar="FILE", help="A bad day, as JSON or TOML; or bad-day, throttled, lossy.")

ask = option("--ask", is_flag=True, help="Ask AWS what the campaign's message templates want.")
rehearsing = all_of(templates, faults)

virtual_time = option("--virtual-time", is_flag=True, help="With --sandbox: its clock jumps over what is waited for.")

reading = all_of(
    _contacts,
    option(
        "--run",
        "run_id",
        default="default",
        show_default=True,
        callback=lambda _ctx, _param, value: dated(value),
        help="Names one sending of a campaign; {date} in it stands for today's date.",
    ),
    option(
        "--state-dir",
        type=StateDirectory(),
        help="Where the ledger is: a folder (default .bulk beside the campaign), s3://…",
    ),
    option("--sandbox", is_flag=True, help="Use a sandbox of its own, and a state apart from real runs."),
)

own_list = all_of(
    option("--state-dir", type=StateDirectory(), help="Whose list: a state directory (default .bulk)."),
    option("--campaign", type=FILE, help="The state directory beside this campaign, and its country."),
)

with_track = option("--with-track", is_flag=True, help="With how contacts ended, as far as `bulk track` found out.")
pricing = option("--prices", type=FILE, help="A table of prices, instead of the campaign's.")

examining = all_of(
    option("--account", is_flag=True, help="Check the AWS account too; nothing is sent."),
    pricing,
)

granting = all_of(
    _contacts,
    option("--account", is_flag=True, help="Also what `bulk check --account` reads."),
    option("--region", help="The AWS Region."),
)

_yes = option("--yes", is_flag=True, help="Send without asking.")

trying = all_of(
    option("--line", type=click.IntRange(1), help="Whose message: the line of the list, as it shows them."),
    option("--row", type=click.IntRange(0), help="The same by `row` of the results, which counts from 0."),
    option("--to", required=True, metavar="DESTINATION", help="Who gets it instead: a phone number, an address."),
    _contacts,
    option("--sandbox", is_flag=True, help="Send it to a sandbox of its own."),
    _yes,
)

deciding = all_of(
    option("--resend", is_flag=True, help="Send them again, at the next `bulk send`."),
    option("--mark-sent", is_flag=True, help="They were accepted: count them as sent."),
    option("--give-up", is_flag=True, help="Never send them again: count them as rejected."),
    option("--ask", is_flag=True, help="Ask Amazon Connect: found is sent, certainly not there is sent again."),
    option("--wait", type=Duration(), help="With --ask: how long after its try a row that is not found is absent."),
    option("--line", "lines", type=click.IntRange(1), multiple=True, help="Decide about this line alone; repeatable."),
    option("--row", "rows", type=click.IntRange(0), multiple=True, help="The same by `row` of the results, from 0."),
)

writing = all_of(
    option("--outcomes-only", is_flag=True, help="Leave the list's own columns out of the results."),
    option("--spreadsheet-safe", is_flag=True, help="Put ' before cells of a .csv that a spreadsheet would run."),
)

pace = all_of(
    option("--rate", type=Rate(), help="Calls per second and operation, instead of the campaign's; auto learns it."),
    option("--burst", type=click.IntRange(1), help="Calls that may go at once after a pause."),
    option("--at-once", type=click.IntRange(1), help="Calls in flight at most."),
    option(
        "--rate-share",
        type=Share(),
        default="1",
        show_default=True,
        help="The part of the rate that is for this host, where several send from one account: 1/3.",
    ),
)

sending = all_of(
    option("--results", type=FILE, help="Where the results go; default results/NAME-RUN.csv beside the campaign."),
    writing,
    option("--limit", type=click.IntRange(1), help="Send to so many rows at most."),
    pricing,
    option(
        "--only",
        type=click.Choice(["rejected", "refused", "skipped", "unknown"]),
        help="Send again just the rows that ended so.",
    ),
    option("--accept-changes", is_flag=True, help="Go on although the campaign has changed since the run began."),
    option("--max-duration", type=Duration(), help="Stop after this time (90s, 2h); the next start continues."),
    option("--no-wait", is_flag=True, help="End with 4 where sending hours are closed, instead of waiting."),
    option("--keep-open", is_flag=True, help="With --sandbox: stay after the run, its page to be looked at."),
    option(
        "--lease",
        type=Duration(),
        default=30.0,
        show_default=True,
        help="How long the claim of a state directory in S3 outlives its sender, and S3 may be gone. Seconds.",
    ),
    option("--dry-run", is_flag=True, help="Do everything but the calls."),
    option(
        "--cluster",
        metavar="ADDRESS",
        help="Have workers make the calls: local:2, or a Dask cluster at tcp://scheduler:8786.",
    ),
    _yes,
)

scheduling = all_of(
    option("--start-at", type=Moment(), metavar="TIME", help="Begin then: 09:00, or 2026-11-20T09:00-07:00."),
    option("--lock-wait", type=Duration(), help="Wait up to this long (90s, 2h) while another process sends the run."),
    option("--notify-command", metavar="CMD", help="Run this in a shell at the end, the summary on stdin."),
    option(
        "--on-exit",
        metavar="CODES[: CMD]",
        multiple=True,
        help="Notify at these exit codes only: 1,3 or success, failure; with a command, run that. Repeatable.",
    ),
    option("--metrics-file", type=FILE, help="Write the counts there for Prometheus, during and after the run."),
    option("--emf", is_flag=True, help="Write the counts to stderr as one line for CloudWatch (EMF)."),
    option("--otel", is_flag=True, help="Send the counts over OTLP, as OTEL_… says; needs the extra bulk[otel]."),
)

reaching = all_of(
    option("--endpoint-url", metavar="URL", help="Where Amazon Connect is, if not where AWS says."),
    option("--region", help="The AWS Region."),
    option("--profile", help="The AWS profile."),
    option("--ca-bundle", type=FILE, help="Certificates of the CAs to trust, in PEM form; else AWS_CA_BUNDLE."),
    option("--allow-http", is_flag=True, help="Let the endpoint be plain http:// on another machine."),
    option("--connect-timeout", type=ABOVE_0, default=10.0, show_default=True, help="Seconds."),
    option("--read-timeout", type=ABOVE_0, default=30.0, show_default=True, help="Seconds."),
)

DECISIONS = "resend", "mark_sent", "give_up"


def decision_of(given: dict[str, Any]) -> str | None:
    """Take the decision out of the options of `resolve`; None where none was taken.

    Raise `click.UsageError` where there are several, or rows are typed that nothing is decided about.
    """
    taken = [name.replace("_", "-") for name in DECISIONS if given.pop(name)]
    taken += ["ask"] if given["ask"] else []
    if len(taken) > 1:
        raise click.UsageError(f"one decision at a time, not {' and '.join(f'--{name}' for name in taken)}")
    for name in ("line", "row"):
        if not taken and _was_typed(f"{name}s"):
            raise click.UsageError(f"--{name} needs a decision beside it: --resend, --mark-sent or --give-up, or --ask")
    if _was_typed("wait") and not given["ask"]:
        raise click.UsageError("--wait is of --ask: give that too")
    return taken[0] if taken and not given["ask"] else None


def sample_of(row: int | None, line: int | None) -> dict[str, int]:
    """Return which of `--row` and `--line` says whose message it is. Raise `click.UsageError` where not one does."""
    given = {name: value for name, value in (("line", line), ("row", row)) if value is not None}
    if len(given) > 1:  # what is typed comes before what is in the environment
        given = {name: value for name, value in given.items() if _was_typed(name)} or given
    if len(given) != 1:
        both = "not both" if given else "whose message it is"
        raise click.UsageError(f"give --line N, as the list shows it, or --row N, from 0: {both}")
    return given


def _was_typed(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


_said = {"expose_value": False, "is_eager": True}

verbose = option("--verbose", is_flag=True, help="Show the whole plan before the question, and not its main points.")

progress = option(
    "--progress",
    type=click.Choice(["plain", "live", "none"]),
    callback=screen.set_progress,
    help="A bar on a terminal (live), a line every 10 s (plain), or nothing; else as it fits.",
    **_said,
)

talking = all_of(
    option("--json", is_flag=True, callback=screen.set_json, help="One JSON object on stdout.", **_said),
    option("--quiet", is_flag=True, callback=screen.set_quiet, help="Only complaints on stderr.", **_said),
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        callback=screen.set_level,
        help="What is logged on stderr.",
        **_said,
    ),
    option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        callback=screen.set_format,
        help="All of stderr as text, or as JSON line by line.",
        **_said,
    ),
)
