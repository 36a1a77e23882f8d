"""The types of the tables of a campaign and of their values."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import pydantic
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)

from bulk.campaign.bounds import HIGHEST, LONGEST, LOWEST

_PART = re.compile(r"(?<![0-9.])([0-9]+(?:\.[0-9]+)?)\s*(ms|[smhdw])")
_LONG = 60  # characters of a value in a message
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def seconds(value: Any) -> float:
    """Return the seconds of a duration: of a number, or of text such as `90s`, `2h30m`, `7d`. Raises `ValueError`."""
    read = _written(value) if isinstance(value, str) else value
    if isinstance(read, timedelta):
        read = read.total_seconds()
    if isinstance(read, bool) or not isinstance(read, int | float) or not read >= 0:
        raise ValueError(f"{brief(value)} is no duration; write a number of seconds, or 90s, 2h30m, 7d")
    if read > LONGEST:
        raise ValueError(f"{brief(value)} is too long; the longest is {LONGEST / _UNITS['d']:,.0f} days")
    return float(read)


def _written(text: str) -> float | None:
    """Return the seconds of what a person wrote, None where it is no duration. Such a text is short."""
    if len(text) > _LONG:
        return None
    parts = _PART.findall(text)
    if not parts or "".join(map("".join, parts)) != "".join(text.split()):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def brief(value: Any) -> str:
    """Return a value as a message shows it; Python itself refuses to write out the longest numbers."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of some {value.bit_length() * 3 // 10:,} digits"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 3]}…"


def _fast_enough(value: float) -> float:
    if value < LOWEST:
        raise ValueError(f"{value:g} is slower than anybody waits for; the lowest is {LOWEST:f}")
    return value


_DURATION = {
    "type": ["number", "string"],
    "minimum": 0,
    "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|[smhdw])\s*)+$",
    "description": "seconds, or text such as 90s, 2h30m, 7d",
}
Duration = Annotated[float, BeforeValidator(seconds), WithJsonSchema(_DURATION)]
Count = Annotated[int, Field(gt=0, le=HIGHEST)]
Speed = Annotated[float, Field(gt=0, le=HIGHEST), AfterValidator(_fast_enough)]
"""So many in a second, a minute, an hour or a day."""


class Table(pydantic.BaseModel):
    """One table of the file: its keys are all there are, and it is never changed.

    Tables in it whose names other parts of the program know, such as those of channels, are gathered in the field that
    `GATHERED` names. Where they are too many to list, `PATTERN` (a regular expression) matches them.
    """

    GATHERED: ClassVar[str | None] = None
    PATTERN: ClassVar[str] = ""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True)

    @classmethod
    def gathers(cls, name: str) -> bool:
        """Whether a key names a table that is gathered."""
        return name in cls.gathered()

    @classmethod
    def gathered(cls) -> Collection[str]:
        """Return the names of the tables that are gathered, as far as they are known."""
        return ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON Schema of what the file holds: gathered tables stand beside the other keys."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        keys = schema.get("properties", {})
        for name, field in cls.model_fields.items():
            if field.exclude:
                keys.pop(name, None)
        if cls.GATHERED is not None:
            table = keys.pop(cls.GATHERED)["additionalProperties"]
            keys.update(dict.fromkeys(cls.gathered(), table))
            if not cls.gathered():
                schema["patternProperties"] = {cls.PATTERN: table}
        return schema

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if cls.GATHERED is None or not isinstance(data, Mapping) or cls.GATHERED in data:
            return data
        tables = {name: value for name, value in data.items() if cls.gathers(name)}
        own = {name: value for name, value in data.items() if name not in tables}
        return {**own, cls.GATHERED: {name: value for name, value in tables.items() if value is not None}}
