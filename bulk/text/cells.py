"""A cell as a person would write it.

Programs keep numbers, days and truth in types of their own, and Python shows those in its own way: 100234.0,
2026-11-20 00:00:00, 19.899999618530273, nan, b'Ann', True. None of that belongs into a message. This is a question of
one cell: that the next one is a fraction does not make this one a fraction.
"""

import base64
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_EXACT = 1e21  # whole floats below are written in digits


def text_of(value: Any) -> str:
    """Return a cell as text; nothing, and what is not a number, as an empty one."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    written = _WRITERS.get(type(value))
    return str(value) if written is None else written(value)


def value_of(value: Any) -> Any:
    """Return a cell as the value that it was written for: whole floats as ints, NaN as None, bytes as text."""
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - not a number
            return None
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, Mapping):
        return {name: value_of(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [value_of(item) for item in value]
    return value


def shortest(value: float) -> float:
    """Return a number of single precision as the shortest decimal that stands for it: 19.9, not 19.899999618530273."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
        return value
    single = struct.pack("f", value)
    found = (float(f"{value:.{digits}g}") for digits in range(6, 9))
    return next((short for short in found if struct.pack("f", short) == single), value)


def _float(value: float) -> str:
    plain = value_of(value)
    return "" if plain is None else str(plain)


def _decimal(value: Decimal) -> str:
    if value.is_nan():
        return ""
    return format(value, "f") if value.is_finite() and -40 < value.adjusted() < 40 else str(value)


def _moment(value: datetime) -> str:
    return value.date().isoformat() if value.time() == time() else str(value)


def _span(value: timedelta) -> str:
    seconds = abs(value) // timedelta(seconds=1)
    rest = abs(value) % timedelta(seconds=1)
    sign = "-" if value < timedelta() else ""
    fraction = f".{rest.microseconds:06}".rstrip("0") if rest else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:  # no text at all: as files have it that hold text alone
        return base64.b64encode(value).decode("ascii")


def _items(value: Sequence[Any]) -> str:
    if any(isinstance(item, Mapping | list | tuple) for item in value):
        return _json(value)
    return ", ".join(map(text_of, value))


def _json(value: Any) -> str:
    return json.dumps(value_of(value), ensure_ascii=False, default=text_of)


_WRITERS: dict[type, Callable[[Any], str]] = {
    float: _float,
    Decimal: _decimal,
    datetime: _moment,
    date: date.isoformat,
    timedelta: _span,
    bytes: _bytes,
    list: _items,
    tuple: _items,
    dict: _json,
}
