"""`scripts/bench MEASURE`: the table of what was promised, and what was found."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench_connect import cluster, cost, height, look, many, pace
from bench_connect.service import Service, service
from bench_connect.table import Figure, heading, table

Measure = Callable[[Service, Path, int | None], Iterator[Figure]]

MEASURES: dict[str, Measure] = {
    "rate": pace.rate,
    "email": pace.email,
    "auto": pace.auto,
    "change": pace.change,
    "high": height.high,
    "many": many.many,
    "cluster": cluster.cluster,
    "cpu": cost.cpu,
    "throughput": cost.throughput,
    "check": look.check,
    "memory": cost.memory,
    "first-call": cost.first_call,
    "resume": cost.resume,
    "startup": cost.startup,
}


def main() -> int:
    """Measure what is asked for, and print a table; 1 where a target was missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure bulk beside the usual ways.")
    parser.add_argument("measure", nargs="+", choices=[*MEASURES, "all"])
    parser.add_argument("--rows", type=int, help="Rows, instead of the measure's own number.")
    options = parser.parse_args()
    names = MEASURES if "all" in options.measure else options.measure
    figures: list[Figure] = []
    for name in names:
        begun = time.perf_counter()
        with service() as server, tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for figure in MEASURES[name](server, Path(folder), options.rows):
                print(figure, file=sys.stderr)
                figures.append(figure)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    print(f"{heading()}\n\n{table(figures)}")
    return int(any(figure.met is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
