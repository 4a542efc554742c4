"""The top processes at a moment and over a range, against a computation by hand."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.history.processes import ProcessQuery, read_processes
from metrics.models import Host, Process, ProcessSample, ProcessTotals
from tests.conftest import FIRST_TICK

USE = st.none() | st.integers(0, 40_000).map(lambda hundredths: hundredths / 100)
SAMPLES = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(1, 4)), st.tuples(USE, USE), max_size=20)


@pytest.fixture
def host(db):
    host = Host.objects.create(name="test-host")
    for pid in range(1, 5):
        Process.objects.create(host=host, pid=pid, started_at=FIRST_TICK - 10, name=f"p{pid}", command=f"p{pid} -x")
    return host


def store(host, samples):
    ProcessSample.objects.all().delete()
    ProcessTotals.objects.all().delete()
    ProcessTotals.objects.bulk_create(
        ProcessTotals(host=host, timestamp=FIRST_TICK + 5 * tick, resolution=5, total=100 + tick) for tick in range(6)
    )
    processes = {process.pid: process for process in Process.objects.all()}
    ProcessSample.objects.bulk_create(
        ProcessSample(
            host=host,
            timestamp=FIRST_TICK + 5 * tick,
            resolution=5,
            process=processes[pid],
            status="running",
            cpu_percent=cpu,
            read_bytes_per_second=read,
            rss_bytes=pid * 1024,
        )
        for (tick, pid), (cpu, read) in samples.items()
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=SAMPLES, first=st.integers(0, 5), last=st.integers(0, 5))
def test_a_range_equals_a_computation_by_hand(host, samples, first, last):
    store(host, samples)
    first, last = min(first, last), max(first, last)
    query = ProcessQuery(host, limit=100, start=FIRST_TICK + 5 * first, end=FIRST_TICK + 5 * last)
    ranked = read_processes(query)
    seconds = 5 * (last - first + 1)
    used = {}
    for (tick, pid), (cpu, _read) in samples.items():
        if first <= tick <= last:
            used.setdefault(pid, []).append((tick, cpu))
    assert (ranked.timestamp, ranked.resolution) == (FIRST_TICK + 5 * first, seconds)
    assert ranked.total == 100 + last
    assert {process["pid"] for process in ranked.results} == set(used)
    for process in ranked.results:
        known = [cpu for _tick, cpu in used[process["pid"]] if cpu is not None]
        expected = 5 * sum(known) / seconds if known else None
        assert process["cpu_percent"] == pytest.approx(expected, abs=6e-4)
        assert process["cpu_seconds"] == pytest.approx(expected and expected * seconds / 100, abs=6e-3)
        assert process["first_seen"] == FIRST_TICK + 5 * min(tick for tick, _cpu in used[process["pid"]])
        assert process["last_seen"] == FIRST_TICK + 5 * max(tick for tick, _cpu in used[process["pid"]])
        assert (process["rss_bytes"], process["rss_bytes_max"]) == (process["pid"] * 1024,) * 2
    order = [process["cpu_percent"] or 0 for process in ranked.results]
    assert order == sorted(order, reverse=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=SAMPLES, tick=st.integers(0, 5), limit=st.integers(1, 4), sort_by=st.sampled_from(["cpu", "memory", "io"])
)
def test_a_moment_equals_a_computation_by_hand(host, samples, tick, limit, sort_by):
    store(host, samples)
    ranked = read_processes(ProcessQuery(host, sort_by, limit, at=FIRST_TICK + 5 * tick + 4.9))
    there = {pid: use for (at, pid), use in samples.items() if at == tick}

    def order(pid):
        cpu, read = there[pid]
        key = {"cpu": cpu or 0, "memory": pid, "io": read or 0}[sort_by]
        return (-round(key, 1) if sort_by == "io" else -key, -(cpu or 0), -pid)

    assert ranked.total == 100 + tick
    found = [process["pid"] for process in ranked.results]
    assert found == sorted(there, key=order)[:limit]


def test_memory_is_the_mean_over_the_moments_at_which_it_was_seen(host):
    store(host, {(0, 1): (1.0, None), (5, 2): (1.0, None)})
    ProcessSample.objects.filter(process__pid=1).update(rss_bytes=9 * 1024)
    ranked = read_processes(ProcessQuery(host, "memory", start=FIRST_TICK))
    assert [(process["pid"], process["rss_bytes"]) for process in ranked.results] == [(1, 9216), (2, 2048)]


def test_without_a_moment_it_is_the_newest_tick_however_old(host):
    store(host, {(5, 3): (1.0, None)})
    ranked = read_processes(ProcessQuery(host))
    assert (ranked.timestamp, [process["pid"] for process in ranked.results]) == (FIRST_TICK + 25, [3])


def test_nothing_recorded_is_empty(host):
    for query in (ProcessQuery(host), ProcessQuery(host, at=FIRST_TICK), ProcessQuery(host, start=FIRST_TICK)):
        ranked = read_processes(query)
        assert (ranked.timestamp, ranked.total, ranked.results) == (None, None, [])
