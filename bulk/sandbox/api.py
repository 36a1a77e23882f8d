"""The API as botocore's model of `connect` tells it: operations, routes, inputs, the statuses of errors."""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from bulk.sandbox.errors import ServiceError
from bulk.sandbox.shapes import Check, Misfit, compile_check

MODELS = Path(__file__).parents[1] / "operations" / "models"
"""Models laid over botocore's own, in the layout of its loader (`botocore.loaders`, "sdk-extras")."""

DEEPEST = 64
"""How deeply a body may be nested: the deepest shape of the model has a dozen levels."""

OPERATIONS = (
    "StartOutboundChatContact",
    "CreateContact",
    "StartOutboundEmailContact",
    "StartEmailContact",
    "StopContact",
    "DescribeContact",
)

# Errors that every AWS service may answer and no model declares: "Common Errors" of the API Reference.
_COMMON = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "IncompleteSignatureException": 403,
    "InternalFailure": 500,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "SerializationException": 400,
    "ServiceUnavailable": 503,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is reached, what its input must be, and which error says that it is not."""

    name: str
    method: str
    uri: str
    route: re.Pattern[str]
    check: Check
    invalid: str

    def parse(self, body: bytes, path: Mapping[str, str]) -> dict[str, Any]:
        """Read the parameters from a request's body and path, or raise `SerializationException`."""
        try:
            parameters = _DECODER.decode(body.decode()) if body else {}
        except (ValueError, RecursionError) as trouble:
            raise ServiceError("SerializationException", f"The body is not JSON: {trouble}") from None
        if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(parameters) > DEEPEST:
            raise ServiceError("SerializationException", "The body is nested too deeply.")
        if not isinstance(parameters, dict):
            raise ServiceError("SerializationException", "The body must be a JSON object.")
        return {**parameters, **path} if path else parameters

    def validate(self, parameters: Mapping[str, Any]) -> None:
        """Raise the operation's own error, with the member's path, where `parameters` do not fit the model."""
        try:
            self.check(parameters)
        except Misfit as misfit:
            raise ServiceError(self.invalid, str(misfit)) from None


def _depth(value: Any) -> int:
    """Return how deeply a value is nested; beyond what is taken, nobody counts."""
    inner, depth = [value], 0
    while inner and depth <= DEEPEST:
        inner = [part for one in inner for part in _parts(one)]
        depth += 1
    return depth


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


@dataclass(frozen=True, slots=True)
class Api:
    """The operations the sandbox answers, and the HTTP status of every error code that has one."""

    operations: Mapping[str, Operation]
    statuses: Mapping[str, int]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Return the operation at a route and the members in its path, or raise `UnknownOperationException`."""
        for operation in self.operations.values():
            if operation.method == method and (found := operation.route.fullmatch(path)):
                return operation, {name: unquote(value) for name, value in found.groupdict().items()}
        raise ServiceError("UnknownOperationException", f"The sandbox has no operation at {method} {path}.")


@functools.cache
def load() -> Api:
    """Read the model, with `MODELS` laid over it."""
    loader = Loader(extra_search_paths=[str(MODELS)])
    model = ServiceModel(loader.load_service_model("connect", "service-2"), "connect")
    statuses = {
        shape.error_code: shape.metadata["error"]["httpStatusCode"]
        for shape in model.error_shapes
        if "httpStatusCode" in shape.metadata.get("error", {})
    }
    operations = {name: _operation(model.operation_model(name)) for name in OPERATIONS}
    return Api(operations, _COMMON | statuses)


def _operation(model: OperationModel) -> Operation:
    declared = {shape.name for shape in model.error_shapes}
    uri = model.http["requestUri"]
    return Operation(
        name=model.name,
        method=model.http["method"],
        uri=uri,
        route=re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri))),
        check=compile_check(model.input_shape),
        invalid="InvalidParameterException" if "InvalidParameterException" in declared else "InvalidRequestException",
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
