#!/usr/bin/env python3
"""Write docs/terminal.md: what `bulk send` shows on terminals of 40, 60, 80 and 200 columns.

    .venv/bin/python scripts/make_captures.py

The run is made up, what is shown of it is what the program shows. A test holds the page equal to this.
"""

import io
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bulk.cli import plan_text
from bulk.cli.bars import Bars
from bulk.model import Status
from bulk.reports import Example, Reason
from bulk.run import progress_text
from bulk.run.plan import Plan, Preview
from bulk.run.summary import Progress, Waiting
from bulk.run.target import Target

PAGE = Path(__file__).resolve().parents[1] / "docs" / "terminal.md"
WIDTHS = 40, 60, 80, 200
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC).timestamp()
CALL = "StartOutboundChatContact"

HEAD = """# What it looks like

Written by `scripts/make_captures.py`; the clock is UTC there, on your terminal it is yours.

## Before the question

The main points of the plan fit a terminal of 24 lines by 80 columns; `--verbose` shows all of it before. On a
narrower terminal the lines are shorter, and where it goes is never cut.

"""
DURING = """## While it sends

A bar for this pass alone: rows of earlier passes are `done before`. The rate is that of the last half minute, beside
what is permitted. The end follows from the pace, from contacts that must end first, and from sending hours; not from
how fast it was. Every wait has its reason and its end. `--progress plain` writes a line every 10 s instead, as it is
where there is no terminal; `--progress none` shows nothing. `bulk status` shows the same of a run that another process
sends.

"""


def told() -> Progress:
    """Return the progress of a run that has everything to say."""
    waits = (
        Waiting("open_contacts", NOW + 41, operation=CALL, open=20, limit=20),
        Waiting("hours", NOW + 3600, rows=1204, zone="America/Denver"),
    )
    return Progress(
        total=9000,
        done=4499,
        sent=4400,
        skipped=87,
        refused=9,
        rejected=2,
        unknown=1,
        failed=12,
        before=1000,
        calls=4412,
        throttled=7,
        in_flight=3,
        seconds=900.0,
        seconds_left=5400.0,
        ends_at=NOW + 5400,
        per_second=4.9,
        permitted=20.0,
        granted=5.0,
        waits=waits,
    )


def plan() -> Plan:
    """Return the plan of the same run."""
    made = Plan("reminders", "2026-11-20", "sms", rows=10000, sendable=9912, parts=9930, seconds=4956.0)
    made.target = Target(
        instance="8f3c2a61-9d1e-4f0b-a1c7-52d94e6b7f10",
        region="us-west-2",
        endpoint=None,
        sender="arn:aws:connect:us-east-1:111122223333:phone-number/0d6f8a52",
        flow="846ec553-a005-41c0-8341-xxxxxxxxxxxx",
        contacts="contacts.csv",
        profile="prod",
        account="111122223333",
        rates={CALL: 20.0},
    )
    made.finishes_at = datetime.fromtimestamp(NOW + 4956, UTC).isoformat()
    made.previews = [Preview(0, "+12065550100", {"Content": "Hi Ann, see you on 12 January. STOP ends."}, 2)]
    made.reasons = [
        Reason(Status.SKIPPED, "duplicate", 79, [Example(7, "k", "repeats line 4", 9, "")]),
        Reason(Status.REFUSED, "invalid_phone", 9, [Example(31, "k", "phone: '12345' is no number of US", 33, "")]),
    ]
    made.warnings = [
        "[request] SourceEndpoint.Address is in Region us-east-1, and the sending goes to us-west-2",
        f"rate 20: above the account's quota for {CALL}, 5 calls a second",
    ]
    return made


def plans() -> list[Plan]:
    """Return the plans of two campaigns of one instance."""
    first, second = plan(), plan()
    assert second.target is not None
    second.campaign, second.rows, second.sendable, second.parts, second.seconds = "thanks", 1200, 1200, 1200, 600.0
    second.target = replace(second.target, contacts="customers.csv", rates={CALL: 2.0})
    second.finishes_at = datetime.fromtimestamp(NOW + 600, UTC).isoformat()
    second.reasons, second.warnings = [], second.warnings[:1]
    return [first, second]


def bars(width: int, *names: str) -> str:
    """Return a frame at a width."""
    shown = io.StringIO()
    made = Bars(Console(file=shown, width=width, force_terminal=True, color_system=None), clock=lambda: NOW)
    for name in names:
        made.note(name, told())
    made.console.print(made.get_renderable())
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines())


def page() -> str:
    """Return the page."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    parts = [HEAD, block(asked(plan_text.block(plan(), NOW)))]
    parts.append(f"60 columns:\n\n{block(asked(plan_text.block(plan(), NOW, width=59)))}")
    parts.append("Several campaigns, with what is the same for all of them first:\n\n")
    parts += [block(asked(plan_text.blocks(plans(), NOW))), DURING]
    parts += [f"{width} columns:\n\n{block(bars(width, ''))}" for width in WIDTHS]
    parts.append(f"Several campaigns, 80 columns:\n\n{block(bars(80, 'reminders', 'thanks'))}")
    parts.append(f"In a log:\n\n{block('15:00:00 ' + progress_text.line(told(), NOW))}")
    return "".join(parts).rstrip() + "\n"


def asked(shown: str) -> str:
    """Return a plan with the question below it."""
    return f"{shown}\n\nSend? [y/N]:"


def block(text: str) -> str:
    """Return text as a block of the page."""
    return f"```text\n{text}\n```\n\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
