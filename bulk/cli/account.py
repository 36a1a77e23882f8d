"""The findings of an examination of the account, in words."""

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bulk.text.plain import counted, plain

if TYPE_CHECKING:
    from bulk.account import Finding

WIDTH = 100
_STATE = len("not checkable")


def lines(findings: Iterable["Finding"]) -> list[str]:
    """Return a line or two for each finding, and a heading that counts those that are wrong; nothing for none."""
    told = list(findings)
    if not told:
        return []
    wrong = sum(one.state == "wrong" for one in told)
    heading = f"account: {counted(wrong, 'thing')} wrong" if wrong else "account: nothing wrong was found"
    return [heading, *(line for one in told for line in _line(one))]


def _line(one: "Finding") -> list[str]:
    remedy = f". {one.remedy[:1].upper()}{one.remedy[1:]}" if one.remedy else ""
    said = plain(f"{one.state:<{_STATE}}  {one.subject}: {one.message}{remedy}")
    return textwrap.wrap(said, WIDTH, initial_indent="  ", subsequent_indent=" " * (_STATE + 6), break_on_hyphens=False)
