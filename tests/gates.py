"""A gate before moto's S3 and SQS that keeps an IAM policy, as the sandbox does before Amazon Connect."""

import io
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from buckets import OneByOne

from bulk.sandbox import policies

_QUEUES = {
    "ReceiveMessage": "sqs:ReceiveMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "GetQueueUrl": "sqs:GetQueueUrl",
}
_METHODS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}


class Gate(OneByOne):
    """Lets through what `policy` allows, and answers 403 to the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.policy: dict[str, Any] | None = None

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if self.policy is None:
            return super().__call__(environ, start)
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            action, resource, context = self._of_queue(environ, target)
        else:
            action, resource, context = self._of_bucket(environ)
        if self._allows(action, resource, context):
            return (
                self._hidden(environ, start, resource) if action == "s3:GetObject" else super().__call__(environ, start)
            )
        return _denied(start, is_json=bool(target))

    def _allows(self, action: str, resource: str, context: dict[str, str]) -> bool:
        return policies.allows(self.policy, action, [resource], context) == "allowed"

    def _of_queue(self, environ: dict[str, Any], target: str) -> tuple[str, str, dict[str, str]]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        told = json.loads(body)
        name = told.get("QueueName") or told["QueueUrl"].rpartition("/")[2]
        return _QUEUES[target.rpartition(".")[2]], f"arn:aws:sqs:us-west-2:123456789012:{name}", {}

    def _of_bucket(self, environ: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
        bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
        if key:
            return _METHODS[environ["REQUEST_METHOD"]], f"arn:aws:s3:::{bucket}/{key}", {}
        prefix = parse_qs(environ["QUERY_STRING"]).get("prefix", [""])[0]
        return "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix}

    def _hidden(self, environ: dict[str, Any], start: Callable[..., Any], resource: str) -> Iterable[bytes]:
        """Answer; who may not list a bucket is not told that an object is missing, but gets a no."""
        told: list[tuple[Any, ...]] = []
        body = list(super().__call__(environ, lambda *args: told.append(args)))
        if told[0][0].startswith("404") and not self._allows("s3:ListBucket", resource.partition("/")[0], {}):
            return _denied(start, is_json=False)
        start(*told[0])
        return body


def _denied(start: Callable[..., Any], *, is_json: bool) -> Iterable[bytes]:
    kind, body = "application/xml", b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    if is_json:
        kind, body = "application/x-amz-json-1.0", b'{"__type": "AccessDeniedException", "message": "no"}'
    start("403 Forbidden", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
