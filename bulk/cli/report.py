"""`bulk report`: how a run went, as a page."""

from pathlib import Path
from typing import Any

import click

from bulk.cli import options, process, screen
from bulk.cli.command import command


@command("report")
@options.campaign
@click.option("-o", "--output", required=True, type=options.FILE, help=".html")
@options.reading
@options.pricing
@options.reaching
@options.talking
def report(campaign: Path, output: Path, **given: Any) -> None:
    """Write how a run went as one page with charts, at any time.

    The page is one file that loads nothing: it can be mailed, printed, kept. Where the list cannot be read any more, it
    has what the ledger alone can tell.
    """
    from bulk.run.report import report as written

    path = process.to_the_end(written, campaign, output, **given)
    screen.show({"report": str(path)}, str(path))
