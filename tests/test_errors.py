"""The exception tree, and the verdict on every error of the service: it …"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader

from bulk import errors
from bulk.channels import CHANNELS
from bulk.errors import BulkError, CallFailed
from bulk.model import Verdict
from bulk.operations import MODELS, operation
from bulk.operations.verdicts import THROTTLES, VERDICTS, verdict

MODEL = Loader(extra_search_paths=[str(MODELS)]).load_service_model("connect", "service-2", "2017-08-08")
EXCEPTIONS = {name: shape for name, shape in MODEL["shapes"].items() if shape.get("exception")}
OPERATIONS = sorted({name for channel in CHANNELS.values() for name in channel.OPERATIONS.values()})


def failed(code: str, status: int | None, **more: Any) -> CallFailed:
    return CallFailed("StartOutboundChatContact", code, "words", status=status, **more)


def drawn() -> Iterator[tuple[str, str | None]]:
    """Read the tree from the module's docstring: each class and the one above it."""
    above: list[tuple[int, str]] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]  # it has one: the tree is in it
        if found := re.match(r"( +(?:[│├└─ ]+)?)([A-Z]\w+) {2,}\S", line):
            depth = len(found[1])
            above = [place for place in above if place[0] < depth]
            yield found[2], above[-1][1] if above else None
            above.append((depth, found[2]))


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert dict(drawn()) == {
        kind.__name__: None if kind is BulkError else kind.__base__.__name__  # type: ignore[union-attr]  # all have one
        for kind in classes
    }


def test_the_exit_codes_in_the_docstring_are_those_of_the_classes() -> None:
    said = re.findall(r"([A-Z]\w+) .*\(exit (\d+)\)", inspect.getdoc(errors) or "")
    assert len(said) == 7
    assert {name: int(code) for name, code in said} == {name: getattr(errors, name).exit_code for name, _ in said}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_error_that_an_operation_declares_has_a_verdict(name: str) -> None:
    assert set(operation(name).errors) <= set(VERDICTS)


def test_every_exception_of_the_service_has_a_verdict() -> None:
    assert set(EXCEPTIONS) <= set(VERDICTS)


@pytest.mark.parametrize("code", sorted(EXCEPTIONS))
def test_a_verdict_agrees_with_the_status_that_the_model_gives(code: str) -> None:
    status = EXCEPTIONS[code]["error"]["httpStatusCode"]
    allowed = {429: {Verdict.THROTTLE, Verdict.HOLD}, 402: {Verdict.HOLD}, 500: {Verdict.RETRY}}
    assert VERDICTS[code] in allowed.get(status, set(Verdict) - {Verdict.HOLD})


@pytest.mark.parametrize("code", sorted(THROTTLES))
def test_every_throttle_is_retried_whatever_its_status(code: str) -> None:
    for status in (400, 429, 503):
        assert verdict(failed(code, status)) is Verdict.THROTTLE


@pytest.mark.parametrize(
    "code, status, expected",
    [
        ("429", 429, Verdict.THROTTLE),
        ("SlowDown", 429, Verdict.THROTTLE),
        ("LimitExceededException", 429, Verdict.HOLD),
        ("ServiceQuotaExceededException", 402, Verdict.HOLD),
        ("IdempotencyException", 409, Verdict.DOUBT),
        ("ConflictException", 409, Verdict.REJECT),
        ("500", 500, Verdict.RETRY),
        ("502", 502, Verdict.RETRY),
        ("503", 503, Verdict.RETRY),
        ("ReadTimeout", None, Verdict.RETRY),
        ("NeverHeardOf", None, Verdict.RETRY),
        ("NeverHeardOf", 400, Verdict.REJECT),
        ("NeverHeardOf", 404, Verdict.REJECT),
        ("NeverHeardOf", 401, Verdict.HALT),
        ("NeverHeardOf", 403, Verdict.HALT),
        ("400", 400, Verdict.HALT),
        ("403", 403, Verdict.HALT),
        ("404", 404, Verdict.HALT),
        ("405", 405, Verdict.HALT),
        ("407", 407, Verdict.HALT),
        ("409", 409, Verdict.HALT),
        ("408", 408, Verdict.RETRY),
        ("413", 413, Verdict.REJECT),
        ("302", 302, Verdict.HALT),
        ("307", 307, Verdict.HALT),
        ("ExpiredTokenException", 403, Verdict.HALT),
        ("ExpiredTokenException", 400, Verdict.HALT),
        ("ResourceNotFoundException", 404, Verdict.HALT),
        ("InvalidActiveRegionException", 400, Verdict.HALT),
    ],
)
def test_a_failure_is_judged_by_its_code_else_by_its_status(code: str, status: int | None, expected: Verdict) -> None:
    assert verdict(failed(code, status)) is expected


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "UserNotFoundException"])
def test_a_resource_that_the_row_named_is_the_rows_own_trouble(code: str) -> None:
    assert verdict(failed(code, 404), varies=True) is Verdict.REJECT
    assert verdict(failed(code, 404), varies=False) is Verdict.HALT


@pytest.mark.parametrize("code", sorted(set(VERDICTS) - {"ResourceNotFoundException", "UserNotFoundException"}))
def test_nothing_else_depends_on_what_the_row_names(code: str) -> None:
    assert verdict(failed(code, 400), varies=True) is verdict(failed(code, 400), varies=False)


def test_a_failed_call_says_which_call_and_why() -> None:
    assert str(failed("ThrottlingException", 429)) == "StartOutboundChatContact: ThrottlingException: words"
