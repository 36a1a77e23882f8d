"""The command line program: arguments in, exit codes out. All work is done by `bulk.send` and the other functions.

Data goes to stdout, words for people to stderr. What a person can cause is told in a sentence, never as a traceback.
"""

import sys

import click

from bulk import __version__
from bulk.cli import (
    check,
    consent,
    docs,
    explain,
    iam,
    init,
    process,
    report,
    resolve,
    results,
    sandbox,
    schema,
    screen,
    send,
    status,
    suppress,
    test,
    track,
)
from bulk.cli.examples import EXAMPLES, HELP
from bulk.cli.results_text import WIDTH

COMMANDS = (
    *(init.init, check.check, iam.iam, test.test, send.send, status.status),
    *(resolve.resolve, track.track, results.results, report.report),
    *(suppress.suppress, consent.consent, sandbox.sandbox),
    *(schema.schema, explain.explain, docs.docs),
)


LIBRARIES = "aioboto3", "botocore", "aiohttp", "anyio", "polars", "tenacity"  # named beside the program's own version


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - as click calls it
    """Print the version, and those of Python and the libraries on which most depends."""
    if not value or ctx.resilient_parsing:
        return
    import platform
    from importlib.metadata import version

    click.echo(f"bulk, version {__version__}")
    click.echo(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    click.echo(", ".join(f"{name} {version(name)}" for name in LIBRARIES))
    ctx.exit()


class _InOrder(click.Group):
    """Lists its commands in the order in which they are needed."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    help=HELP,
    epilog=EXAMPLES["bulk"],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show versions."
)
def bulk() -> None:
    """Choose a command."""


for command in COMMANDS:
    bulk.add_command(command)


def main() -> None:
    """Be the program `bulk`: turn what a person can cause into a sentence and an exit code."""
    process.open_streams()
    try:
        _obey()
    except (KeyboardInterrupt, click.Abort):
        process.leave_interrupted()
    finally:
        process.end_at_once()


def _obey() -> None:
    screen.begin()
    try:
        sys.exit(bulk.main(prog_name="bulk", standalone_mode=False))
    except click.ClickException as error:
        screen.refuse(error, sys.argv[1:])
        sys.exit(error.exit_code)
    except Exception as error:
        from bulk.errors import BulkError

        if not isinstance(error, BulkError):
            raise
        screen.print_error(error)
        sys.exit(error.exit_code)
