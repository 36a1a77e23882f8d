#!/usr/bin/env python3
"""Measure the sandbox: CPU until it listens, calls for each CPU second of its, memory, and its page at that size.

`scripts/bench sandbox [CONTACTS]`, 1,000,000 unless given. Times are CPU seconds of the sandbox's process, which other
work on the machine stretches: the line `loop` says how long a fixed amount of work took beside it.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

CONNECTIONS = 32
HEAD = (
    "PUT /contact/outbound-chat HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    "User-Agent: bench\r\nX-Amz-Date: 20261120T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 "
    "Credential=AKIDEXAMPLE/20261120/us-west-2/connect/aws4_request, SignedHeaders=host, Signature=0\r\n"
    "Content-Length: {length}\r\n\r\n"
)
CHAT = {
    "InstanceId": "8f3c1c7e-0000-4000-8000-000000000001",
    "ContactFlowId": "846ec553-a005-41c0-8341-000000000000",
    "SourceEndpoint": {
        "Type": "CONNECT_PHONENUMBER_ARN",
        "Address": "arn:aws:connect:us-west-2:123456789012:phone-number/0b1c",
    },
    "SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}},
    "InitialSystemMessage": {"ContentType": "text/plain", "Content": "Hi Ann, see you on Friday at 10:30."},
    "Attributes": {"customer_id": "17"},
}


@contextmanager
def started(*options: str) -> Iterator[tuple[int, int]]:
    """Run `bulk sandbox`, and yield its process id and port."""
    command = [sys.executable, "-m", "bulk", "sandbox", "--port", "0", "--rate", "1000000", "--burst", "1000000"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline().rpartition(":")[2])
        process.send_signal(signal.SIGINT)


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid: int) -> float:
    """Return the most memory that a process had, in MB."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def call(port: int, first: int, count: int) -> None:
    """Make calls on one connection, one after the other."""
    with closing(socket.create_connection(("127.0.0.1", port))) as line:
        for number in range(first, first + count):
            to = {"Type": "TELEPHONE_NUMBER", "Address": f"+1206{number:07}"}
            body = json.dumps(CHAT | {"ClientToken": f"token-{number:012}", "DestinationEndpoint": to})
            line.sendall((HEAD.format(port=port, length=len(body)) + body).encode())
            answer = line.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())


def calls_per_cpu_second(pid: int, port: int, count: int, *, first: int = 0) -> float:
    """Make calls on many connections at once."""
    before, each = cpu(pid), count // CONNECTIONS
    threads = [threading.Thread(target=call, args=(port, first + index * each, each)) for index in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return each * CONNECTIONS / (cpu(pid) - before)


def seconds(port: int, path: str) -> float:
    """Return how long a request to the control API takes."""
    begun = time.perf_counter()
    with closing(http.client.HTTPConnection(f"127.0.0.1:{port}")) as line:
        line.request("GET", path)
        line.getresponse().read()
    return time.perf_counter() - begun


def loop() -> float:
    """Return how long a fixed amount of work takes: 0.06 to 0.08 s on a machine of 2026 that does nothing else."""
    begun = time.process_time()
    for _ in range(3_000_000):
        pass
    return time.process_time() - begun


def main(contacts: int) -> None:
    print(f"loop                                    {loop():8.2f} s CPU")
    with started() as (pid, port):
        print(f"until it listens                        {cpu(pid):8.2f} s CPU")
        print(f"calls for each CPU second               {calls_per_cpu_second(pid, port, 20_000):8,.0f}")
        rest = contacts - 20_000
        if rest > 0:
            found = calls_per_cpu_second(pid, port, rest, first=20_000)
            print(f"the same, on the way to {contacts:<9,}       {found:8,.0f}")
        print(f"peak memory with {contacts:<9,} contacts     {peak(pid):8,.0f} MB")
        seconds(port, "/_sandbox/status")  # aiohttp is imported at the first request of this kind
        for name, path in (
            ("first page", "/_sandbox/messages"),
            ("a page in the middle", f"/_sandbox/messages?before={contacts // 2}"),
            ("a search that finds nothing, a step", "/_sandbox/messages?q=nothing-of-the-kind"),
        ):
            print(f"{name:<40}{seconds(port, path):8.3f} s")
        print(f"peak memory after that                  {peak(pid):8,.0f} MB")
    print(f"loop                                    {loop():8.2f} s CPU")


if __name__ == "__main__":
    main(int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else 1_000_000)
