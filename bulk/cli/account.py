"""The findings of an examination of the account and the cost of a run, as text."""

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bulk.text.plain import counted, plain

if TYPE_CHECKING:
    from bulk.account import Finding
    from bulk.run.plan import Plan

_STATE = len("not checkable")


def lines(findings: Iterable["Finding"], width: int) -> list[str]:
    """Return a line or two for each finding, and a heading that counts those that are wrong; nothing for none."""
    told = list(findings)
    if not told:
        return []
    wrong = sum(one.state == "wrong" for one in told)
    unchecked = sum(one.state == "not checkable" for one in told)
    heading = f"account: {counted(wrong, 'thing')} wrong" if wrong else "account: nothing wrong was found"
    heading += f", {counted(unchecked, 'thing')} not checkable" if unchecked else ""
    return [heading, *(line for one in told for line in _line(one, width))]


def affordable(found: "Plan") -> "Plan":
    """Return a plan that its budget allows. Raises `CampaignError` for another."""
    from bulk.errors import CampaignError

    if found.over_budget:
        raise CampaignError(found.over_budget)
    return found


def cost(found: "Plan", width: int) -> list[str]:
    """Return what a plan comes to, with the date and the source of the prices."""
    said = found.cost.sentences() if found.cost is not None else []
    said += [found.over_budget] if found.over_budget else []
    first = ["cost: ", *["  "] * len(said)]
    return [line for start, one in zip(first, said, strict=False) for line in _wrapped(one, start, "  ", width)]


def _line(one: "Finding", width: int) -> list[str]:
    remedy = f". {one.remedy[:1].upper()}{one.remedy[1:]}" if one.remedy else ""
    said = f"{one.state:<{_STATE}}  {one.subject}: {one.message}{remedy}"
    return _wrapped(said, "  ", " " * (_STATE + 6), width)


def _wrapped(text: str, first: str, others: str, width: int) -> list[str]:
    return textwrap.wrap(plain(text), width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)
