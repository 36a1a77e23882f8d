"""A stand-in for Amazon Connect that forgets the tokens of CreateContact: each of its calls makes another draft.

What it knows of a mail is its draft, as nobody promises more. So a mail that goes out before the sender has its draft
on the disk reaches somebody twice, once the sender dies in that moment: with this draft, and with the next.
"""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROPPED = 0.05  # of the calls are accepted and never answered
LATENCY = 0.02, 0.08  # seconds


class Forgetful(ThreadingHTTPServer):
    """Counts drafts by the token that asked for them, and the drafts whose mail went to somebody."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Calls)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.changing = threading.Lock()
        self.lots = random.Random(7)
        self.drafts = Counter[str]()
        self.mailed: dict[str, set[str]] = defaultdict(set)

    def serve(self, path: str, body: dict[str, Any]) -> str | None:
        """Take a call; return the contact's id, None where it is not told."""
        with self.changing:
            if path == "/contact/create-contact":
                self.drafts[body["ClientToken"]] += 1
                contact = f"draft-{self.drafts.total():06}"
            else:
                contact = body["ContactId"]
                self.mailed[body["DestinationEmailAddress"]["EmailAddress"]].add(contact)
            return contact if self.lots.random() >= DROPPED else None

    @property
    def mails(self) -> int:
        return sum(map(len, list(self.mailed.values())))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing of clients that were killed."""


class _Calls(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Forgetful

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        contact = self.server.serve(self.path, body)
        time.sleep(random.uniform(*LATENCY))
        if contact is None:
            self.close_connection = True
        else:
            self._answer(200, {"ContactId": contact})

    def do_POST(self) -> None:
        """Be no STS."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(403, {})

    def _answer(self, status: int, body: dict[str, str]) -> None:
        said = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def forgetful() -> Iterator[Forgetful]:
    with Forgetful() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
