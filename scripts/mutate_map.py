"""Finds out which tests run what, of those that pass while there is no fault, and keeps it in a file."""

import queue
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutate_coverage import Coverage, load, watched
from mutate_trial import Copy


def coverage(copies: Sequence[Copy], files: Sequence[str], kept: Path | None) -> Coverage:
    """Find out which tests of these files run what, as far as it is not known. `kept` is the file that knows."""
    found = load(kept) if kept and kept.exists() else Coverage()
    free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)
    lock = threading.Lock()

    def look(file: str) -> None:
        copy = free.get()
        try:
            seen = watched(copy.folder, file)
            leave_out_failing(copy, file, seen)
        finally:
            free.put(copy)
        with lock:
            found.take(file, seen)
            if kept:
                found.save(kept)

    if news := found.unknown(copies[0].folder, files):
        print(f"looking which tests of {len(news)} files run what ...", file=sys.stderr)
        with ThreadPoolExecutor(len(copies)) as pool:
            list(pool.map(look, news))
    return found.only(file for file in files if file in found.digests)


def leave_out_failing(copy: Copy, file: str, seen: Coverage) -> None:
    """Leave out of what was seen of a test file the tests that fail where there is no fault."""
    failed: list[str] = []
    while tests := seen.tests:
        seconds = 60 + 3 * sum(seen.seconds.values())
        verdict = copy.run([file, *(f"--deselect={test}" for test in failed)], seconds)
        if not verdict:
            return
        print(f"{verdict.test or file} fails without any fault, and is not asked", file=sys.stderr)
        for test in [verdict.test] if verdict.test in tests else tests:
            del seen.ran[test]
            failed.append(test)
