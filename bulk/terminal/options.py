"""The options, each said once. One that is not a file can also come from `BULK_…` in the environment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bulk.terminal import screen

Command = Callable[..., Any]

FILE = click.Path(dir_okay=False, path_type=Path)


class _Duration(click.ParamType[float]):
    """A number of seconds, or 90s, 2h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from bulk.campaign import seconds  # noqa: PLC0415 - `bulk --help` does not wait for it

        try:
            return seconds(float(value) if str(value).replace(".", "", 1).isdigit() else value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Rate(click.ParamType[float | str]):
    """Calls a second, or `auto`."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        try:
            return "auto" if value == "auto" else float(value)
        except ValueError:
            self.fail(f"{value!r} is no rate; give calls per second, or auto", param, ctx)


def _option(name: str, **settings: Any) -> Callable[[Command], Command]:
    is_file = isinstance(settings.get("type"), click.Path)
    envvar = None if is_file else "BULK_" + name.strip("-").replace("-", "_").upper()
    return click.option(name, envvar=envvar, show_envvar=envvar is not None, **settings)


def _all(*chosen: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(chosen):
            command = option(command)
        return command

    return decorate


def _run(name: str) -> Callable[[Command], Command]:
    return click.option(
        name, "run_id", default="default", show_default=True, envvar="BULK_RUN", help="Names one sending of a campaign."
    )


reading = _all(
    _option("--contacts", type=str, help="The contact list, instead of the campaign's."),
    _run("--run"),
    _option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where the ledger is; default .bulk beside the campaign.",
    ),
    _option("--sandbox", is_flag=True, help="Use a sandbox of its own, and a state apart from real runs."),
    _option("--outcomes-only", is_flag=True, help="Leave the list's own columns out of the results."),
)

pace = _all(
    _option("--rate", type=_Rate(), help="Calls per second and operation, instead of the campaign's; auto learns it."),
    _option("--burst", type=click.IntRange(1), help="Calls that may go at once."),
    _option("--at-once", type=click.IntRange(1), help="Calls in flight at most."),
)

sending = _all(
    _option("--results", type=FILE, help="Where the results go; default results/NAME-RUN.csv beside the campaign."),
    _option("--limit", type=click.IntRange(1), help="Send to so many rows at most."),
    _option(
        "--only", type=click.Choice(["rejected", "refused", "unknown"]), help="Send again just the rows that ended so."
    ),
    _option("--accept-changes", is_flag=True, help="Go on although the campaign has changed since the run began."),
    _option("--max-duration", type=_Duration(), help="Stop after so long (90s, 2h), with what is left to be resumed."),
    _option("--dry-run", is_flag=True, help="Do everything but the calls."),
    _option("--yes", is_flag=True, help="Send without asking."),
)

reaching = _all(
    _option("--endpoint-url", help="Where Amazon Connect is, if not where AWS says."),
    _option("--region", help="The AWS Region."),
    _option("--profile", help="The AWS profile."),
    _option("--ca-bundle", type=FILE, help="Certificates to trust."),
    _option(
        "--connect-timeout", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True, help="Seconds."
    ),
    _option(
        "--read-timeout", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True, help="Seconds."
    ),
)

talking = _all(
    click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        envvar="BULK_JSON",
        callback=screen.set_json,
        help="One JSON object on stdout.",
    ),
    click.option(
        "--quiet",
        is_flag=True,
        expose_value=False,
        envvar="BULK_QUIET",
        callback=screen.set_quiet,
        help="Only complaints on stderr.",
    ),
    click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        expose_value=False,
        envvar="BULK_LOG_LEVEL",
        callback=screen.set_level,
    ),
    click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        expose_value=False,
        envvar="BULK_LOG_FORMAT",
        callback=screen.set_format,
    ),
)
