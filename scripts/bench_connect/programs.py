"""Programs that are measured: bulk itself, and lists and campaigns for it."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

REGION = "us-east-1"
LOOK = 0.05  # seconds between two looks at a program's memory
ENVIRONMENT = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

INSTANCE = "8f3c2b1a-5d4e-4f60-9a7b-1c2d3e4f5a6b"
CAMPAIGNS = {
    "sms": f"""
name     = "bench-sms"
channel  = "sms"

[list]
key = "customer_id"

[request]
InstanceId             = "{INSTANCE}"
ContactFlowId          = "846ec553-a005-41c0-8341-0f5a6b7c8d9e"
SourceEndpoint.Address = "arn:aws:connect:us-west-2:123456789012:phone-number/0d1e2f3a-4b5c-4d6e-8f70-8192a3b4c5d6"
InitialSystemMessage.Content = "Hi {{{{ first_name }}}}, see you on {{{{ date }}}}. Reply STOP to opt out."
Attributes             = {{ customer_id = "{{{{ customer_id }}}}" }}
""",
    "email": f"""
name     = "bench-email"
channel  = "email"

[list]
key = "customer_id"

[create_contact]
UserInfo.UserId = "a1b2c3d4-e5f6-4708-8192-a3b4c5d6e7f8"

[request]
InstanceId       = "{INSTANCE}"
FromEmailAddress = {{ EmailAddress = "orders@shop.example" }}

[request.EmailMessage.RawMessage]
Subject     = "Your order {{{{ customer_id }}}}"
Body        = "Dear {{{{ first_name }}}}, your order leaves us on {{{{ date }}}}."
ContentType = "text/plain"
""",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended: what it printed, and what it cost. Seconds, and bytes at its peak."""

    told: dict[str, Any]
    seconds: float
    cpu: float
    peak: int


def run(*program: str) -> Ended:
    """Run a program to its end. RuntimeError where it printed no JSON."""
    begun, peak = time.perf_counter(), 0
    with (
        subprocess.Popen(program, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process,
        ThreadPoolExecutor(1) as reader,
    ):
        assert process.stdout is not None
        reading = reader.submit(process.stdout.read)
        while wait([reading], timeout=LOOK).not_done:
            peak = max(peak, _peak(process.pid))
        said = reading.result()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if not said.startswith("{"):
        raise RuntimeError(f"{' '.join(program)}: exit code {process.returncode}, {said!r}")
    return Ended(json.loads(said), time.perf_counter() - begun, used.ru_utime + used.ru_stime, peak)


def _peak(pid: int) -> int:
    """Return the peak of a program's resident set so far, in bytes.

    What `wait4` tells is no less than its parent's at the start (Linux keeps it over `exec`), and this one is large.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def python(module: str, *arguments: object) -> list[str]:
    """Return the command line of a Python module."""
    return [sys.executable, "-m", module, *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign in a folder, to be sent to a server."""

    folder: Path
    channel: str
    url: str

    @classmethod
    def write(cls, folder: Path, channel: str, url: str) -> "Campaign":
        """Write the campaign."""
        (folder / f"{channel}.toml").write_text(CAMPAIGNS[channel])
        return cls(folder, channel, url)

    @property
    def path(self) -> Path:
        """The campaign's file."""
        return self.folder / f"{self.channel}.toml"

    def contacts(self, rows: int) -> Path:
        """Write a list of so many rows, once."""
        path = self.folder / f"{rows}.csv"
        if not path.exists():
            write_list(path, rows)
        return path

    def command(self, rows: int, *options: object) -> list[str]:
        """Return the command that sends so many rows, as a run of its own."""
        run_id = f"{rows}-{time.monotonic_ns()}"
        own = ("--contacts", self.contacts(rows), "--run", run_id, "--endpoint-url", self.url, "--region", REGION)
        return python("bulk", "send", self.path, "--yes", "--quiet", "--json", *own, *options)

    def send(self, rows: int, *options: object) -> Ended:
        """Send so many rows. RuntimeError where not all were sent."""
        ended = run(*self.command(rows, "--state-dir", self.folder / f"state-{time.monotonic_ns()}", *options))
        if "--dry-run" not in options and ended.told["sent"] != rows:
            raise RuntimeError(f"not all of {rows} rows were sent: {ended.told}")
        return ended


def write_list(path: Path, rows: int, at_once: int = 1_000_000) -> None:
    """Write a list that looks like one: numbers of ten American areas, a name, a date."""
    areas = pl.Series([212, 303, 312, 404, 415, 503, 617, 702, 713, 206])
    with path.open("wb") as file:
        for start in range(0, rows, at_once):
            row = pl.int_range(start, min(start + at_once, rows), eager=True)
            area = areas.gather(row // 700_000 % 10)
            frame = pl.select(
                customer_id=pl.format("c-{}", row),
                phone=pl.format("+1{}{}", area, row % 700_000 + 2_200_000),
                email=pl.format("customer.{}@mail.example", row),
                first_name=pl.lit("Ann"),
                date=pl.lit("2026-11-20 10:30"),
            )
            frame.write_csv(file, include_header=start == 0)
