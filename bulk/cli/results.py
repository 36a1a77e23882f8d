"""`bulk results`: the results of a run as a table."""

from pathlib import Path
from typing import Any

import click

from bulk.cli import options, process, screen
from bulk.cli.command import command


@command("results")
@options.campaign
@click.option("-o", "--output", required=True, type=options.FILE, help=".csv, .parquet, .ndjson or .xlsx")
@options.option(
    "--only",
    multiple=True,
    metavar="STATUS",
    help="Just the rows that ended so: failed (refused, rejected or unknown) or one status; repeatable.",
)
@options.option("--join", is_flag=True, help="The list's own columns first, in their order, then the outcomes.")
@options.with_track
@options.reading
@options.writing
@options.reaching
@options.talking
def results(campaign: Path, output: Path, **given: Any) -> None:
    """Write the results of a run as a table, at any time."""
    from bulk.run.results import results as written

    path = process.to_the_end(written, campaign, output, **given)
    screen.show({"results": str(path)}, str(path))
