"""Ticks wait in memory for a database that is slow, locked or full."""

import threading

import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection

from metrics.models import CollectorState, ProcessSample
from metrics.recording import pending as pending_module
from metrics.recording.pending import BackgroundTicks, PendingTicks
from metrics.recording.runner import Run
from metrics.recording.samples import DraftSample, TakenReading
from metrics.recording.writing import FamilyTick, TickRecord


class Writer:
    """Notes what it is given; fails while `error` is set, waits while `gate` is shut."""

    def __init__(self):
        self.written, self.error, self.gate = [], None, threading.Event()
        self.taken = set()
        self.gate.set()

    def write(self, tick):
        self.gate.wait(10)
        if self.error:
            raise self.error
        if tick.timestamp in self.taken:
            return False
        self.written.append(tick.timestamp)
        return True


def tick(timestamp):
    return TickRecord(timestamp, 5, 0.0, 0.0, [])


@pytest.fixture
def writer(db):
    return Writer()


def test_ticks_are_stored_as_they_come(writer):
    ticks = PendingTicks(writer, 5)
    ticks.add(tick(1))
    ticks.add(tick(2))
    assert writer.written == [1, 2]


def test_those_that_had_to_wait_go_first(writer):
    ticks = PendingTicks(writer, 5)
    writer.error = OperationalError("database is locked")
    for number in range(3):
        ticks.add(tick(number))
    writer.error = None
    ticks.add(tick(3))
    assert writer.written == [0, 1, 2, 3]


def test_waiting_is_logged_once_and_so_is_its_end(writer, caplog):
    ticks = PendingTicks(writer, 5)
    writer.error = OperationalError("database or disk is full")
    for number in range(5):
        ticks.add(tick(number))
    writer.error = None
    ticks.add(tick(5))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "disk is full" in caplog.text


def test_memory_is_bounded_and_the_oldest_goes(writer, monkeypatch, caplog):
    monkeypatch.setattr(pending_module, "MAX_PENDING_TICKS", 3)
    ticks = PendingTicks(writer, 5)
    writer.error = OperationalError("locked")
    for number in range(5):
        ticks.add(tick(number))
    writer.error = None
    assert ticks.flush()
    assert writer.written == [2, 3, 4]
    assert "lost" in caplog.text


def test_whoever_asks_is_told_how_many_wait_and_why(writer):
    told = []
    ticks = PendingTicks(writer, 5, report=lambda *what: told.append(what))
    writer.error = OperationalError("database is locked")
    ticks.add(tick(1))
    ticks.add(tick(2))
    writer.error = None
    ticks.add(tick(3))
    assert told == [(1, "database is locked"), (2, "database is locked"), (0, "")]


def test_a_damaged_file_makes_ticks_wait_too(writer):
    ticks = PendingTicks(writer, 5)
    writer.error = DatabaseError("database disk image is malformed")
    ticks.add(tick(1))
    writer.error = None
    ticks.add(tick(2))
    assert writer.written == [1, 2]


@pytest.mark.parametrize("error", [OverflowError("too large"), DataError("out of range"), IntegrityError("null")])
def test_a_tick_that_can_never_be_stored_does_not_hold_up_the_next(writer, caplog, error):
    ticks = PendingTicks(writer, 5)
    writer.error = error
    ticks.add(tick(1))
    writer.error = None
    ticks.add(tick(2))
    assert writer.written == [2]
    assert "the tick of 1 is lost" in caplog.text


def test_times_that_are_taken_are_said_once_and_counted_at_the_end(writer, caplog):
    ticks = PendingTicks(writer, 5)
    writer.taken = {1, 2, 3}
    for number in range(5):
        ticks.add(tick(number))
    assert writer.written == [0, 4]
    assert [record.getMessage() for record in caplog.records] == [
        "the time 1 was recorded before the clock was set back: its tick is dropped",
        "3 ticks were dropped, whose times had been recorded before",
    ]


def test_of_those_that_wait_only_the_newest_is_kept_with_all_that_it_holds(writer):
    def full(timestamp):
        run = Run("processes", CollectorState.Outcome.OK, 0.0, 0.0)
        drafts = {ProcessSample: [DraftSample({}, {}, is_kept=True), DraftSample({}, {}, is_kept=False)]}
        reading = TakenReading(timestamp, 0.0, "boot", {})
        return TickRecord(timestamp, 5, 0.0, 0.0, [FamilyTick(run, 1, 0, None, reading, drafts)])

    ticks = PendingTicks(writer, 5)
    writer.error = OperationalError("locked")
    for number in range(3):
        ticks.add(full(number))
    held = [tick.families[0] for tick in ticks._ticks]
    assert [family.reading is not None for family in held] == [False, False, True]
    assert [len(family.drafts[ProcessSample]) for family in held] == [1, 1, 2]


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_waited_for_no_longer_than_half_an_interval_and_the_disk_always():
    durable = {
        "sqlite": {"PRAGMA busy_timeout": 2000, "PRAGMA synchronous": 2},
        "postgresql": {"SHOW lock_timeout": "2s"},
    }
    PendingTicks(Writer(), 5).add(tick(1))
    with connection.cursor() as cursor:
        for question, answer in durable[connection.vendor].items():
            cursor.execute(question)
            assert cursor.fetchone() == (answer,)
    connection.close()


class TestInTheBackground:
    def test_a_slow_database_does_not_hold_up_the_next_tick(self, writer):
        ticks = BackgroundTicks(writer, 5)
        writer.gate.clear()
        for number in range(3):
            ticks.add(tick(number))
        assert writer.written == []
        writer.gate.set()
        assert ticks.flush()
        assert writer.written == [0, 1, 2]

    def test_flushing_stores_what_the_thread_could_not(self, writer):
        ticks = BackgroundTicks(writer, 5)
        writer.error = OperationalError("locked")
        ticks.add(tick(1))
        assert not ticks.flush()
        writer.error = None
        assert ticks.flush()
        assert writer.written == [1]

    def test_it_leaves_no_thread_behind(self, writer):
        before = threading.active_count()
        ticks = BackgroundTicks(writer, 5)
        ticks.add(tick(1))
        ticks.flush()
        assert threading.active_count() == before
