"""Runs pytest again and again, each time in a fork of a process that has loaded the libraries already.

An order is a line of JSON on stdin: `args` of pytest, `cwd`, `env`, `out` (a file for what it says), `seconds`. The
answer is a line on stdout: the exit code, or `timeout`. The program of the folder that is given is loaded here as well;
a fork loads again what `changed` concerns, so that it sees the files as they are.
"""

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

from mutate_program import Program

LIBRARIES = [
    *("pytest", "hypothesis", "hypothesis.strategies", "hypothesis.core", "pytest_asyncio", "pytest_timeout", "xdist"),
    *("pydantic", "botocore.session", "aioboto3", "aiohttp", "anyio", "jinja2", "phonenumbers", "sqlite3", "yaml"),
    *("xlsxwriter", "email_validator", "charset_normalizer", "tenacity", "fastexcel", "aiohttp.web"),
]
MEMORY = 6 << 30  # bytes; a fault may make a loop that never ends


def main() -> None:
    """Obey orders until there are no more."""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    program = Program(Path(sys.argv[1]))
    program.load()
    if threading.active_count() > 1 or len(list(Path("/proc/self/task").glob("*"))) > 1:
        sys.exit("a library has begun a thread, which a fork would not have")
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            obey(order, program)
        print(wait(child, order["seconds"]), flush=True)


def obey(order: dict[str, object], program: Program) -> None:
    """Be the fork: run pytest, and end."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    nowhere, out = os.open(os.devnull, os.O_RDWR), os.open(str(order["out"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, file in enumerate((nowhere, out, nowhere)):
        os.dup2(file, number)
    os.chdir(str(order["cwd"]))
    os.environ.clear()
    os.environ.update(dict(order["env"]))  # type: ignore[call-overload]  # read from JSON
    sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
    if changed := order["changed"]:
        program.forget(str(changed))
    import pytest  # noqa: PLC0415 - not where it is only imported

    code = 70
    try:
        code = int(pytest.main(list(order["args"])))  # type: ignore[call-overload]  # read from JSON
    finally:
        sys.stdout.flush()
        os._exit(code)


def wait(child: int, seconds: float) -> str:
    """Wait for a fork, and end it and all that it started."""
    ends = time.monotonic() + seconds
    said = "timeout"
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            said = str(os.waitstatus_to_exitcode(status))
            break
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if said == "timeout":
        os.waitpid(child, 0)
    return said


if __name__ == "__main__":
    main()
