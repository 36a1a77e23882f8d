"""Amazon S3, as far as a list is read from it: GetObject and ListObjectsV2, addressed by path."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from bulk.sandbox.directory import Directory
from bulk.sandbox.errors import ServiceError
from bulk.sandbox.wire import Request, Told

Authorize = Callable[[str | None, str, list[str], Mapping[str, str]], None]


def answer(directory: Directory, request: Request, authorize: Authorize) -> Told:
    """Answer a request to S3."""
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    authorization = request.header("Authorization")
    prefix = parse_qs(request.query).get("prefix", [""])[0]
    action = "s3:GetObject" if key else "s3:ListBucket"
    try:
        arn = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
        authorize(authorization, action, [arn], {} if key else {"s3:prefix": prefix})
        objects = _objects(directory, bucket)
        if not key:
            return Told(200, _listed(bucket, prefix, objects).encode(), "application/xml")
        return Told(200, _content(objects, key), "binary/octet-stream")
    except ServiceError as error:
        code = "AccessDenied" if error.code == "AccessDeniedException" else error.code
        text = f"<Error><Code>{code}</Code><Message>{escape(error.message)}</Message></Error>"
        return Told(error.status or 400, text.encode(), "application/xml", code)


def _objects(directory: Directory, bucket: str) -> dict[str, str]:
    found = next((one for one in directory.all("buckets") if one["name"] == bucket), None)
    if found is None:
        raise ServiceError("NoSuchBucket", "The specified bucket does not exist.", status=404)
    return dict(found["objects"])


def _content(objects: dict[str, str], key: str) -> bytes:
    if key not in objects:
        raise ServiceError("NoSuchKey", "The specified key does not exist.", status=404)
    return objects[key].encode()


def _listed(bucket: str, prefix: str, objects: dict[str, str]) -> str:
    inner = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{len(text.encode())}</Size></Contents>"
        for key, text in sorted(objects.items())
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><Name>{escape(bucket)}</Name><IsTruncated>false</IsTruncated>{inner}</ListBucketResult>"
