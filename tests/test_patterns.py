"""No pattern takes the square of a text's length: a cell, a message or a header of any length ends no run.

All compiled patterns of the program are found, with the ways in which they are used; and the functions that are given
text from outside. Each is tried on long texts of the kind that make a bad one turn back again and again.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

import bulk
from bulk.campaign import seconds
from bulk.campaign.bounds import check_keys
from bulk.campaign.locations import placed
from bulk.delivery.breaker import Breaker
from bulk.ledger.redaction import redact
from bulk.loader import email, phone
from bulk.loader.phones import shown
from bulk.model import Outcome, Status, mask
from bulk.sandbox import api
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.identity import read_scope
from bulk.text.columns import Columns
from bulk.text.outside import outside_text
from bulk.text.plain import nearest, one_line, plain, plain_lines
from bulk.text.segments import parts

LONG = 8_000  # characters, with which a square is 64 million steps
SOON = 0.3  # seconds: a hundred times what a good pattern takes, a third of what a bad one does
HOME = Path(bulk.__file__).parent
WAYS = {"match", "search", "fullmatch", "sub", "split", "findall", "finditer"}

UNITS = [*"a1A. @+-_:/'()[]{<>=%#&;,|!\t\n\x1bж１", "a@", "a.", "1.", "1 ", "+1", "-a", "aA", "\x1b[", "a "]
STARTS = "", "a@", "+1", "1", '{"a": "', "["
ENDS = "", ".", "!", "@"


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages([str(HOME)], "bulk."):
        if found.name != "bulk.__main__":
            yield importlib.import_module(found.name)


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    """Return the patterns that a value holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, dict):
        for one in value.values():
            yield from patterns_in(one, depth + 1)
    elif depth < 4 and isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from patterns_in(one, depth + 1)
    elif depth < 4 and inspect.isfunction(value):
        for cell in value.__closure__ or ():
            yield from patterns_in(cell.cell_contents, depth + 1)
    elif depth < 4 and inspect.isclass(value) and value.__module__.startswith("bulk"):
        yield from patterns_in(dict(vars(value)), depth + 1)


def uses(file: Path) -> Iterator[tuple[str, str]]:
    """Return the patterns that a file uses, by their name or as they are written, and the ways in which it does."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=way), args=[ast.Constant(value=text), *_]):
                yield str(text), way
            case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=way) if way in WAYS:
                yield name, way


@cache
def everything() -> dict[str, tuple[re.Pattern[Any], set[str]]]:
    """Return all patterns, each with the ways in which it is used anywhere; in none that is seen: in all of them."""
    ways: dict[str, set[str]] = {}
    for file in sorted(HOME.rglob("*.py")):
        for name, way in uses(file):
            ways.setdefault(name, set()).add(way)
    found: dict[str, tuple[re.Pattern[Any], set[str]]] = {}
    for module in modules():
        for name, value in vars(module).items():
            for pattern in patterns_in(value):
                found.setdefault(f"{module.__name__}.{name} {pattern.pattern!r:.60}", (pattern, ways.get(name, WAYS)))
    for text, used in ways.items():
        if used & WAYS and not text.isidentifier():
            found.setdefault(f"{text!r:.60}", (re.compile(text), used))
    return found


def texts() -> Iterator[str]:
    for unit in UNITS:
        body = unit * (LONG // len(unit))
        for start in STARTS:
            yield start + body
        for end in ENDS[1:]:
            yield body + end
            yield f"a@{body}{end}"


def slowest(work: Callable[[str], Any]) -> tuple[float, str]:
    """Return how long the work takes at most, and for which text; ends early where it is too long."""
    worst = 0.0, ""
    for text in texts():
        began = time.process_time()
        work(text)
        worst = max(worst, (time.process_time() - began, text[:8] + text[-8:]))
        if worst[0] > SOON:
            break
    return worst


def tried(pattern: re.Pattern[Any], way: str, text: str) -> None:
    given = text.encode("utf-8", "replace") if isinstance(pattern.pattern, bytes) else text
    match way:
        case "sub":
            pattern.sub(given[:0], given)
        case "finditer":
            deque(pattern.finditer(given), maxlen=0)
        case _:
            getattr(pattern, way)(given)


@pytest.mark.parametrize("name", sorted(everything()))
def test_a_pattern_takes_no_more_than_in_proportion(name: str) -> None:
    pattern, ways = everything()[name]
    for way in sorted(ways & WAYS or WAYS):
        took, text = slowest(partial(tried, pattern, way))
        assert took < SOON, (way, text)


def test_the_patterns_are_found() -> None:
    names = " ".join(everything())
    assert len(everything()) > 40
    for known in ("_SEQUENCE", "_CREDENTIAL", "_DOTTED", "_PART", "_LETTERS", "valid dictionary", "a-zA-Z0-9+.-"):
        assert known in names, known


def _breaker(text: str) -> None:
    Breaker(20, 0.5).after(Outcome(Status.REJECTED, error_code="X", error_message=text))


def _seconds(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds(text)


def _region(text: str) -> None:
    with pytest.raises(ServiceError):
        read_scope(text or "x", "connect")


def _keys(text: str) -> None:
    try:
        check_keys(text)
    except ValueError:
        return


READERS: dict[str, Callable[[str], Any]] = {
    "a message": outside_text,
    "a message with values": lambda text: outside_text(text, values=["aaaa", "+12065550100", "a", "11111111111", text]),
    "the ledger": lambda text: redact(text, "+12065550100"),
    "a mask": mask,
    "a cell in a message": shown,
    "a phone number": lambda text: phone(text, "US"),
    "a phone number without country": phone,
    "an address": email,
    "an SMS": parts,
    "the terminal": lambda text: (plain(text), plain_lines(text), one_line(text)),
    "errors that are alike": _breaker,
    "a duration": _seconds,
    "a signature": _region,
    "the keys of a campaign": _keys,
    "a name that may have been meant": lambda text: nearest(text, [f"{text}x", text[::-1], "x" * LONG]),
    "a column of a long name": lambda text: Columns([f"{text}x", "phone"]).nearest(text),
    "the place of an error": lambda text: placed(text, Path("x"), text),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_who_reads_text_from_outside_takes_no_more_than_in_proportion(read: Callable[[str], Any]) -> None:
    took, text = slowest(read)
    assert took < SOON, text


@pytest.mark.parametrize("operation", sorted(api.OPERATIONS))
def test_the_services_own_patterns_are_met_with_bounded_text_alone(operation: str) -> None:
    check = api.load().operations[operation].check

    def work(text: str) -> None:
        everything_long = dict.fromkeys(("InstanceId", "ContactFlowId", "ContactId", "ClientToken", "Channel"), text)
        names = ("EmailMessage", "Attributes", "References", "SourceEndpoint", "FromEmailAddress")
        nested = {name: {text: {"Value": text, "Address": text}, "EmailAddress": text} for name in names}
        for one in ({**everything_long, **nested}, nested):
            with pytest.raises(Exception, match=r".*"):
                check(one)

    assert slowest(work)[0] < SOON
