"""What was measured, as a table in Markdown."""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiobotocore
import botocore


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `met` is None where there is no target, as for a peer."""

    measure: str
    who: str
    found: str
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        said = {None: "", True: "met", False: "**missed**"}[self.met]
        return f"| {self.measure} | {self.who} | {self.found} | {self.target} | {said} |"


def heading() -> str:
    """Name the machine, the day and the versions."""
    versions = (
        f"Python {platform.python_version()}, aiobotocore {aiobotocore.__version__}, botocore {botocore.__version__}"
    )
    day = datetime.now(UTC).date().isoformat()
    return f"{day}; {os.cpu_count()} × {_processor()}, {platform.system()} {platform.release()}; {versions}"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(figures: Iterable[Figure]) -> str:
    """Return the table."""
    return "\n".join(["| Measure | Who | Measured | Target | |", "|---|---|---|---|---|", *map(str, figures)])
