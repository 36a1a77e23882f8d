"""The metrics of runs over OTLP, if the extra `bulk[otel]` is installed and `OTEL_…` names a destination."""

from collections.abc import Mapping, Sequence
from typing import Any

from bulk.cli import screen
from bulk.reports.metrics import NAMESPACE, STATUSES

OTHERS = "calls", "throttled", "seconds", "exit_code"


def export(runs: Sequence[Mapping[str, Any]]) -> None:
    """Send the counts of runs as gauges, once. What goes wrong is said: OpenTelemetry raises nothing."""
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    except ImportError:
        screen.log.warning("--otel needs OpenTelemetry: pip install 'bulk[otel]'")
        return
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=float("inf"))
    provider = MeterProvider([reader])
    meter = provider.get_meter(NAMESPACE)
    rows = meter.create_gauge(f"{NAMESPACE}.rows")
    gauges = {name: meter.create_gauge(f"{NAMESPACE}.{name}") for name in OTHERS}
    for run in runs:
        about = {name: str(run[name]) for name in ("campaign", "run", "channel") if run.get(name)}
        for status in STATUSES:
            if run.get(status) is not None:
                rows.set(run[status], {**about, "status": status})
        for name, gauge in gauges.items():
            if run.get(name) is not None:
                gauge.set(run[name], about)
    provider.force_flush()
    provider.shutdown()
