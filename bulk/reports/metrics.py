"""The metrics of runs: Prometheus's text format, CloudWatch's embedded metric format.

Sources: "Prometheus: Exposition formats", text-based format; "Amazon CloudWatch User Guide", Specification: Embedded
metric format.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

STATUSES = "sent", "skipped", "refused", "rejected", "unknown", "pending"
NAMESPACE = "bulk"
_UNITS = {**dict.fromkeys((*STATUSES, "rows", "calls", "throttled", "exit_code"), "Count"), "seconds": "Seconds"}
_HELP = {
    "rows": "Rows of the run by status.",
    "calls": "Calls of the last sending.",
    "throttled": "Calls of the last sending that were throttled.",
    "seconds": "Seconds that the last sending took.",
    "exit_code": "Exit code of the last sending.",
    "halted": "Whether the last sending halted.",
    "running": "Whether the run is being sent.",
    "updated_timestamp_seconds": "When these numbers were written.",
}


def prometheus(runs: Sequence[Mapping[str, Any]], now: float) -> str:
    """Return the numbers of runs as a file for node_exporter's textfile collector.

    A run is a summary as `--json` prints it with its `exit_code`, which is missing while it is being sent.
    """
    lines: list[str] = []
    for name, meaning in _HELP.items():
        samples = [line for run in runs for line in _samples(name, run, now)]
        if samples:
            lines += [f"# HELP {NAMESPACE}_{name} {meaning}", f"# TYPE {NAMESPACE}_{name} gauge", *samples]
    return "\n".join([*lines, ""])


def _samples(name: str, run: Mapping[str, Any], now: float) -> Iterator[str]:
    labels = {label: run.get(label) for label in ("campaign", "run", "channel")}
    if name == "rows":
        for status in STATUSES:
            if run.get(status) is not None:
                yield _sample(name, {**labels, "status": status}, run[status])
        return
    own = {
        "halted": int(bool(run.get("halted"))),
        "running": int(run.get("exit_code") is None),
        "updated_timestamp_seconds": round(now, 3),
    }
    value = own[name] if name in own else run.get(name)
    if value is not None:
        yield _sample(name, labels, value)


def _sample(name: str, labels: Mapping[str, Any], value: float) -> str:
    told = ",".join(f'{label}="{_escaped(str(text))}"' for label, text in labels.items() if text is not None)
    return f"{NAMESPACE}_{name}{{{told}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def emf(run: Mapping[str, Any], now: float) -> str:
    """Return the numbers of a run as one line of CloudWatch's embedded metric format.

    The campaign is the only dimension: a run a day would make a metric a day.
    """
    values = {name: run[name] for name in _UNITS if run.get(name) is not None}
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in values]
    about = {name: run.get(name) for name in ("campaign", "run", "channel", "halted", "rehearsal")}
    directive = {"Namespace": NAMESPACE, "Dimensions": [["campaign"]], "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}, **about, **values})
