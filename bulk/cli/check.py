"""`bulk check`: what would be sent."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulk.cli import options, process, screen, text
from bulk.cli.command import command

if TYPE_CHECKING:
    from bulk.run.plan import Plan


@command("check")
@options.campaigns
@options.examining
@options.reading
@options.templates
@options.ask
@options.pace
@options.reaching
@options.talking
def check(campaign: tuple[Path, ...], **given: Any) -> None:
    """Read everything, send nothing, and say what would be sent.

    Shows which rows are refused and why, the first messages, SMS parts, notes on the list, how long it takes at the
    given rate, and values that a message template needs and the campaign does not give. With --account the AWS account
    is checked too: credentials, instance, flow, number or address, template, users, quotas. The exit code is 2 if
    something in the account or the budget is wrong, 1 if rows are refused or a template lacks a value, else 0. Of
    several campaigns the highest code counts; with --json their plans are in "plans".
    """
    from bulk.run.check import check as checked

    plans = [process.to_the_end(checked, one, **given) for one in campaign]
    told, width = [plan.as_dict() for plan in plans], screen.size(sys.stdout)[0]
    screen.show(told[0] if len(told) == 1 else {"plans": told}, "\n\n".join(text.plan(plan, width) for plan in plans))
    sys.exit(max(map(_code, plans)))


def _code(plan: "Plan") -> int:
    if plan.is_impossible:
        return 2
    return int(bool(plan.lacking) or any(reason.status == "refused" for reason in plan.reasons))
