"""The message of remote write, read back with the same library."""

import time

import cramjam

from metrics.forwarding.remote_write import encode, series_of, write_request_type
from metrics.history.ticks import ticks_after
from metrics.recording.writing import TickWriter
from tests.forwarding.conftest import START


def message(forwarded):
    batch = encode(forwarded.host, ticks_after(forwarded.host, 0, 10))
    request = write_request_type()()
    request.ParseFromString(bytes(cramjam.snappy.decompress_raw(batch.body)))
    return batch, request


def labels(series):
    return [(label.name, label.value) for label in series.labels]


def test_every_series_is_there_once_with_its_labels_in_order(forwarded):
    forwarded.to("remote-write://127.0.0.1")
    forwarded.record(2)
    batch, request = message(forwarded)
    found = [labels(series) for series in request.timeseries]
    assert all(series == sorted(series) for series in found)
    assert len(found) == len(set(map(tuple, found)))
    assert batch.points == sum(len(series.samples) for series in request.timeseries) == 2 * len(found)


def test_the_points_of_a_series_ascend_in_milliseconds_even_where_one_was_stored_late(forwarded):
    forwarded.to("remote-write://127.0.0.1")
    forwarded.record(2)
    forwarded.record(1, start=forwarded.ticks[0] - 60)
    _batch, request = message(forwarded)
    [load] = [series for series in request.timeseries if ("__name__", "node_load1") in labels(series)]
    assert [sample.timestamp for sample in load.samples] == [1000 * tick for tick in sorted(forwarded.ticks)]
    assert ("instance", "test-host") in labels(load)
    assert ("job", "sysmon") in labels(load)


def test_the_names_are_those_of_metrics(forwarded, api, monkeypatch):
    forwarded.to("remote-write://127.0.0.1")
    forwarded.record(1)
    newest = ticks_after(forwarded.host, 0, 10)[-1].timestamp
    monkeypatch.setattr(time, "time", lambda: newest + 1.0)
    lines = api.get("/metrics").content.decode().splitlines()
    scraped = {line.partition(" ")[0].partition("{")[0] for line in lines if not line.startswith("#")}
    sent = {dict(labels)["__name__"] for labels in series_of(forwarded.host, ticks_after(forwarded.host, 0, 10))}
    # How old the newest tick is, and how the collectors and forwarding fare, is known of now, not of each tick.
    of_now = ("sysmon_collector_", "sysmon_forward_", "sysmon_tick_age_")
    assert {name for name in scraped - sent if not name.startswith(of_now)} == set()
    assert sent - scraped == set()


def test_no_single_process_is_in_it(forwarded):
    forwarded.to("remote-write://127.0.0.1")
    forwarded.record(1)
    batch, _request = message(forwarded)
    assert b"secret-name" not in bytes(cramjam.snappy.decompress_raw(batch.body))


def test_the_counters_of_a_tick_that_waited_for_the_database_are_not_lost(forwarded):
    """What waits is stripped of its readings, which the next tick's replace."""
    forwarded.to("remote-write://127.0.0.1")
    recording = forwarded.recording(ticks=2)
    waited = recording.take(START).without_what_only_the_newest_keeps()
    for tick in (waited, recording.take(START + 5)):
        TickWriter(forwarded.host).write(tick)
    _batch, request = message(forwarded)
    [load] = [series for series in request.timeseries if ("__name__", "node_load1") in labels(series)]
    assert [sample.timestamp for sample in load.samples] == [1000 * START, 1000 * (START + 5)]


def test_a_tick_without_a_kept_reading_is_no_point(forwarded):
    forwarded.record(1)
    assert message(forwarded)[0].points == 0
