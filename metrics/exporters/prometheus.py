"""Prometheus' text exposition of the newest tick: node_exporter's names where they mean the same, `sysmon_*` else.

The values are those of the kept raw reading: a scrape collects nothing, and two scrapers see the same. A reading that
is too old is left out, so that nothing stands still as if it were of now.
"""

import platform
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.utils import translation
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    UntypedMetricFamily,
)
from prometheus_client.exposition import choose_encoder

from metrics import __version__
from metrics.exporters.negotiation import preferred
from metrics.exporters.node_names import (
    COUNTER,
    GAUGE,
    GUEST_MODES,
    INFO_KINDS,
    LABELS,
    NODE_NAMES,
    UNTYPED,
    WHOLE_KINDS,
    NodeName,
)
from metrics.history.metadata import all_tables, labels_of, numbers
from metrics.history.readings import Recorded
from metrics.models import Host
from metrics.status.forwarding import read_forwarding

FAMILIES: dict[str, type[CounterMetricFamily | GaugeMetricFamily | UntypedMetricFamily]] = {
    COUNTER: CounterMetricFamily,
    GAUGE: GaugeMetricFamily,
    UNTYPED: UntypedMetricFamily,
}

# Value of a destination's state, name, type, help.
FORWARDING = (
    ("is_working", "up", GaugeMetricFamily, "1 if the destination took the last points that it was sent."),
    ("lag_seconds", "lag_seconds", GaugeMetricFamily, "Age of the oldest tick that it has not taken yet."),
    ("points", "points", CounterMetricFamily, "Points that it has taken."),
    ("errors", "errors", CounterMetricFamily, "Attempts that failed."),
    ("refused_ticks", "refused_ticks", CounterMetricFamily, "Ticks that it will never take, or not all of them."),
)

BUILD = {"version": __version__, "pythonversion": platform.python_version()}


