"""Prometheus' remote write, version 1: what `/metrics` said at each tick, under the same names.

The labels `instance` (the host's name) and `job` (sysmon) are added, as a scrape would. The message is that of the
specification: https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from metrics.exporters.prometheus import HostCollector
from metrics.forwarding.batches import Batch
from metrics.history.ticks import StoredTick, readings_at
from metrics.models import Host

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
Labels = tuple[tuple[str, str], ...]
Points = list[tuple[int, float]]

_Field = descriptor_pb2.FieldDescriptorProto
# Message -> its fields as (name, number, type, message that it repeats).
_MESSAGES: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "Label": (("name", 1, _Field.TYPE_STRING, ""), ("value", 2, _Field.TYPE_STRING, "")),
    "Sample": (("value", 1, _Field.TYPE_DOUBLE, ""), ("timestamp", 2, _Field.TYPE_INT64, "")),
    "TimeSeries": (("labels", 1, _Field.TYPE_MESSAGE, "Label"), ("samples", 2, _Field.TYPE_MESSAGE, "Sample")),
    "WriteRequest": (("timeseries", 1, _Field.TYPE_MESSAGE, "TimeSeries"),),
}
_PACKAGE = "prometheus"


def encode(host: Host, ticks: Sequence[StoredTick]) -> Batch:
    """The metrics of ticks whose readings were kept."""
    series = series_of(host, ticks)
    request = write_request_type()()
    for labels, points in series.items():
        one = request.timeseries.add()
        for name, value in labels:
            one.labels.add(name=name, value=value)
        for timestamp, number in sorted(points):
            one.samples.add(value=number, timestamp=timestamp * 1000)
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    return Batch(body, sum(map(len, series.values())), HEADERS)


def series_of(host: Host, ticks: Sequence[StoredTick]) -> dict[Labels, Points]:
    """Labels in the order of their names -> points, each once."""
    series: dict[Labels, Points] = {}
    common = {"instance": host.name, "job": "sysmon"}
    for recorded in readings_at(host, ticks):
        for metric in HostCollector(host, recorded).collect():
            for sample in metric.samples:
                labels = tuple(sorted({"__name__": sample.name, **common, **sample.labels}.items()))
                series.setdefault(labels, []).append((recorded.timestamp, float(sample.value)))
    return series


@cache
def write_request_type() -> Any:
    """The class of the message `prometheus.WriteRequest`."""
    file = descriptor_pb2.FileDescriptorProto(name="remote_write.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, field_type, repeated in fields:
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            type_name = f".{_PACKAGE}.{repeated}" if repeated else None
            described.field.add(name=name, number=number, type=field_type, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.WriteRequest"))
