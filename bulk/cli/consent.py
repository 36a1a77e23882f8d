"""`bulk consent`: why people were written to."""

from pathlib import Path
from typing import Any

import click

from bulk.cli import options, process, screen
from bulk.cli.examples import EXAMPLES


@click.group("consent", epilog=EXAMPLES["consent"])
def consent() -> None:
    """Export why people were written to."""


@consent.command("export", epilog=EXAMPLES["consent export"])
@options.campaign
@click.option("-o", "--output", required=True, type=options.FILE, help=".csv, .parquet, .ndjson or .xlsx")
@options.reading
@options.reaching
@options.talking
def export(campaign: Path, output: Path, **given: Any) -> None:
    """Write for each person who was written to where and when they agreed, destinations masked."""
    from bulk.run.consent import consent as written

    path = process.to_the_end(written, campaign, output, **given)
    screen.show({"consent": str(path)}, str(path))