def exposition(host: Host, recorded: Recorded, accept: str) -> tuple[bytes, str]:
    """The text and its content type, in the format that the scraper prefers."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HostCollector(host, recorded, read_forwarding(host)))
    encode, content_type = choose_encoder(preferred(accept))
    return encode(registry), content_type


class HostCollector:
    """One host at a tick, as the client library collects it; of the newest also how far each destination is."""

    def __init__(self, host: Host, recorded: Recorded, forwarding: Iterable[dict[str, Any]] = ()) -> None:
        self._host = host
        self._recorded = recorded
        self._forwarding = list(forwarding)

    def describe(self) -> list[Metric]:
        """Nothing is known before a scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric of the host and of the recorder itself."""
        yield from _cores(self._recorded.rows.get("core", []))
        yield from self._measured()
        yield from _infos(self._recorded)
        yield from _machine(self._host, self._recorded)
        yield from _recorder(self._recorded)
        yield from _forwarding(self._forwarding)
        yield InfoMetricFamily("sysmon_build", "The version that is running, and of Python.", BUILD)

    def _measured(self) -> Iterator[Metric]:
        """What the table of names and the models say; of two rows with one name the first that has values."""
        seen: set[str] = set()
        for name in (*_whole_kinds(self._recorded), *NODE_NAMES, *own_names()):
            rows = self._recorded.rows.get(name.kind, [])
            if name.name not in seen and (metric := _named(name, rows)):
                seen.add(name.name)
                yield metric


@cache
def own_names() -> tuple[NodeName, ...]:
    """Names for what node_exporter has none, derived from the models: a new family is exported without an edit.

    Shares are left out: whoever has the counters computes them.
    """
    known = {(name.kind, name.source) for name in NODE_NAMES}
    measured = [(model, field) for model in all_tables() for field in numbers(model) if field.source]
    found: dict[tuple[str, str], NodeName] = {}
    for model, field in measured:
        place = (model.kind, field.source)
        if place not in known and (field.rate or field.unit != "percent"):
            found.setdefault(place, _own_name(model, field))
    return tuple(found.values())


def _whole_kinds(recorded: Recorded) -> Iterator[NodeName]:
    for kind, (prefix, metric_type, text) in WHOLE_KINDS.items():
        for row in recorded.rows.get(kind, []):
            yield from (NodeName(kind, field, f"{prefix}{field}", metric_type, text.format(field)) for field in row)


def _own_name(model: Any, field: Any) -> NodeName:
    name = f"sysmon_{model.kind}_{field.source}"
    with translation.override("en"):
        text = str(field.help_text)
    if field.rate:
        return NodeName(model.kind, field.source, name, COUNTER, text, labels=labels_of(model))
    return NodeName(model.kind, field.source, name.removesuffix("_total"), GAUGE, text, labels=labels_of(model))


def _named(name: NodeName, rows: list[dict[str, Any]]) -> Metric | None:
    """A metric with a value for each row that has one; None where the platform has none."""
    known = [row for row in rows if row.get(name.source) is not None]
    if not known:
        return None
    labels = name.labels or LABELS.get(name.kind, {})
    metric = FAMILIES[name.type](name.name, name.help, labels=list(labels))
    for row in known:
        metric.add_metric([_text(row[source]) for source in labels.values()], row[name.source] * name.factor)
    return metric


def _cores(rows: list[dict[str, Any]]) -> Iterator[Metric]:
    seconds = CounterMetricFamily("node_cpu_seconds", "Seconds the CPUs spent in each mode.", labels=["cpu", "mode"])
    guests = CounterMetricFamily(
        "node_cpu_guest_seconds", "Seconds the CPUs spent in guests (VMs) for each mode.", labels=["cpu", "mode"]
    )
    for row in rows:
        for field, value in row.items():
            mode = field.removesuffix("_seconds")
            if mode in GUEST_MODES and value is not None:
                guests.add_metric([str(row["core"]), GUEST_MODES[mode]], value)
            elif field != "core" and value is not None:
                seconds.add_metric([str(row["core"]), mode], value)
    return (metric for metric in (seconds, guests) if metric.samples)


def _infos(recorded: Recorded) -> Iterator[Metric]:
    for kind, (name, labels, text) in INFO_KINDS.items():
        if rows := recorded.rows.get(kind):
            metric = GaugeMetricFamily(name, text, labels=list(labels))
            for row in rows:
                metric.add_metric([_text(row[source]) for source in labels.values()], 1)
            yield metric


def _machine(host: Host, recorded: Recorded) -> Iterator[Metric]:
    if host.booted_at is not None and recorded.is_fresh:
        yield GaugeMetricFamily("node_boot_time_seconds", "Node boot time, in unixtime.", host.booted_at.timestamp())
    yield InfoMetricFamily("sysmon_host", "The recorded host.", {"name": _text(host.name), "os": _text(host.os_name)})


def _recorder(recorded: Recorded) -> Iterator[Metric]:
    """How recording itself fares. While nobody records there is no `node_*`: a clock that stands still, or a counter
    that does not move, would pass for a machine at rest."""
    yield GaugeMetricFamily(
        "sysmon_up", "1 if ticks are being recorded, 0 if the newest is too old.", recorded.is_fresh
    )
    if recorded.is_fresh:
        read_at = recorded.timestamp + recorded.lag_seconds
        yield GaugeMetricFamily("node_time_seconds", "System time in seconds since epoch (1970).", read_at)
    if recorded.age_seconds is not None:
        yield GaugeMetricFamily("sysmon_tick_age_seconds", "Age of the newest tick.", recorded.age_seconds)
    yield GaugeMetricFamily("sysmon_tick_timestamp_seconds", "Nominal time of the newest tick.", recorded.timestamp)
    yield GaugeMetricFamily("sysmon_tick_interval_seconds", "Time between two ticks.", recorded.resolution)
    yield GaugeMetricFamily("sysmon_tick_lag_seconds", "How late the newest tick started.", recorded.lag_seconds)
    yield GaugeMetricFamily("sysmon_tick_duration_seconds", "How long it took.", recorded.duration_seconds)
    of = ["collector"]
    success = GaugeMetricFamily("sysmon_collector_success", "1 if it delivered, or has nothing here.", labels=of)
    runs = CounterMetricFamily("sysmon_collector_runs", "Ticks at which the collector ran.", labels=of)
    failures = CounterMetricFamily("sysmon_collector_failures", "Ticks at which it failed.", labels=of)
    duration = GaugeMetricFamily("sysmon_collector_duration_seconds", "How long its last run took.", labels=of)
    for row in recorded.outcomes:
        success.add_metric([row["family"]], row["is_delivering"])
        runs.add_metric([row["family"]], row["runs"])
        failures.add_metric([row["family"]], row["failures"])
        duration.add_metric([row["family"]], row["milliseconds"] / 1000)
    yield from (success, runs, failures, duration)


def _forwarding(rows: list[dict[str, Any]]) -> Iterator[Metric]:
    """How far each destination has come."""
    for source, name, family, text in FORWARDING:
        metric = family(f"sysmon_forward_{name}", text, labels=["destination"])
        for row in rows:
            metric.add_metric([row["destination"]], row[source])
        if rows:
            yield metric


def _text(value: Any) -> str:
    """A label's value; what cannot be encoded, such as half of a surrogate pair, is written out."""
    return str(value).encode("utf-8", "backslashreplace").decode()
