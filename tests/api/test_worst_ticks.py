"""Answers about a bucket name who was at work at its worst tick."""

import pytest

from metrics.models import ProcessSample, ProcessTotals, Tick
from metrics.models.samples import sample_models
from metrics.retention.rollup import roll_up
from tests.conftest import FIRST_TICK

MINUTE = FIRST_TICK - FIRST_TICK % 60
BURST = MINUTE + 35
PROCESSES, PEAKS = "/api/v1/metrics/processes", "/api/v1/metrics/cpu/peaks"


@pytest.fixture
def burst(recorded):
    """Ten minutes with a steady process, and one tick of another one; the raw points are gone."""
    for number in range(120):
        at = MINUTE + 5 * number
        is_burst = at == BURST
        short = [{"pid": 2, "name": "short", "cpu_percent": 350.0, "rss_bytes": 1024}] if is_burst else []
        recorded.tick(
            at,
            cpu={"percent": 97.0 if is_burst else 60.0},
            memory={"percent": 40.0},
            processes={"total": 2, "read_bytes_per_second": 8.0},
            process=[{"pid": 1, "name": "steady", "cpu_percent": 240.0, "rss_bytes": 2048}, *short],
        )
    roll_up(recorded.host)
    for model in sample_models():
        model.objects.filter(tier=0).delete()
    Tick.objects.exclude(timestamp=MINUTE + 595).delete()
    return recorded


@pytest.mark.parametrize("gone", [(), (60,), (60, 300, 900, 3600, 21_600)])
def test_a_bucket_says_when_it_was_worst_and_because_of_whom(api, burst, gone):
    for model in sample_models():
        model.objects.filter(tier__in=gone).delete()
    body = api.get(PROCESSES, {"at": "2026-11-22T17:10:40Z"}).json()
    assert body["results"][0]["name"] == "steady"
    cpu = body["worst"]["cpu"]
    assert (cpu["timestamp"], cpu["percent"]) == ("2026-11-22T17:10:35.000Z", 97.0)
    assert [(found["name"], found["cpu_percent"]) for found in cpu["processes"]] == [
        ("short", 350.0),
        ("steady", 240.0),
    ]
    assert body["worst"]["memory"]["processes"][0]["rss_bytes"] == 2048
    assert body["worst"]["io"]["bytes_per_second"] == 8.0


def test_a_tick_is_its_own(api, recorded):
    recorded.tick(processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 1.0}])
    assert api.get(PROCESSES).json()["worst"] is None


def test_a_bucket_of_an_older_version_has_none(api, burst):
    ProcessTotals.objects.update(worst_cpu=None, worst_memory=None, worst_io=None)
    body = api.get(PROCESSES, {"at": "2026-11-22T17:10:40Z"}).json()
    assert body["worst"] == {"cpu": None, "memory": None, "io": None}
    assert set(body["worst"]) == set(ProcessSample.orders)


def test_a_peak_names_who_did_it_and_when(api, burst):
    """By their means over the minute the steady one used more."""
    [episode, *_rest] = api.get(PEAKS).json()["results"]
    assert (episode["peak"], episode["peak_at"]) == (97.0, "2026-11-22T17:10:35.000Z")
    assert episode["processes"][0]["name"] == "short"
    assert episode["worst"]["processes"][0] == {
        **{name: episode["processes"][0][name] for name in ("id", "pid", "name", "username")},
        "cpu_percent": 350.0,
    }
