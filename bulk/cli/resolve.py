"""`bulk resolve`: the rows that may or may not have been sent."""

import sys
from pathlib import Path
from typing import Any

from bulk.cli import hints, options, process, screen, text
from bulk.cli.command import command


@command("resolve")
@options.campaign
@options.deciding
@options.reading
@options.reaching
@options.talking
def resolve(campaign: Path, *, rows: tuple[int, ...], lines: tuple[int, ...], **given: Any) -> None:
    """List the rows that may or may not have been sent, and decide about them.

    They were tried, and nobody can tell whether Amazon Connect accepted them. Without a decision it only lists. --ask
    looks them up by the attribute that [doubt] of the campaign names. Ends with 1 where rows are unknown still, else
    with 0.
    """
    from bulk.run.resolve import resolve as resolved

    decision = options.decision_of(given)
    told = process.to_the_end(resolved, campaign, decision, rows=rows or None, lines=lines or None, **given)
    screen.show(told.as_dict(), text.resolution(told))
    if told.asked:
        screen.say(text.settlement(told.asked))
        if told.asked.absent or told.asked.to_settle:
            screen.say(f"to send what is not there: {hints.again('send')}")
    if told.decision == "resend" and told.decided:
        screen.say(f"to send them: {hints.again('send')}")
    elif told.unknown and not told.asked:
        screen.say(f"to decide: {hints.again('resolve')} with --resend, --mark-sent or --give-up")
    sys.exit(1 if told.unknown else 0)
