"""`bulk sandbox verify`: compares what a sandbox accepted with the ledger."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bulk.cli import options, sandbox_options, screen
from bulk.cli.examples import EXAMPLES

if TYPE_CHECKING:
    from bulk.run.verify import Finding, Verification

SHOWN = 20  # differences that are listed; --json has them all


@click.command("verify", epilog=EXAMPLES["sandbox verify"])
@sandbox_options.verifying
@options.talking
def verify(state_dir: Path, url: str | None, control_token: str | None) -> None:
    """Compare what a sandbox accepted with what the ledger says was sent.

    Ends with 0 where the two say the same, with 1 where they differ, and with 2 where there is nothing to compare.
    """
    from bulk.run.verify import verify as compare

    told = compare(state_dir, url=url, token=control_token)
    screen.show(told.as_dict(), table(told))
    sys.exit(0 if told.holds else 1)


def table(told: "Verification") -> str:
    """Return the comparison as a plain table, with the differences below it."""
    from bulk.run.verify import DOUBLED, NEVER_ACCEPTED, NOT_IN_LEDGER

    rows = [
        ("accepted by the sandbox", told.accepted),
        ("sent, in the ledger", told.sent),
        ("in doubt, and accepted", told.in_doubt_accepted),
        ("in doubt, and not accepted", told.in_doubt_not_accepted),
        ("accepted, and neither sent nor in doubt in the ledger", told.count(NOT_IN_LEDGER)),
        ("sent in the ledger, and never accepted", told.count(NEVER_ACCEPTED)),
        ("accepted twice", told.count(DOUBLED)),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {count:>9,}" for name, count in rows]
    lines += ["", *map(line, told.findings[:SHOWN])] if told.findings else []
    if len(told.findings) > SHOWN:
        lines.append(f"and {len(told.findings) - SHOWN:,} more: --json lists them all")
    return "\n".join([*lines, "", "They agree." if told.holds else "They differ."])


def line(finding: "Finding") -> str:
    """Return one difference in a line."""
    whose = f"{finding.campaign} --run {finding.run}, row {finding.row}, {finding.state}" if finding.run else "no row"
    contacts = ", ".join(filter(None, finding.contact_ids)) or "no contact"
    return f"{finding.what}: {contacts} to {finding.destination or 'nobody'} ({whose})"
