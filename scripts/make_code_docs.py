#!/usr/bin/env python3
"""Write the errors of Amazon Connect into docs/codes.md, after a change of `bulk/operations/verdicts.py`."""

import re
from pathlib import Path

from bulk.model import Verdict
from bulk.operations.verdicts import VERDICTS

PAGE = Path(__file__).parents[1] / "docs" / "codes.md"
BEGIN, END = "<!-- verdicts: written by scripts/make_code_docs.py -->\n", "<!-- end of verdicts -->"
DONE = {
    Verdict.THROTTLE: "tried again under the same token, at a lower rate, as often as it takes",
    Verdict.RETRY: "tried again under the same token, up to `[retry] attempts` times",
    Verdict.HOLD: "the service is full: all calls wait, then it is tried again",
    Verdict.DOUBT: "an earlier attempt may have been accepted: the row is `unknown`",
    Verdict.HALT: (
        "would fail every row: the run halts with exit code 3. If the row itself names the resource, "
        "the row is `rejected` instead"
    ),
    Verdict.REJECT: "the row is `rejected`",
}


def section() -> str:
    """Return the table of errors by verdict."""
    lines = ["| Handling | Errors |", "|---|---|"]
    for verdict, done in DONE.items():
        codes = sorted(code for code, judged in VERDICTS.items() if judged is verdict)
        lines.append(f"| {done} | {', '.join(f'`{code}`' for code in codes)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with that table in its place."""
    text = PAGE.read_text("utf-8")
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: BEGIN + section() + END, text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
