"""`bulk init`: writes a starter campaign."""

from pathlib import Path

import click

from bulk.cli import hints, options, screen
from bulk.cli.command import command
from bulk.cli.option_types import FOLDER


def _completed(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the channels that begin so: for a shell's Tab key."""
    from bulk.cli import starters

    return [name for name in starters.CHANNELS if name.startswith(incomplete)]


@command("init")
@click.argument("channel", required=False, shell_complete=_completed)
@click.argument("folder", metavar="[DIR]", required=False, type=FOLDER)
@click.option("--from", "source", metavar="LIST", help="Write the campaign for this list, which stays where it is.")
@options.option("--column", metavar="NAME", help="With --from: the column of the destinations; by default it is found.")
def init(channel: str | None, folder: Path | None, source: str | None, column: str | None) -> None:
    """Write a starter campaign and list that run against the sandbox.

    CHANNEL is sms, whatsapp, email or inbound-email; DIR is the folder, by default one named after the channel.
    No file is overwritten. With --from, it writes a campaign for your own list, named after it, and finds the columns
    by their names and cells. Then CHANNEL can be left out if the columns show it.
    """
    from bulk.cli import starters

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
