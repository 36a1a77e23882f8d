"""The protocols of AWS's services: which operation a request asks for, and how an answer is written.

They are those of botocore's models: `rest-json`, whose routes are read from them, `json` (named by a header) and
`query` (named by a field of a form).
"""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ServiceModel

from bulk.sandbox.errors import ServiceError
from bulk.sandbox.reads import READS, Read
from bulk.sandbox.wire import Request, Told

_QUERY = frozenset({"sts", "iam"})
_MODELS = {
    "connect": "connect",
    "wisdom": "qconnect",
    "ses": "sesv2",
}  # signing name → botocore's name, of those with routes


def find(service: str, request: Request) -> tuple[str, Read, dict[str, Any]] | None:
    """Return the operation a request asks for, and its parameters; None where it is none that reads."""
    if service in _QUERY:
        return _of_form(service, request.body)
    if service in _MODELS:
        return _of_route(service, request)
    _, _, name = (request.header("X-Amz-Target") or "").rpartition(".")
    read = READS.get(service, {}).get(name)
    return None if read is None else (name, read, _json(request.body))


def _of_form(service: str, body: bytes) -> tuple[str, Read, dict[str, Any]] | None:
    form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    read = READS[service].get(form.get("Action", ""))
    if read is None:
        return None
    names = [form[key] for key in sorted(form) if key.startswith("ActionNames.member.")]
    resources = [form[key] for key in sorted(form) if key.startswith("ResourceArns.member.")]
    entries = []
    for place in range(1, 10):
        stem = f"ContextEntries.member.{place}"
        if f"{stem}.ContextKeyName" in form:
            values = [form.get(f"{stem}.ContextKeyValues.member.1", "")]
            entries.append({"ContextKeyName": form[f"{stem}.ContextKeyName"], "ContextKeyValues": values})
    return form["Action"], read, {"ActionNames": names, "ResourceArns": resources, "ContextEntries": entries}


def _of_route(service: str, request: Request) -> tuple[str, Read, dict[str, Any]] | None:
    for name, method, route in _routes(service):
        if method == request.method and (found := route.fullmatch(request.path)):
            path = {member: unquote(value) for member, value in found.groupdict().items()}
            query = {member: values[-1] for member, values in parse_qs(request.query).items()}
            return name, READS[service][name], {**_json(request.body), **query, **path}
    return None


@functools.cache
def _routes(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """Return the operations of a service that are served: name, method, and what its paths look like."""
    name = _MODELS[service]
    model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
    routes = []
    for one in READS[service]:
        http = model.operation_model(one).http
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"].partition("?")[0]))
        routes.append((one, http["method"], re.compile(path)))
    return routes


def _json(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object.", status=400)
    return read


def told(service: str, name: str, members: Mapping[str, Any]) -> Told:
    if service not in _QUERY:
        return Told(200, json.dumps(members).encode())
    inner = "".join(_xml(member, value) for member, value in members.items())
    text = f"<{name}Response><{name}Result>{inner}</{name}Result></{name}Response>"
    return Told(200, text.encode(), "text/xml")


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        inner = "".join(_xml("member", one) for one in value)
    elif isinstance(value, dict):
        inner = "".join(_xml(member, one) for member, one in value.items())
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def refused(service: str, error: ServiceError) -> Told:
    status = error.status or (404 if error.code == "ResourceNotFoundException" else 400)
    if service in _QUERY:
        code = error.code.removesuffix("Exception")
        inner = f"<Error><Code>{code}</Code><Message>{escape(error.message)}</Message></Error>"
        text = f"<ErrorResponse>{inner}</ErrorResponse>"
        return Told(status, text.encode(), "text/xml", code)
    body = {"__type": error.code, "Message": error.message, "message": error.message}
    return Told(status, json.dumps(body).encode(), code=error.code)
