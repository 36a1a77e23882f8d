"""What is known of faults: those that change nothing, what a log says of earlier trials, and the table of it all."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mutate_fault import Fault, digest
from mutate_trial import Verdict


def read_equivalent(path: Path) -> dict[str, str]:
    """Read the faults that change nothing: a line that names one, then an indented one that says why."""
    reasons: dict[str, str] = {}
    key = ""
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        if line.startswith((" ", "\t")):
            reasons[key] = f"{reasons[key]} {line.strip()}".strip()
        elif line and not line.startswith("#"):
            key = line
            reasons[key] = ""
    if unexplained := [key for key, reason in reasons.items() if not reason]:
        sys.exit(f"{path.name}: a reason is missing below: {unexplained[0]}")
    return reasons


def known(project: Path, tried: list[Fault], log: Path | None) -> dict[Fault, Verdict]:
    """Read what a log says of faults of files that have not changed since. What survived is tried again."""
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log and log.exists() else []
    said = {(one["key"], one["digest"]): Verdict(one["verdict"], one["test"]) for one in lines}
    digests = {path: digest(project / path) for path in {fault.path for fault in tried}}
    found = {fault: said.get((fault.key, digests[fault.path])) for fault in tried}
    return {fault: verdict for fault, verdict in found.items() if verdict and verdict.name != "survived"}


def score(counts: Counter[str]) -> float:
    """Return how many per cent were noticed."""
    return 100 * (counts["noticed"] + counts["timeout"]) / counts.total() if counts else 100.0


def table(verdicts: dict[Fault, Verdict], left_out: Counter[str]) -> Iterator[str]:
    """Yield the lines of a table by file."""
    yield "| File | Faults | Noticed | Timeouts | Not noticed | Change nothing | Score |"
    yield "|---|---|---|---|---|---|---|"
    paths = sorted({fault.path for fault in verdicts})
    counts = {path: Counter(one.name for fault, one in verdicts.items() if fault.path == path) for path in paths}
    for path, count in [*counts.items(), ("together", sum(counts.values(), Counter[str]()))]:
        same = left_out.total() if path == "together" else left_out[path]
        cells = count.total() + same, count["noticed"], count["timeout"], count["survived"], same
        yield f"| {path} | {' | '.join(map(str, cells))} | {score(count):.1f} % |"
