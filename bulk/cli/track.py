"""`bulk track`: how the contacts of a run ended."""

import sys
from pathlib import Path
from typing import Any

from bulk.cli import options, process, screen
from bulk.cli.command import command
from bulk.cli.track_text import tracking
from bulk.errors import ExitCode


@command("track")
@options.campaign
@options.option(
    "--events", metavar="FILE", help="Events: a file, a folder, s3://BUCKET/PREFIX/, an SQS queue's URL or ARN."
)
@options.reading
@options.reaching
@options.talking
def track(campaign: Path, **given: Any) -> None:
    """Find out how the contacts of a run ended, and keep it.

    Amazon Connect is asked about each, 10 a second, until it has ended; --events reads what it told by itself instead:
    also replies that say STOP, bounces and complaints. It is no receipt of delivery: whether a message reached the
    person, Amazon Connect does not tell. Run again, it asks about the rest.
    """
    from bulk.run.track import track as tracked

    told = process.to_the_end(tracked, campaign, **given)
    screen.show(told.as_dict(), tracking(told))
    screen.say(f"no receipt of delivery: {told.note}")
    if told.malformed:
        sys.exit(ExitCode.ROWS_FAILED)
