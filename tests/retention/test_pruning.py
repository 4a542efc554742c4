"""Storage is bounded, and what is within the bounds stays."""

import sqlite3

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Failure
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.forwarding.destinations import parse_destinations
from metrics.models import CpuSample, Host, InterfaceSample, NewestProcesses, Process, ProcessSample, Tick, TickReading
from metrics.retention import pruning
from metrics.retention.pruning import MAX_IN_BACKGROUND_SECONDS, apply_retention, outlived, prune_task_results
from metrics.retention.rollup import roll_up
from metrics.storage.connections import set_up_file
from tests.skips import only_on_postgresql, only_on_sqlite

FIRST = 1_700_000_000
NO_TIME = {"lag_milliseconds": 0, "duration_milliseconds": 0}


@pytest.fixture
def host(db, monkeypatch):
    monkeypatch.setattr("time.time", lambda: FIRST + 1000)
    return Host.objects.create(name="test-host")


def add_cpu(host, count, tier=0):
    CpuSample.objects.bulk_create(
        CpuSample(host=host, tier=tier, timestamp=FIRST + number * 5, resolution=5) for number in range(count)
    )


def times(model, **filters):
    return sorted(
        int(moment.timestamp()) for moment in model.objects.filter(**filters).values_list("timestamp", flat=True)
    )


def test_the_newest_points_stay(host):
    add_cpu(host, 30)
    assert apply_retention(max_points=10) == 20
    assert times(CpuSample) == [FIRST + number * 5 for number in range(20, 30)]


def test_readings_of_ticks_stay_as_long_as_raw_points_and_only_while_they_are_wanted(host, settings):
    settings.SYSMON_FORWARD_URL = parse_destinations("remote-write://127.0.0.1")
    TickReading.objects.bulk_create(TickReading(host=host, timestamp=FIRST + 5 * n, rows=b"") for n in range(30))
    assert apply_retention(max_points=10) == 20
    assert times(TickReading) == [FIRST + number * 5 for number in range(20, 30)]
    settings.SYSMON_FORWARD_URL = parse_destinations("influx://127.0.0.1")
    other = Host.objects.create(name="other-host")
    TickReading.objects.create(host=other, timestamp=FIRST, rows=b"")
    assert apply_retention(max_points=10) == 10
    assert TickReading.objects.get().host == other


class TestInTheBackground:
    """A clock that is far ahead for a moment."""

    @pytest.fixture
    def minutes(self, host, monkeypatch):
        CpuSample.objects.bulk_create(
            CpuSample(host=host, tier=60, timestamp=FIRST + 60 * n, resolution=60) for n in range(180)
        )
        monkeypatch.setattr("time.time", lambda: FIRST + 400 * 86_400)

    def test_no_more_than_an_hour_of_a_tier_goes_at_once(self, minutes):
        assert apply_retention(most_seconds=MAX_IN_BACKGROUND_SECONDS) == 60
        assert times(CpuSample) == [FIRST + 60 * n for n in range(60, 180)]

    def test_whoever_asks_for_it_has_everything_deleted(self, minutes):
        assert apply_retention() == 180

    def test_what_has_not_outlived_its_retention_stays(self, minutes, monkeypatch):
        monkeypatch.setattr("time.time", lambda: FIRST + 14 * 86_400 + 125)
        assert apply_retention(most_seconds=MAX_IN_BACKGROUND_SECONDS) == 3


def test_nothing_goes_while_there_is_room(host):
    add_cpu(host, 10)
    assert apply_retention(max_points=10) == 0


def test_a_point_is_a_moment_however_many_rows_it_has(host):
    InterfaceSample.objects.bulk_create(
        InterfaceSample(host=host, timestamp=FIRST + number, resolution=1, interface=name)
        for number in range(6)
        for name in ("lo", "eth0", "eth1")
    )
    apply_retention(max_points=4)
    assert InterfaceSample.objects.count() == 12


def test_each_host_has_its_own_points(host):
    other = Host.objects.create(name="other")
    add_cpu(host, 20)
    add_cpu(other, 5)
    apply_retention(max_points=10)
    assert (CpuSample.objects.filter(host=host).count(), CpuSample.objects.filter(host=other).count()) == (10, 5)


def test_roll_ups_go_by_their_age_and_not_by_their_number(host, monkeypatch):
    add_cpu(host, 20, tier=60)
    monkeypatch.setattr("time.time", lambda: FIRST + 14 * 86_400 + 50)
    assert apply_retention(max_points=10) == 10
    assert times(CpuSample)[0] == FIRST + 50


