"""The plan right above the question: where it goes, what, to whom, how fast; in 24 lines of 80 columns."""

import textwrap
from collections.abc import Iterator
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


def block(plan: "Plan", now: float, *, height: int = HEIGHT) -> str:
    """Return a plan in so many lines at most: what matters less gives way, and that there is more is said."""
    facts, left = [_headline(plan), *_facts(plan, now)], [*_left_out(plan)]
    wrong = [line for one in plan.account if one.state == "wrong" for line in _labelled("account", _said(one))]
    warnings = [*wrong, *(line for one in plan.warnings for line in _labelled("warning", one))]
    room = max(height - len(facts), 3)
    shown = _cut(left, min(NAMED, room - 2 * NAMED))
    shown += _cut(warnings, min(NAMED + 1, room - len(shown) - MESSAGE))
    left_over = min(NAMED + 1, room - len(shown))
    message = _cut([*_message(plan)], left_over) if left_over > 1 else []
    return "\n".join([*facts, *message, *shown])


def _headline(plan: "Plan") -> str:
    said = (
        f"{plan.campaign}, run {plan.run}: {counted(plan.rows, 'row')}, {plan.sendable:,} to be sent by {plan.channel}"
    )
    return progress_text.fitted(said, WIDTH)


def _facts(plan: "Plan", now: float) -> Iterator[str]:
    target = plan.target
    if target is not None:
        yield _fact("instance", target.instance)
        yield _fact("Region", _place(target))
        yield from [_fact("sender", target.sender)] if target.sender else []
        yield from [_fact("flow", target.flow)] if target.flow else []
        yield _fact("list", f"{target.contacts}, {counted(plan.rows, 'row')}")
        yield _fact("rate", _rates(target))
    if plan.parts:
        yield _fact("segments", counted(plan.parts, "SMS part"))
    yield _fact("ends", _ends(plan, now))
    yield from (_fact("cost", one) for one in (plan.cost.sentences()[:1] if plan.cost else []))


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


def _left_out(plan: "Plan") -> Iterator[str]:
    for reason in plan.reasons:
        if reason.code:
            example = next(iter(reason.examples), None)
            why = f": {example.message}" if example and example.message else ""
            yield _fact("left out", f"{reason.rows:,} {reason.status}, {reason.code}{why}")


def _message(plan: "Plan") -> Iterator[str]:
    """Yield the first message as it will look."""
    for one in plan.previews[:1]:
        for line in text.preview(one).splitlines():
            yield progress_text.fitted(line, WIDTH)


def _fact(label: str, said: str) -> str:
    return progress_text.fitted(f"  {label:{LABEL}}{plain(said)}", WIDTH)


def _labelled(label: str, said: str) -> list[str]:
    indent = " " * (LABEL + 2)
    return textwrap.wrap(plain(said), WIDTH, initial_indent=f"  {label:{LABEL}}", subsequent_indent=indent)


def _cut(lines: list[str], most: int) -> list[str]:
    """Return so many lines at most; the last says that there are more."""
    if len(lines) <= max(1, most):
        return lines
    kept = lines[: max(1, most) - 1]
    return [*kept, f"  … {counted(len(lines) - len(kept), 'line')} more: --verbose shows them"]
