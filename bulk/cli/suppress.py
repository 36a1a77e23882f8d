"""`bulk suppress`: manages a suppression list of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulk.cli import options, process, screen
from bulk.cli.examples import EXAMPLES
from bulk.text.plain import one_line

if TYPE_CHECKING:
    from bulk.run.suppress import Action, SuppressionList

_COUNTRY = options.option("--country", metavar="CODE", help="Where numbers without + belong: US, GB, DE.")
_REASON = options.option("--reason", default="", help="Why, to be kept beside each; no personal data.")


@click.group("suppress", epilog=EXAMPLES["suppress"])
def suppress() -> None:
    """Keep a list of people whom no campaign of a state directory writes to.

    Runs under way honour what is added within five seconds, of a state directory in S3 within ten.
    """


@suppress.command("add", epilog=EXAMPLES["suppress add"])
@click.argument("destinations", nargs=-1, required=True, metavar="DESTINATION...")
@_COUNTRY
@_REASON
@options.own_list
@options.talking
def add(destinations: tuple[str, ...], **given: Any) -> None:
    """Add phone numbers and email addresses."""
    _changed(_done("add", destinations, **given), "added")


@suppress.command("remove", epilog=EXAMPLES["suppress remove"])
@click.argument("destinations", nargs=-1, required=True, metavar="DESTINATION...")
@_COUNTRY
@options.own_list
@options.talking
def remove(destinations: tuple[str, ...], **given: Any) -> None:
    """Remove phone numbers and email addresses. Runs under way still leave them out."""
    _changed(_done("remove", destinations, **given), "removed")


@suppress.command("list", epilog=EXAMPLES["suppress list"])
@click.option("--show", is_flag=True, help="Show destinations whole, not masked.")
@options.own_list
@options.talking
def entries(*, show: bool, **given: Any) -> None:
    """List who is in it, masked."""
    told = _done("list", **given)
    screen.show(told.as_dict(show=show), table(told, show=show))


@suppress.command("import", epilog=EXAMPLES["suppress import"])
@click.argument("file", type=options.FILE)
@_COUNTRY
@_REASON
@options.own_list
@options.talking
def take_in(file: Path, **given: Any) -> None:
    """Add everybody in a file: of any form that a contact list may have, or one destination on each line."""
    _changed(_done("import", file=file, **given), "added")


@suppress.command("export", epilog=EXAMPLES["suppress export"])
@click.option("-o", "--output", required=True, type=options.FILE, help="A .csv, for its owner alone; not masked.")
@options.own_list
@options.talking
def export(output: Path, **given: Any) -> None:
    """Write the list to a file, destinations whole."""
    told = _done("export", file=output, **given)
    screen.show({"file": str(output), "destinations": len(told.entries)}, str(output))


def table(told: "SuppressionList", *, show: bool = False) -> str:
    """Return the list as lines of text."""
    from bulk.run.suppress import shown

    lines = [one_line(f"{shown(one, show=show)}  {one.added_at}  {one.reason}").rstrip() for one in told.entries]
    return "\n".join([*lines, f"{len(told.entries):,} in {told.path}"])


def _done(action: "Action", destinations: tuple[str, ...] = (), **given: Any) -> "SuppressionList":
    from bulk.run.suppress import suppress as work

    return process.to_the_end(work, action, destinations, **given)


def _changed(told: "SuppressionList", what: str) -> None:
    data = {"list": str(told.path), "destinations": len(told.entries), "changed": told.changed}
    screen.show(data, f"{told.changed:,} {what}; {len(told.entries):,} in {told.path}")
