"""`bulk iam`: the least policy."""

import json
from pathlib import Path
from typing import Any

from bulk.cli import options, process, screen
from bulk.cli.command import command


@command("iam")
@options.campaign
@options.granting
@options.talking
def iam(campaign: Path, **given: Any) -> None:
    """Print the least IAM policy with which a campaign can be sent, as JSON.

    One statement for each operation that the campaign uses, bound to what it names. Nobody is asked.
    """
    from bulk.run.iam import iam as policy_of

    policy = process.to_the_end(policy_of, campaign, **given)
    screen.show(policy, json.dumps(policy, indent=2))
