"""How many connections the process may have: each is an open file, and the system limits those ("getrlimit", POSIX)."""

import resource
from collections.abc import Sequence
from contextlib import suppress

RESERVE = 40  # files that a run has open besides: ledger, pace, list, results, logs, those of libraries


def bounded(wanted: int, files: int = 1) -> int:
    """Return how many of the wanted connections may be open, of so many files each.

    The limit of the process is raised for them, as far as the system allows that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted * files + RESERVE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    able = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(ValueError, OSError):  # a system may allow less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (able, hard))
    return max(1, min(wanted, (limit() - RESERVE) // files))


def shares(wanted: Sequence[int], files: int = 1) -> list[int]:
    """Return how many of its wanted connections each of several runs may have open, of so many files each."""
    needed, spare = sum(wanted) * files, RESERVE * (len(wanted) - 1)
    able = bounded(needed + spare) - spare
    return [number if able >= needed else max(1, able * number // needed) for number in wanted]


def limit() -> int:
    """Return how many files the process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
