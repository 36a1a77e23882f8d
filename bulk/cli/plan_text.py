"""The plan shown above the question: destination, content, recipients, and speed, in 24 lines of 80 columns.

Of several campaigns, what is the same for all is shown once.
"""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bulk.cli import text
from bulk.run import progress_text
from bulk.text.plain import counted, duration, plain

if TYPE_CHECKING:
    from bulk.account import Finding
    from bulk.run.plan import Plan
    from bulk.run.target import Target

WIDTH, HEIGHT = 79, 22  # an empty line and the question follow
NAMED = 4  # reasons, warnings and lines of the message that are shown; --verbose shows all
MESSAGE = 3  # of these lines are the message's, where there is room
LABEL = 10  # columns of a label
PLACE = "Region"  # the label of where it goes, which is never cut


def block(plan: "Plan", now: float, *, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return a plan in so many lines at most: what matters less gives way, and that there is more is said."""
    facts = [_headline(plan, width), *(line for one in _facts(plan, now) for line in _fact(*one, width))]
    left, warnings = _left_out(plan, width), _warnings(plan, width)
    room = max(height - len(facts), 3)
    shown = _cut(left, min(NAMED, room - 2 * NAMED))
    shown += _cut(warnings, min(NAMED + 1, room - len(shown) - MESSAGE))
    left_over = min(NAMED + 1, room - len(shown))
    message = _cut(_message(plan, width), left_over) if left_over > 1 else []
    return "\n".join([*facts, *message, *shown])


def blocks(plans: Sequence["Plan"], now: float, *, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return several plans in so many lines at most: what is the same for all of them, then each by itself."""
    if len(plans) == 1:
        return block(plans[0], now, width=width, height=height)
    facts = [[*_facts(plan, now)] for plan in plans]
    shared = [fact for fact in facts[0] if all(fact in others for others in facts)]
    head = [_total(plans, width), *(line for one in shared for line in _fact(*one, width))]
    each = max(1, (height - len(head) - 1) // len(plans))
    shown, lines, hidden = plans[: height - len(head) - 1], [*head], 0
    for plan, own in zip(shown, facts, strict=False):
        kept, cut = _short(plan, [fact for fact in own if fact not in shared], width, each)
        lines, hidden = lines + kept, hidden + cut
    if len(shown) < len(plans):
        lines.append(f"… {counted(len(plans) - len(shown), 'campaign')} more: --verbose")
    elif hidden:
        lines.append(f"… {counted(hidden, 'line')} more: --verbose")
    return "\n".join(lines)


def _short(plan: "Plan", facts: Sequence[tuple[str, str]], width: int, height: int) -> tuple[list[str], int]:
    """Return one of several plans, a line for each fact, and how many lines are left out.

    What looks wrong matters more than when it ends, and that more than the rest.
    """
    warnings = [_line(label, said, width) for label, said in _said_wrong(plan)]
    said = sorted(facts, key=lambda fact: fact[0] != "ends")
    rest = [_line(label, one, width) for label, one in said] + [*_left_out(plan, width), *_message(plan, width)]
    few = warnings[: (height - 1 if height < 4 else height // 2)]
    kept = rest[: height - 1 - len(few)]
    return [_headline(plan, width), *kept, *few], len(warnings) + len(rest) - len(few) - len(kept)


def _total(plans: Sequence["Plan"], width: int) -> str:
    rows, sendable = (sum(getattr(plan, name) for plan in plans) for name in ("rows", "sendable"))
    warned = sum(any(_said_wrong(plan)) for plan in plans)
    some = f"; {warned} of them with warnings" if warned else ""
    said = f"{counted(len(plans), 'campaign')}: {counted(rows, 'row')}, {sendable:,} to be sent{some}"
    return progress_text.fitted(said, width)


def _headline(plan: "Plan", width: int) -> str:
    said = (
        f"{plan.campaign}, run {plan.run}: {counted(plan.rows, 'row')}, {plan.sendable:,} to be sent by {plan.channel}"
    )
    return progress_text.fitted(said, width)


def _facts(plan: "Plan", now: float) -> Iterator[tuple[str, str]]:
    """Yield what a person should know of a plan: a label, and what is said of it."""
    target = plan.target
    if target is not None:
        yield "instance", target.instance
        yield PLACE, _place(target)
        yield from [("sender", target.sender)] if target.sender else []
        yield from [("flow", target.flow)] if target.flow else []
        yield "list", f"{target.contacts}, {counted(plan.rows, 'row')}"
        yield "rate", _rates(target)
    if plan.parts:
        yield "segments", counted(plan.parts, "SMS part")
    yield "ends", _ends(plan, now)
    yield from (("cost", one) for one in (plan.cost.sentences()[:1] if plan.cost else []))


def _said(finding: "Finding") -> str:
    return f"{finding.subject}: {finding.message}{f'. {finding.remedy}' if finding.remedy else ''}"


def _place(target: "Target") -> str:
    account = f"account {target.account}" if target.account else None
    profile = f"profile {target.profile}" if target.profile else None
    source = f"credentials from {target.credentials}" if target.credentials and not target.profile else None
    endpoint = None if target.is_real else f"endpoint {target.endpoint}"
    return ", ".join(filter(None, (target.region or "not set", account, profile, source, endpoint)))


def _rates(target: "Target") -> str:
    said = {name: "learned" if isinstance(rate, str) else f"{rate:.3g} a second" for name, rate in target.rates.items()}
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))}, {' and '.join(said)}"
    return ", ".join(f"{rate} of {name}" for name, rate in said.items())


def _ends(plan: "Plan", now: float) -> str:
    lasts = f"takes about {duration(plan.seconds)}"
    if not plan.finishes_at or not plan.sendable:
        return lasts if plan.sendable else "at once: nothing is to be sent"
    at = datetime.fromisoformat(plan.finishes_at).timestamp()
    zone = datetime.fromtimestamp(at).astimezone().tzname()
    return f"about {progress_text.clock(at, now)} {zone}, begun now; {lasts}"


def _left_out(plan: "Plan", width: int) -> list[str]:
    lines = []
    for reason in plan.reasons:
        if reason.code:
            example = next(iter(reason.examples), None)
            why = f": {example.message}" if example and example.message else ""
            lines += _fact("left out", f"{reason.rows:,} {reason.status}, {reason.code}{why}", width)
    return lines


def _warnings(plan: "Plan", width: int) -> list[str]:
    return [line for label, said in _said_wrong(plan) for line in _labelled(label, said, width)]


def _said_wrong(plan: "Plan") -> Iterator[tuple[str, str]]:
    """Yield what looks wrong, what the account says first."""
    yield from (("account", _said(one)) for one in plan.account if one.state == "wrong")
    yield from (("warning", one) for one in plan.warnings)


def _message(plan: "Plan", width: int) -> list[str]:
    """Return the first message as it will look."""
    return [progress_text.fitted(line, width) for one in plan.previews[:1] for line in text.preview(one).splitlines()]


def _fact(label: str, said: str, width: int) -> list[str]:
    if label == PLACE:
        return _labelled(label, said, width)
    return [_line(label, said, width)]


def _line(label: str, said: str, width: int) -> str:
    return progress_text.fitted(f"  {label:{LABEL}}{plain(said)}", width)


def _labelled(label: str, said: str, width: int) -> list[str]:
    indent = " " * (LABEL + 2)
    return textwrap.wrap(plain(said), width, initial_indent=f"  {label:{LABEL}}", subsequent_indent=indent)


def _cut(lines: list[str], most: int) -> list[str]:
    """Return so many lines at most; the last says that there are more."""
    if len(lines) <= max(1, most):
        return lines
    kept = lines[: max(1, most) - 1]
    return [*kept, f"  … {counted(len(lines) - len(kept), 'line')} more: --verbose shows them"]
