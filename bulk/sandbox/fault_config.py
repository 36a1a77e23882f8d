"""Reads a declaration of faults: every key and value is checked, and errors name the place."""

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

from bulk.sandbox.faults import FAULTS, Declaration, Rule

_LONGEST = 100  # characters of a key that are compared: what is compared takes their square of time
_TOP = ("seed", "throttle_code", "rules")


def declare(given: Mapping[str, Any], *, operations: Mapping[str, Any], statuses: Mapping[str, int]) -> Declaration:
    """Check a declaration against the operations and error codes there are; `ValueError` names the place."""
    _known_keys(given, _TOP, "faults")
    rules = given.get("rules", [])
    _require(isinstance(rules, list), "rules", rules, "a list of tables")
    seed = given.get("seed", 0)
    _require(isinstance(seed, int | str), "seed", seed, "a whole number or a text")
    throttle = given.get("throttle_code", "ThrottlingException")
    _one_of(statuses, "throttle_code", throttle)
    read = tuple(_rule(rule, f"rules[{index}]") for index, rule in enumerate(rules))
    for index, rule in enumerate(read):
        if rule.operation is not None:
            _one_of(operations, f"rules[{index}].operation", rule.operation)
        if rule.code and rule.status is None:
            _one_of(statuses, f"rules[{index}].code", rule.code)
    return Declaration(read, seed, throttle, dict(given))


def _rule(given: Any, place: str) -> Rule:
    _require(isinstance(given, Mapping), place, given, "a table")
    _known_keys(given, tuple(_READERS), place)
    if "fault" not in given:
        raise ValueError(f"{place}: needs fault, one of {', '.join(FAULTS)}")
    if len(often := [key for key in ("first", "every", "probability") if key in given]) > 1:
        raise ValueError(f"{place}: {' and '.join(often)} exclude each other; keep one")
    rule = Rule(**{key: _READERS[key](f"{place}.{key}", value) for key, value in given.items()})
    if rule.fault == "delay" and "seconds" not in given:
        raise ValueError(f"{place}: a delay needs seconds, a number or [least, most]")
    return rule


def _fault(place: str, value: Any) -> str:
    return _one_of(FAULTS, place, value)


def _text(place: str, value: Any) -> str:
    _require(isinstance(value, str), place, value, "a text")
    return str(value)


def _operation(place: str, value: Any) -> str | None:
    return None if value == "*" else _text(place, value)


def _count(place: str, value: Any) -> int:
    _require(type(value) is int and value >= 1, place, value, "a whole number, 1 or more")
    return int(value)


def _status(place: str, value: Any) -> int:
    _require(type(value) is int and 400 <= value <= 599, place, value, "an HTTP status, 400 to 599")
    return int(value)


def _probability(place: str, value: Any) -> float:
    _require(_is_number(value) and 0 <= value <= 1, place, value, "a number from 0 to 1")
    return float(value)


def _seconds(place: str, value: Any) -> tuple[float, float]:
    low, high = value if isinstance(value, list | tuple) and len(value) == 2 else (value, value)
    _require(_is_range(low, high) and high < math.inf, place, value, "seconds: a number, or [least, most]")
    return float(low), float(high)


def _between(place: str, value: Any) -> tuple[float, float]:
    fits = isinstance(value, list | tuple) and len(value) == 2 and _is_range(*value)
    _require(fits, place, value, "[from, to] in seconds, the earlier first")
    return float(value[0]), float(value[1])


def _is_range(low: Any, high: Any) -> bool:
    return _is_number(low) and _is_number(high) and 0 <= low <= high


def _texts(place: str, value: Any) -> frozenset[str]:
    fits = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    _require(fits, place, value, "a list of texts")
    return frozenset(value)


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "fault": _fault,
    "operation": _operation,
    "code": _text,
    "status": _status,
    "message": _text,
    "seconds": _seconds,
    "first": _count,
    "every": _count,
    "probability": _probability,
    "destinations": _texts,
    "between": _between,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(fits: bool, place: str, value: Any, wanted: str) -> None:  # noqa: FBT001 - the finding itself
    if not fits:
        raise ValueError(f"{place}: must be {wanted}, is {value!r}")


def _one_of(known: Mapping[str, Any], place: str, value: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{place}: {value!r} is not known{_nearest(str(value), known)}")
    return value


def _known_keys(given: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in given:
        if key not in known:
            raise ValueError(f"{place}.{key}: there is no such key{_nearest(key, known)}")


def _nearest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word[:_LONGEST], list(known), n=1)
    return f"; did you mean {found[0]}?" if found else f"; there are {', '.join(known)}"
