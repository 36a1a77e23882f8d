"""Runs a few lines of Python in a process with limited memory, for libraries that use as much as they get.

Libraries that read compressed or packed files take as much memory as the file has them take, and where there is no more
they end the whole process. So what cannot be looked at before is read by a process that may end.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

ROOM = 1 << 30  # bytes of memory that are its own, beside what it maps
_BLOCK = 1 << 19

_LIMITS = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
"""


class Ended(Exception):
    """The process ended with an error; the text is the last line that it wrote of it."""

    def __init__(self, said: str) -> None:
        super().__init__(said.rpartition("\n")[2][:200])
        self.of_memory = "memory allocation" in said or "MemoryError" in said


def confined(program: str, *words: str) -> Iterator[bytes]:
    """Run a program of Python in a process of its own, and yield what it writes. Raise `Ended`.

    `program` finds the words in `sys.argv[2:]`.
    """
    process = subprocess.Popen(  # noqa: S603 - our own text, in our own interpreter
        [sys.executable, "-P", "-c", _LIMITS + program, str(ROOM), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"},
    )
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        while block := process.stdout.read(_BLOCK):
            yield block
        _, said = process.communicate()
    finally:
        with suppress(OSError):
            process.kill()
        process.communicate()
    if process.returncode:
        raise Ended(said.decode("utf-8", "replace").strip())
