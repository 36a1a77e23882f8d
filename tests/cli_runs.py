"""The program as a process: run it, and look at its exit code, its stdout and its stderr."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

CAMPAIGN = """
name = "reminders"
channel = "sms"
contacts = "contacts.csv"

[list]
key = "id"

[request]
InstanceId = "11111111-1111-4111-8111-111111111111"
ContactFlowId = "22222222-2222-4222-8222-222222222222"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/33333333-3333-4333-8333-333333333333"
InitialSystemMessage.Content = "Hi {{ name }}, see you on {{ date }}."

[pacing]
rate = 500
burst = 500

[retry]
attempts = 1
"""
SUMMARY = [
    *("campaign", "run", "channel", "rows", "sent", "skipped", "refused", "rejected", "unknown", "pending"),
    *("calls", "throttled", "seconds", "results", "halted"),
    *("sent_before", "differs", "rehearsal"),
]
"""The keys of the summary, in the order of the contract."""


class Ended(NamedTuple):
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Read stdout as the one JSON value it is."""
        return json.loads(self.out)


def phone(row: int) -> str:
    return f"+1206555{row:04}"


def contact_list(rows: int) -> str:
    return "id,phone,name,date\n" + "".join(f"{row:04},{phone(row)},Ann,2027-01-12\n" for row in range(rows))


def campaign(folder: Path, *, rows: int = 3, text: str = CAMPAIGN) -> Path:
    """Write a campaign and its list."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contacts.csv").write_text(contact_list(rows))
    (folder / "campaign.toml").write_text(text)
    return folder / "campaign.toml"


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which nobody's AWS settings are found."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "PYTHONPATH", "TMPDIR") if name in os.environ}
    nowhere = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"}
    return {**kept, **nowhere, "PYTHONWARNINGS": "error", **more}


def at(url: str, *, region: str = "us-east-1") -> dict[str, str]:
    """Return the environment of somebody who sends to a sandbox, without being asked."""
    return {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": region,
        "BULK_ENDPOINT_URL": url,
        "BULK_YES": "1",
    }


def program(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "bulk", *map(str, words)]


FORKING = """
import json, os, sys
import aioboto3, aiohttp, anyio, asyncio, jinja2, phonenumbers, pydantic, rich.cells, sqlite3, tenacity, yaml
import bulk.cli.main
import bulk.campaign, bulk.aws.connect, bulk.ledger, bulk.request, bulk.sandbox
assert len(os.listdir("/proc/self/task")) == 1, "a fork takes one thread along"
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        for number, path in enumerate(order["files"]):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["env"])
        sys.argv[:] = [os.path.join(os.path.dirname(bulk.__file__), "__main__.py"), *order["words"]]
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
bulk.cli.main.main()
"""


@cache
def _forking() -> subprocess.Popen[str]:
    """Start a process that has loaded the libraries, and becomes the program as often as it is told to.

    Most of what a short run costs is loading them.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", FORKING],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process


def bulk(*words: str | Path, cwd: Path, **env: str) -> Ended:
    """Run the program to its end, in a process of its own."""
    process = _forking()
    assert process.stdin is not None
    assert process.stdout is not None
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        files = [os.devnull, str(out), str(err)]
        order = {"words": list(map(str, words)), "cwd": str(cwd), "env": environment(**env), "files": files}
        print(json.dumps(order), file=process.stdin, flush=True)
        code = int(process.stdout.readline())
        ended = Ended(code, out.read_text("utf-8"), err.read_text("utf-8"))
    assert "Traceback" not in ended.err, ended.err
    return ended


def bulk_as_module(*words: str | Path, cwd: Path, **env: str) -> Ended:
    """Run `python -m bulk` to its end."""
    with started(*words, cwd=cwd, **env) as process:
        return end_of(process)


@contextmanager
def started(*words: str | Path, cwd: Path, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Start the program; whatever becomes of the test, it ends."""
    process = subprocess.Popen(
        program(*words),
        cwd=cwd,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end_of(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a started process."""
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return Ended(process.returncode, out, err)


class Service:
    """A sandbox in a process of its own, steered and looked into over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        declared = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data, declared, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    @property
    def contacts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("contacts")["contacts"]
        return found

    def received(self, operation: str = "StartOutboundChatContact") -> int:
        """Count the calls that came in, accepted or not."""
        return int(self.ask("calls").get(operation, {}).get("received", 0))

    def wait_for(self, calls: int, process: subprocess.Popen[str]) -> None:
        """Wait until so many calls have come in from a process that is alive."""
        while self.received() < calls:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)

    def faults(self, *rules: dict[str, Any]) -> None:
        self.ask("faults", "PUT", {"rules": list(rules)})

    def reset(self) -> None:
        self.ask("faults", "DELETE")
        self.ask("reset", "POST")


@contextmanager
def service(*options: str) -> Iterator[Service]:
    """Start `bulk sandbox`, that grants a great rate unless its options say otherwise."""
    options = options or ("--rate", "1000", "--burst", "1000")
    with started("sandbox", "--port", "0", *options, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        yield Service(process.stdout.readline().strip())
