"""`bulk track`: how the contacts of a run ended."""

from pathlib import Path
from typing import Any

from bulk.cli import options, process, screen, text
from bulk.cli.command import command


@command("track")
@options.campaign
@options.option("--events", metavar="FILE", help="Contact events as NDJSON: a file, a folder, s3://BUCKET/PREFIX/.")
@options.reading
@options.reaching
@options.talking
def track(campaign: Path, **given: Any) -> None:
    """Find out how the contacts of a run ended, and keep it.

    Amazon Connect is asked about each, 10 a second, until it has ended; --events reads what it told by itself instead.
    It is no receipt of delivery: whether a message reached the person, Amazon Connect does not tell. Run again, it asks
    about the rest.
    """
    from bulk.run.track import track as tracked

    told = process.to_the_end(tracked, campaign, **given)
    screen.show(told.as_dict(), text.tracking(told))
    screen.say(f"no receipt of delivery: {told.note}")
