"""S3 on this machine, as moto serves it. All servers of a process have the same buckets.

moto looks at `If-Match` and `If-None-Match: *` of a PUT, and answers 412 as S3 does. But it looks first and writes
then, and its server has a thread for each request: of two writers both might find their condition true. S3 decides
about them one after the other, and so does this server: no request begins before the last has its answer.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


class OneByOne:
    """An application that answers one request after the other. While it is `gone`, each of them gets 503."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = Lock()
        self.gone = False
        self.requests: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if self.gone:
            start("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        with self._lock:
            return list(self._app(environ, start))


@contextmanager
def served(app: OneByOne) -> Iterator[str]:
    """Serve S3 by an application of ours, and yield where."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else it tells of each request
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def serving() -> Iterator[str]:
    """Serve S3, and yield where."""
    with served(OneByOne()) as url:
        yield url


def client(url: str) -> Any:
    """Return a client of such a server."""
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    return boto3.client("s3", endpoint_url=url, region_name="us-west-2", **keys)
