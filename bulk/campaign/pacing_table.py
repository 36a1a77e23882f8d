"""`[pacing]`: how fast calls may go, for all operations or for each."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bulk.campaign.bounds import HIGHEST, LOWEST
from bulk.campaign.types import Count, Speed, Table, brief


class Window(Table):
    """One limit: so many calls in a second, minute, hour or day."""

    per_second: Speed | None = None
    per_minute: Speed | None = None
    per_hour: Speed | None = None
    per_day: Speed | None = None
    burst: Count | None = None

    @model_validator(mode="after")
    def _one_span(self) -> Self:
        if len(self._spans()) != 1:
            raise ValueError("a window has one of per_second, per_minute, per_hour and per_day")
        return self

    def _spans(self) -> list[tuple[float, float]]:
        spans = ((self.per_second, 1.0), (self.per_minute, 60.0), (self.per_hour, 3600.0), (self.per_day, 86400.0))
        return [(calls, span) for calls, span in spans if calls is not None]

    @property
    def calls(self) -> float:
        """How many calls it allows."""
        return self._spans()[0][0]

    @property
    def span(self) -> float:
        """In how many seconds."""
        return self._spans()[0][1]


def _a_rate(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and LOWEST <= value <= HIGHEST:
        return float(value)
    if value in (None, "auto") or (isinstance(value, list | tuple) and value):
        return value
    if number and 0 < value < math.inf:
        told = f"{brief(value)} is no rate that anybody has; write {LOWEST:f} to {HIGHEST:,} calls per second"
        raise ValueError(told)
    raise ValueError(f'{brief(value)} is no rate; write a number of calls per second, "auto", or a list of windows')


def _form(value: Any) -> str:
    """Return which form a rate has, so that what is wrong with it is said of that form alone."""
    return "windows" if isinstance(value, list | tuple) else "a word" if value in (None, "auto") else "a number"


Rate = Annotated[
    Annotated[float, Tag("a number")]
    | Annotated[Literal["auto"] | None, Tag("a word")]
    | Annotated[tuple[Window, ...], Tag("windows")],
    Discriminator(_form),
    BeforeValidator(_a_rate),
]


class OperationPacing(Table):
    """The pace of one operation."""

    rate: Rate = None
    burst: Count | None = None


class Pacing(OperationPacing):
    """The pace of the calls. `operations` holds the tables such as `[pacing.CreateContact]`."""

    GATHERED: ClassVar = "operations"
    PATTERN: ClassVar = "^[A-Z]"

    at_once: Count | None = None
    parts_per_second: Speed | None = None
    operations: Mapping[str, OperationPacing] = Field(default_factory=dict)

    @classmethod
    def gathers(cls, name: str) -> bool:
        """Whether a key is an operation's: only they begin with a capital."""
        return name[:1].isupper()
