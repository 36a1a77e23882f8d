"""The faults of data: queries within Python, and TOML files (laws, exports)."""

import re
from collections.abc import Iterator

from mutate_fault import Change

SWAPS = [
    (r"(?<=\s)AND(?=\s)", "OR"),
    (r"(?<!INSERT )(?<!UPDATE )(?<=\s)OR(?=\s)", "AND"),
    (r"(?<=INSERT) OR \w+", ""),
    (r"\bIS NOT(?= )", "IS"),
    (r"\bIS(?= (?!NOT))", "IS NOT"),
    (r"(?<= )=(?= )", "<>"),
    (r"(?<= )<>(?= )", "="),
    (r"(?<= )<=(?= )", "<"),
    (r"(?<= )>=(?= )", ">"),
    (r"(?<= )<(?= )", "<="),
    (r"(?<= )>(?= )", ">="),
    (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"),
    (r"(?i)\bmax(?=\()", "min"),
    (r"(?i)\bmin(?=\()", "max"),
    (r"(?<=[ (])0(?=[ ,)\s])", "1"),
    (r"(?<=[ (])1(?=[ ,)\s])", "2"),
    (r" DESC\b", ""),
    (r"\bNOT (?=EXISTS|IN\b|\()", ""),
    (r"(?<=\w) NOT NULL", ""),
    (r"\bUNIQUE (?=INDEX)", ""),
    # A condition or an assignment that holds no parameter, left out.
    (
        r"(?<=\S)\s+(?:AND|OR)\s+(?:(?!\s(?:AND|OR|ORDER|GROUP|LIMIT|THEN|BEGIN)\s)[^?(){}])+?(?=\s(?:AND|OR|ORDER|GROUP|LIMIT|THEN|BEGIN)\s|\)|\"|$)",
        "",
    ),
    (r"(?<=[ ,])\w+ = [^?,:(){}]+, ", ""),
    (r"(?m)^ +(?:CHECK|UNIQUE) \([^\n]*\),?\n", ""),
]
"""What may be turned or left out in a query: a pattern, and what stands there instead."""

PROSE = {"title", "note", "source", "sources", "reviewed"}
"""Keys of a TOML file, and tables, that explain and do nothing."""
ENTRY = re.compile(r"^([\w.-]+) *= *(?:\[\n(?:[ \t].*\n)*\].*|.*)$", re.MULTILINE)
TABLE = re.compile(r"^\[+([\w.-]+)\]+[ \t]*(?:#.*)?\n(?:(?!\[).*(?:\n|$))*", re.MULTILINE)
TIMES = re.compile(r"\"(\d\d):(\d\d)-(\d\d):(\d\d)\"")
TEXT = re.compile(r"\"[^\"\n]*\"")


def queries(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each change of a query: from, to (in characters of `text`), and what stands there instead."""
    braces = [found.span() for found in re.finditer(r"\{[^{}]*\}", text)]
    for pattern, other in SWAPS:
        for found in re.finditer(pattern, text):
            in_braces = any(start < found.end() and found.start() < end for start, end in braces)
            assigns = text.rfind(" SET ", 0, found.start()) > text.rfind("WHERE ", 0, found.start())
            if not in_braces and not (assigns and other == "<>"):
                yield found.start(), found.end(), other


def toml(source: bytes) -> Iterator[Change]:
    """Yield each change of a TOML file: a table or an entry left out, a value turned."""
    text = source.decode()
    for table in TABLE.finditer(text):
        if table[1] not in PROSE:
            yield _change(text, _place(text, table.start()), "table left out", table.span(), "")
    for entry in ENTRY.finditer(text):
        place = _place(text, entry.start())
        if entry[1] in PROSE or place.partition(" ")[0] in PROSE:
            continue
        yield _change(text, place, "entry left out", entry.span(), "")
        yield from _values(text, place, entry)


def _values(text: str, place: str, entry: re.Match[str]) -> Iterator[Change]:
    value = text.index("=", entry.start()) + 1
    for found in TIMES.finditer(text, value, entry.end()):
        opens, closes = int(found[1]), int(found[3])
        earlier, later = (
            f'"{opens - 1:02}:{found[2]}-{closes:02}:{found[4]}"',
            f'"{opens:02}:{found[2]}-{closes + 1:02}:{found[4]}"',
        )
        for loosened in (earlier, later):
            yield _change(text, place, "hours loosened", found.span(), loosened)
    for found in TEXT.finditer(text, value, entry.end()):
        if not TIMES.fullmatch(found[0]):
            yield _change(text, place, "text changed", found.span(), f'"{found[0][1:-1]}_"')
        if text[value : entry.end()].lstrip().startswith("["):  # an item, with the comma after it
            yield _change(text, place, "item left out", (found.start(), _after_comma(text, found.end())), "")
    for found in re.finditer(r"\b(true|false)\b", text[value : entry.end()]):
        span = value + found.start(), value + found.end()
        yield _change(text, place, "turned", span, {"true": "false", "false": "true"}[found[1]])
    for found in re.finditer(r"(?<== )\{[^{}]*\}|^ +\{.*\},?\n", text[entry.start() : entry.end()], re.MULTILINE):
        span = entry.start() + found.start(), entry.start() + found.end()
        yield _change(text, place, "item left out", span, "{}" if found[0].startswith("{") else "")


def _after_comma(text: str, end: int) -> int:
    found = re.compile(r" *,? *").match(text, end)
    return found.end() if found else end


def _place(text: str, at: int) -> str:
    """Return the table that a place lies in, with its name where it has one."""
    tables = [found for found in TABLE.finditer(text) if found.start() <= at]
    if not tables:
        return "top"
    named = re.search(r"^name = \"(.*)\"", tables[-1][0], re.MULTILINE)
    return f"{tables[-1][1]} {named[1]}" if named else tables[-1][1]


def _change(text: str, place: str, kind: str, span: tuple[int, int], other: str) -> Change:
    start, end = (len(text[:at].encode()) for at in span)
    return Change(place, kind, start, end, other)
