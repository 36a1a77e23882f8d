"""`bulk report`: the report of a run as a page."""

from pathlib import Path
from typing import Any

import click

from bulk.cli import options, process, screen
from bulk.cli.command import command


@command("report")
@options.campaign
@click.option("-o", "--output", type=options.FILE, help=".html; with --json it may be left out.")
@options.option(
    "--by", multiple=True, metavar="COLUMN", help="Count the rows by this column of the list too; repeatable."
)
@options.with_track
@options.reading
@options.pricing
@options.reaching
@options.talking
def report(campaign: Path, output: Path | None, **given: Any) -> None:
    """Write how a run went as one page with charts, at any time.

    It tells what was sent, to whom by country, time zone and columns, what was accepted, left out and failed with the
    remedies, how fast, by whom, and what is left; with --with-track how contacts ended. The page is one file that loads
    nothing: it can be mailed, printed, kept. --json prints its numbers. Where the list cannot be read any more, it has
    what the ledger alone can tell.
    """
    from bulk.run.report import reported

    if output is None and not screen.is_json():
        raise click.UsageError("say where the page goes with '-o' FILE.html, or --json for its numbers")
    path, told = process.to_the_end(reported, campaign, output, **given)
    screen.show({"report": path and str(path), **told}, str(path))
