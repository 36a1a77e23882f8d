"""The forms that the tables of a campaign, and the values in them, take."""

import re
from datetime import timedelta
from typing import Annotated, Any

import pydantic
from pydantic import BeforeValidator, ConfigDict

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds(value: Any) -> float:
    """Read a duration: a number of seconds, or text such as `90s`, `2h30m`, `7d`. Raises `ValueError`."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])", value) if isinstance(value, str) else []
    if not parts or re.sub(r"\s+", "", "".join(map("".join, parts))) != re.sub(r"\s+", "", str(value)):
        raise ValueError(f"{value!r} is no duration; write a number of seconds, or 90s, 2h30m, 7d")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


Duration = Annotated[float, BeforeValidator(seconds)]


class Table(pydantic.BaseModel):
    """One table of the file: its keys are all there are, and it is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
