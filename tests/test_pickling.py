"""What is handed to another process arrives as it left: a value …"""

import dataclasses
import enum
import inspect
import pickle
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

import bulk
from bulk import errors, model
from bulk.account.prices.table import Price, PriceTable, load

T = TypeVar("T")

PLAIN: dict[Any, object] = {
    str: "text é ☃",
    int: 7,
    float: 0.25,
    bool: True,
    bytes: b"\x00\xff",
    datetime: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    Path: Path("folder") / "list.csv",
    Any: {"nested": ["text", 1, None]},
    model.Cells: {"name": "Zoë"},
    PriceTable: load(),
    Price: load().prices[0],
}


def some(hint: Any) -> Any:
    """Return a value of a type that is none's default, so that one that gets lost is missed."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return some(next(one for one in arguments if one is not type(None)))
    if origin is typing.Literal:
        return arguments[0]
    if origin in (dict, Mapping):
        return {some(arguments[0]): some(arguments[1])}
    if origin in (list, Sequence):
        return [some(arguments[0])]
    if origin is tuple:
        return tuple(some(one) for one in arguments if one is not ...)
    return PLAIN[hint] if hint in PLAIN else instance(hint)


def instance(kind: Any) -> Any:
    """Return an instance of a class, every parameter given."""
    if issubclass(kind, enum.Enum):
        return list(kind)[-1]
    if issubclass(kind, BaseException) and kind.__init__ is Exception.__init__:
        return kind("what is wrong, and what helps")
    hints = typing.get_type_hints(kind.__init__)
    parameters = list(inspect.signature(kind).parameters.values())
    by_place = [some(hints[one.name]) for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    by_name = {one.name: some(hints[one.name]) for one in parameters if one.kind is one.KEYWORD_ONLY}
    return kind(*by_place, **by_name)


def of_module(module: types.ModuleType) -> Iterator[type]:
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__module__ == module.__name__:
            yield kind


RESULTS = [kind for name in bulk.__all__ if dataclasses.is_dataclass(kind := getattr(bulk, name)) and name != "Run"]
EXCEPTIONS = [kind for kind in of_module(errors) if issubclass(kind, BaseException)]
VALUES = [*of_module(model), *(kind for kind in of_module(errors) if kind not in EXCEPTIONS), *RESULTS]


def again(value: T, protocol: int) -> T:
    back: T = pickle.loads(pickle.dumps(value, protocol))
    return back


protocols = pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))


def test_the_results_of_a_run_are_among_the_values() -> None:
    assert {bulk.Summary, bulk.Progress, bulk.Plan, bulk.Options} <= set(RESULTS)


@protocols
@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__qualname__)
def test_comes_back_equal_in_every_field(kind: Any, protocol: int) -> None:
    value = instance(kind)
    back = again(value, protocol)
    assert type(back) is kind
    assert back == value
    if dataclasses.is_dataclass(kind):
        assert dataclasses.asdict(back) == dataclasses.asdict(value)


@protocols
@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__qualname__)
def test_an_exception_comes_back_with_its_text_and_all_it_knows(kind: type[BaseException], protocol: int) -> None:
    error = instance(kind)
    error.add_note("a note")
    back = again(error, protocol)
    assert type(back) is kind
    assert (back.args, str(back), vars(back)) == (error.args, str(error), vars(error))


@protocols
def test_what_was_hidden_in_an_exception_stays_hidden(protocol: int) -> None:
    error = errors.CallRejected("StartOutboundChatContact", "Invalid", "no such number +14155550123", status=400)
    error.hide(["+14155550123"])
    assert "4155550" not in repr(vars(again(error, protocol))) + str(again(error, protocol))
