"""The API from botocore's models: operations, routes, inputs, and the statuses of errors.

`connect` is Amazon Connect itself; `qconnect` keeps its message templates, and is signed for as `wisdom`.
"""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

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
    "GetContactAttributes",
    "UpdateContactAttributes",
    "SearchContacts",
    "TagContact",
    "UntagContact",
)
TEMPLATE_OPERATIONS = ("GetMessageTemplate", "RenderMessageTemplate", "SearchMessageTemplates")
"""Those of `qconnect`, which are served where there are templates."""

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
    service: str
    query: Mapping[str, tuple[str, str]]

    def parse(self, body: bytes, path: Mapping[str, Any]) -> dict[str, Any]:
        """Read the parameters from a request's body and what its path and query said, or raise an error of it."""
        try:
            parameters = _DECODER.decode(body.decode()) if body else {}
        except (ValueError, RecursionError) as trouble:
            raise ServiceError("SerializationException", f"The body is not JSON: {trouble}") from None
        if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(parameters) > DEEPEST:
            raise ServiceError("SerializationException", "The body is nested too deeply.")
        if not isinstance(parameters, dict):
            raise ServiceError("SerializationException", "The body must be a JSON object.")
        return {**parameters, **path} if path else parameters

    def read_query(self, text: str) -> dict[str, Any]:
        """Read the members that stand in the query of a URL; what is no number stays as it is, and fits no shape."""
        found = parse_qs(text, keep_blank_values=True) if text and self.query else {}
        return {
            member: values if kind == "list" else _number(values[-1]) if kind == "integer" else values[-1]
            for name, (member, kind) in self.query.items()
            if (values := found.get(name))
        }

    def validate(self, parameters: Mapping[str, Any]) -> None:
        """Raise the operation's own error, with the member's path, where `parameters` do not fit the model."""
        try:
            self.check(parameters)
        except Misfit as misfit:
            raise ServiceError(self.invalid, str(misfit)) from None


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text


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

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, Any]]:
        """Return the operation at a route and the members in its path, or raise `UnknownOperationException`."""
        for operation in self.operations.values():
            if operation.method == method and (found := operation.route.fullmatch(path)):
                return operation, {name: unquote(value) for name, value in found.groupdict().items()}
        raise ServiceError("UnknownOperationException", f"The sandbox has no operation at {method[:20]} {path[:200]}.")


@functools.cache
def load(*, lenient: bool = False, templates: bool = False) -> Api:
    """Read the models, with `MODELS` laid over them.

    `lenient` takes members that the model does not know, as a newer one may; `templates` adds what serves them.
    """
    connect = _model("connect")
    operations = {name: _operation(connect.operation_model(name), lenient=lenient) for name in OPERATIONS}
    statuses = _statuses(connect)
    if templates:
        qconnect = _model("qconnect")
        named = {name: _operation(qconnect.operation_model(name), lenient=lenient) for name in TEMPLATE_OPERATIONS}
        operations, statuses = operations | named, _statuses(qconnect) | statuses
    return Api(operations, _COMMON | statuses)


@functools.cache
def template_check() -> Check:
    """Return the check of a message template's content by the model; kinds of content that it lacks are taken."""
    return compile_check(_model("qconnect").shape_for("MessageTemplateContentProvider"), lenient=True)


@functools.cache
def _model(service: str) -> ServiceModel:
    loader = Loader(extra_search_paths=[str(MODELS)])
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def _statuses(model: ServiceModel) -> dict[str, int]:
    return {
        shape.error_code: shape.metadata["error"]["httpStatusCode"]
        for shape in model.error_shapes
        if "httpStatusCode" in shape.metadata.get("error", {})
    }


def _invalid(declared: set[str]) -> str:
    """Return the error with which an operation says that its input does not fit."""
    known = ("InvalidParameterException", "InvalidRequestException", "ValidationException")
    return next(code for code in known if code in declared)


def _queried(shape: Shape) -> dict[str, tuple[str, str]]:
    """Return the members that stand in the query: by their name there, the member and its type."""
    return {
        member.serialization["name"]: (name, member.type_name)
        for name, member in shape.members.items()
        if member.serialization.get("location") == "querystring"
    }


def _operation(model: OperationModel, *, lenient: bool) -> Operation:
    declared = {shape.name for shape in model.error_shapes}
    uri = model.http["requestUri"]
    return Operation(
        name=model.name,
        method=model.http["method"],
        uri=uri,
        route=re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri))),
        check=compile_check(model.input_shape, lenient=lenient),
        invalid=_invalid(declared),
        service=model.service_model.signing_name,
        query=_queried(model.input_shape),
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
