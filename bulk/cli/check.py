"""`bulk check`: what would be sent."""

import sys
from pathlib import Path
from typing import Any

from bulk.cli import options, process, screen, text
from bulk.cli.command import command


@command("check")
@options.campaign
@options.examining
@options.reading
@options.templates
@options.ask
@options.pace
@options.reaching
@options.talking
def check(campaign: Path, **given: Any) -> None:
    """Read everything, send nothing, and say what would be sent.

    Shows the rows refused and why, the first messages as they will look, SMS parts, what was seen of the list, the
    time at the given rate, what a message template wants and the campaign does not give. With --account the
    account is asked too: credentials, instance, flow, number or address, template, users, quotas. Ends with 2 where
    something of that, or the budget, is wrong, with 1 where rows are refused or a template lacks something, else
    with 0.
    """
    from bulk.run.check import check as checked

    plan = process.to_the_end(checked, campaign, **given)
    screen.show(plan.as_dict(), text.plan(plan, screen.size(sys.stdout)[0]))
    if plan.is_impossible:
        sys.exit(2)
    sys.exit(1 if plan.lacking or any(reason.status == "refused" for reason in plan.reasons) else 0)
