"""The next command to type, complete and ready to be copied."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from bulk.run.summary import Summary

RUN = frozenset({"contacts", "run_id", "state_dir"})
REACH = frozenset({"endpoint_url", "region", "profile", "ca_bundle", "allow_http", "connect_timeout", "read_timeout"})
PACE = frozenset({"rate", "burst", "at_once", "rate_share", "prices"})
WRITTEN = frozenset({"results", "outcomes_only", "spreadsheet_safe"})
KEPT = {
    "send": RUN | REACH | PACE | WRITTEN | {"yes"},
    "check": RUN | REACH | PACE,
    "resolve": RUN | REACH,
}


def typed(*words: str) -> str:
    """Write a command of this program, called as it can be called again."""
    return shlex.join([*_program(), *words])


def _program() -> list[str]:
    if shutil.which("bulk"):
        return ["bulk"]
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return ["python", "-m", "bulk"]
    return [min(str(called.absolute()), os.path.relpath(called), key=len)]


def again(name: str, *more: str, campaign: Path | None = None) -> str:
    """Write a command for the same run, with the options that were given, as far as it takes them.

    `campaign` is the one that is meant, where several were given.
    """
    ctx = click.get_current_context()
    given = ctx.params["campaign"] if campaign is None else campaign
    words = [name, *map(str, given if isinstance(given, tuple) else [given])]
    for param in ctx.command.params:
        if param.name in KEPT[name] and _was_typed(ctx, param):
            value = ctx.params[param.name]
            words += [param.opts[-1]] if value is True else [param.opts[-1], _written(value)]
    return typed(*words, *more)


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _was_typed(ctx: click.Context, param: click.Parameter) -> bool:
    return param.name is not None and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE


def after_sending(told: "Summary", campaign: Path) -> Iterator[str]:
    """Yield what may follow a sending of a campaign, as commands."""
    params = click.get_current_context().params
    if params["dry_run"] or (params["sandbox"] and params["state_dir"] is None):
        kind = "a dry run" if params["dry_run"] else "a rehearsal"
        yield f"{kind}, nothing was sent. To send: {again('send')}"
        return
    sandbox = ("--sandbox",) if params["sandbox"] else ()
    if told.pending:
        fixed = "once that is fixed, " if told.halted else ""
        yield f"{fixed}to go on with the rest: {again('send', *sandbox, campaign=campaign)}"
    if told.in_doubt and not told.pending:
        yield f"to settle the rows in doubt: {again('send', *sandbox, campaign=campaign)}"
    if told.unknown > told.in_doubt:
        left = "rows that are unknown even then" if told.halted else "the unknown rows"
        yield f"to see and decide about {left}: {again('resolve', *sandbox, campaign=campaign)}"
    for status in ("refused", "rejected"):
        if getattr(told, status):
            command = again("send", *sandbox, "--only", status, campaign=campaign)
            yield f"once the cause is fixed, for the {status} rows: {command}"
