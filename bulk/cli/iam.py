"""`bulk iam`: the minimal IAM policy."""

import json
from pathlib import Path
from typing import Any

import click

from bulk.cli import options, process, screen
from bulk.cli.command import command
from bulk.cli.option_types import StateDirectory


@command("iam")
@options.campaign
@options.option(
    "--for",
    "uses",
    multiple=True,
    default=["send"],
    show_default=True,
    type=click.Choice(["send", "track", "resolve", "suppress"]),
    help="The command that it is for: resolve is resolve --ask; repeatable.",
)
@options.option("--events", metavar="SOURCE", help="With --for track: what it reads, instead of the campaign's.")
@options.option("--state-dir", type=StateDirectory(), help="The state directory, where that is in S3.")
@options.granting
@options.talking
def iam(campaign: Path, **given: Any) -> None:
    """Print the least IAM policy with which a campaign can be sent, or tracked, as JSON.

    One statement for each operation that is used, bound to what the campaign names. --for adds those of other commands;
    what a command does not use is not in it. Nobody is asked.
    """
    from bulk.run.iam import iam as policy_of

    policy = process.to_the_end(policy_of, campaign, **given)
    screen.show(policy, json.dumps(policy, indent=2))
