"""Lines below a table: totals, and remarks of the program that wrote a report.

Nobody is lost here: a row with anything in it that may be a destination is a recipient, however bad. What is left out
is the last rows of a list from one on that says it is a total, a copyright or the like, or that is a text without
separators below an empty line, as far as all of them have no more than their first cell filled in.
"""

import re
from collections.abc import Sequence

from bulk.loader.preamble import Row, looks_like_a_destination

TAIL = 40  # rows that are looked at

_LONGEST = 100  # characters of a cell that says what it is

# In English, German, French, Spanish, Portuguese, Italian, Dutch: a total alone, or with a count or an amount.
_TOTAL = re.compile(
    r"""
    (?: (?:grand|sub|report|overall)[\s-]? )?
    (?: totals?|sum|count|average|records?|rows|summe|gesamt(?:summe)?|anzahl|somme|nombre|suma|totales|soma|totais
      | totale|somma|totaal|som|aantal )
    (?: \s (?:records?|rows|contacts|count|général|general|generale) )?
    [\s:=(]* [\d.,]* \s? (?:records?|rows|contacts)? \)?
    | [\d.,]+ \s (?:records?|rows|contacts) (?: \s (?:found|exported|total) )?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_AMOUNT = re.compile(r"\s{0,9}[-+]?\W{0,3}\s?\d[\d.,']{0,20}\s?\W{0,3}\s{0,9}")  # as of totals without a word
_REMARK = re.compile(
    r"""
    (?: copyright\b|©|\(c\)\s?\d{4}|confidential\b|all\srights\sreserved\b|end\sof\s(?:report|file|list)\b
      | (?:generated|exported|printed|created|run)\s(?:by|on|at|from)\b|report\s(?:generated|created|run)\b
      | as\sof\b|source: )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def below(rows: Sequence[Row], width: int, unit: str) -> tuple[int, str]:
    """Return how many of a list's last rows are none of its table, and words for a person about them.

    `width` is that of the header, `unit` is what a person calls a row's place.
    """
    count = _count(rows, width)
    if not count:
        return 0, ""
    out = rows[-count:]
    where = f"{unit} {out[0].line}" if count == 1 else f"{unit}s {out[0].line} to {out[-1].line}"
    texts = [" ".join(row.filled[0].split())[:40] for row in out if row.filled]
    said = f" ({', '.join(map(repr, texts[:3]))}{', …' if len(texts) > 3 else ''})" if texts else ""
    if count == 1:
        what = "stands below the table and holds no recipient" if texts else "is empty"
    else:
        what = "stand below the table and hold no recipients" if texts else "are empty"
    return count, f"{where}{said} {what}: not read"


def _count(rows: Sequence[Row], width: int) -> int:
    last = rows[-TAIL:]
    begin = len(last)
    for place in range(len(last) - 1, -1, -1):
        if not _may_be(last[place]):
            break
        begin = place
    said = [place for place in range(begin, len(last)) if _is_said(last[place])]
    apart = [place for place in range(begin, len(last)) if last[place].apart or not last[place].filled][:1]
    lone = all(len(row.cells) == 1 or not row.filled for place in apart for row in last[place:])
    starts = said[:1] + (apart if said or (width > 2 and lone) else _blank_end(last))
    return len(last) - min(starts, default=len(last))


def _blank_end(rows: Sequence[Row]) -> list[int]:
    """Return where the empty rows at the very end begin."""
    begin = len(rows)
    while begin and not rows[begin - 1].filled:
        begin -= 1
    return [begin]


def _may_be(row: Row) -> bool:
    if row.trouble:
        return False
    filled = row.filled
    if _is_said(row):
        return True
    return not filled or (filled == [row.cells[0]] and not looks_like_a_destination(filled[0]))


def _is_said(row: Row) -> bool:
    """Whether a row says that it is a total or a remark, and holds no destination."""
    filled = row.filled
    if not filled:
        return False
    if len(filled) == 1 and _REMARK.match(filled[0].lstrip()):
        return True
    if not row.cells[0].strip() and all(map(_AMOUNT.fullmatch, filled)):
        return not any(map(looks_like_a_destination, filled))
    first = filled[0].strip()
    return len(first) <= _LONGEST and bool(_TOTAL.fullmatch(first)) and not any(map(_is_destination, filled[1:]))


def _is_destination(cell: str) -> bool:
    """Whether a cell beside the word for a total is no amount."""
    text = cell.strip()
    return looks_like_a_destination(text) and (text[0] in "+0(" or "@" in text or len(re.sub(r"\D", "", text)) >= 10)