def test_what_is_not_rolled_up_yet_stays(host):
    add_cpu(host, 30)
    ticks = [Tick(host=host, timestamp=FIRST + n * 5, resolution=5, **NO_TIME) for n in range(30)]
    Tick.objects.bulk_create(ticks)
    assert apply_retention(max_points=10) == 0
    roll_up(host)
    assert apply_retention(max_points=10) == 40


def test_more_than_one_batch_goes(host, monkeypatch):
    monkeypatch.setattr(pruning, "BATCH_ROWS", 7)
    add_cpu(host, 50)
    assert apply_retention(max_points=10) == 40


def test_ticks_are_bounded_too(host):
    Tick.objects.bulk_create(Tick(host=host, timestamp=FIRST + n, resolution=1, **NO_TIME) for n in range(9))
    roll_up(host)
    apply_retention(max_points=4)
    assert Tick.objects.count() == 4


def test_a_process_goes_with_its_last_sample(host):
    kept, gone = (Process.objects.create(host=host, pid=pid, started_at=FIRST, name="p") for pid in (1, 2))
    for number in range(6):
        ProcessSample.objects.create(
            host=host, timestamp=FIRST + number, resolution=1, process=gone if number < 2 else kept
        )
    apply_retention(max_points=4)
    assert list(Process.objects.all()) == [kept]


def test_a_process_of_the_newest_tick_stays_without_any_sample(host):
    kept, gone = (Process.objects.create(host=host, pid=pid, started_at=FIRST, name="p") for pid in (1, 2))
    rows = NewestProcesses.encoded(("process", "cpu_percent"), [(kept.pk, 0)])
    NewestProcesses.objects.create(host=host, timestamp=FIRST, rows=rows)
    assert [list(rows) for rows in outlived() if rows.model is Process] == [[gone]]
    assert apply_retention() == 1
    assert list(Process.objects.all()) == [kept]


def test_a_dry_look_deletes_nothing(host):
    add_cpu(host, 30)
    assert sum(rows.count() for rows in outlived(max_points=10)) == 20
    assert CpuSample.objects.count() == 30


def test_old_failures_of_our_own_tasks_go(db, monkeypatch):
    monkeypatch.setattr(pruning, "KEPT_FAILURES", 3)
    now = timezone.now()
    for number in range(5):
        moment = now.replace(year=2000 + number)
        for func in ("metrics.tasks.prune", "shop.tasks.mail"):
            Failure.objects.create(
                id=f"{func[:1]}{number:031}", name="t", func=func, started=moment, stopped=moment, success=False
            )
    assert prune_task_results() == 2
    own = Failure.objects.filter(func="metrics.tasks.prune")
    assert {failure.stopped.year for failure in own} == {2002, 2003, 2004}
    assert Failure.objects.filter(func="shop.tasks.mail").count() == 5


@only_on_postgresql("plans with what it expects of a table")
def test_a_batch_is_looked_for_once_also_in_a_table_that_is_taken_for_empty(host):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE metrics_cpusample")
        add_cpu(host, 30)
        with CaptureQueriesContext(connection) as asked:
            apply_retention(max_points=10)
        [delete] = [query["sql"] for query in asked if 'DELETE FROM "metrics_cpusample"' in query["sql"]][:1]
        cursor.execute(f"EXPLAIN {delete}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "InitPlan" in plan
    assert "Join" not in plan


@only_on_sqlite("about its file")
def test_free_pages_go_back_to_the_file_system(tmp_path, monkeypatch):
    file = sqlite3.connect(tmp_path / "file.sqlite3", isolation_level=None)
    set_up_file(file)
    file.execute("CREATE TABLE t (x)")
    file.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 4000)
    file.execute("DELETE FROM t")
    free = file.execute("PRAGMA freelist_count").fetchone()[0]
    assert file.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    assert free > 900

    class Connection:
        vendor, in_atomic_block, connection = "sqlite", False, file

        @staticmethod
        def ensure_connection():
            pass

    monkeypatch.setattr(pruning, "connection", Connection)
    pruning.give_space_back()
    assert free - file.execute("PRAGMA freelist_count").fetchone()[0] == pruning.VACUUM_PAGES


class TestAnyHistory(TestCase):
    @settings(max_examples=30, deadline=None)
    @given(moments=st.sets(st.integers(0, 300), max_size=60), points=st.integers(1, 40))
    def test_exactly_the_newest_moments_stay(self, moments, points):
        host = Host.objects.create(name="any")
        CpuSample.objects.bulk_create(CpuSample(host=host, timestamp=FIRST + m, resolution=1) for m in moments)
        apply_retention(max_points=points)
        assert times(CpuSample) == [FIRST + m for m in sorted(moments)[-points:]]
