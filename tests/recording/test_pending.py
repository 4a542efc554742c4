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
from tests.supervision.running import eventually


class Writer:
    """Notes what it is given; fails while `error` is set, waits while `gate` is shut."""

    def __init__(self):
        self.written, self.error, self.gate = [], None, threading.Event()
        self.taken = set()
        self.left_out = ""
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


def waiting(kind, writer):
    """The ticks of a process whose runs have this writer."""
    ticks = kind()
    ticks.use(writer, 5)
    return ticks


@pytest.fixture
def writer(db):
    return Writer()


def test_ticks_are_stored_as_they_come(writer):
    ticks = waiting(PendingTicks, writer)
    ticks.add(tick(1))
    ticks.add(tick(2))
    assert writer.written == [1, 2]


def test_those_that_had_to_wait_go_first(writer):
    ticks = waiting(PendingTicks, writer)
    writer.error = OperationalError("database is locked")
    for number in range(3):
        ticks.add(tick(number))
    writer.error = None
    ticks.add(tick(3))
    assert writer.written == [0, 1, 2, 3]


def test_waiting_is_logged_once_and_so_is_its_end(writer, caplog):
    ticks = waiting(PendingTicks, writer)
    writer.error = OperationalError("database or disk is full")
    for number in range(5):
        ticks.add(tick(number))
    writer.error = None
    ticks.add(tick(5))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "disk is full" in caplog.text


def test_memory_is_bounded_and_the_oldest_goes(writer, monkeypatch, caplog):
    monkeypatch.setattr(pending_module, "MAX_PENDING_TICKS", 3)
    ticks = waiting(PendingTicks, writer)
    writer.error = OperationalError("locked")
    for number in range(5):
        ticks.add(tick(number))
    writer.error = None
    assert ticks.flush()
    assert writer.written == [2, 3, 4]
    assert "lost" in caplog.text


def test_whoever_asks_is_told_how_many_wait_and_why(writer):
    told = []
    ticks = waiting(PendingTicks, writer)
    ticks.begin(lambda *what: told.append(what))
    writer.error = OperationalError("database is locked")
    ticks.add(tick(1))
    ticks.add(tick(2))
    writer.error = None
    ticks.add(tick(3))
    assert told == [(0, ""), (1, "database is locked"), (2, "database is locked"), (0, "")]


def test_a_damaged_file_makes_ticks_wait_too(writer):
    ticks = waiting(PendingTicks, writer)
    writer.error = DatabaseError("database disk image is malformed")
    ticks.add(tick(1))
    writer.error = None
    ticks.add(tick(2))
    assert writer.written == [1, 2]


@pytest.mark.parametrize("error", [OverflowError("too large"), DataError("out of range"), IntegrityError("null")])
def test_a_tick_that_can_never_be_stored_does_not_hold_up_the_next(writer, caplog, error):
    ticks = waiting(PendingTicks, writer)
    writer.error = error
    ticks.add(tick(1))
    writer.error = None
    ticks.add(tick(2))
    assert writer.written == [2]
    assert "the tick of 1 is lost" in caplog.text


def test_times_that_are_taken_are_said_once_and_counted_at_the_end(writer, caplog):
    ticks = waiting(PendingTicks, writer)
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

    ticks = waiting(PendingTicks, writer)
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
    waiting(PendingTicks, Writer()).add(tick(1))
    with connection.cursor() as cursor:
        for question, answer in durable[connection.vendor].items():
            cursor.execute(question)
            assert cursor.fetchone() == (answer,)
    connection.close()


class TestInTheBackground:
    def test_a_slow_database_does_not_hold_up_the_next_tick(self, writer):
        ticks = waiting(BackgroundTicks, writer)
        writer.gate.clear()
        for number in range(3):
            ticks.add(tick(number))
        assert writer.written == []
        writer.gate.set()
        assert ticks.flush()
        assert writer.written == [0, 1, 2]

    def test_flushing_stores_what_the_thread_could_not(self, writer):
        ticks = waiting(BackgroundTicks, writer)
        writer.error = OperationalError("locked")
        ticks.add(tick(1))
        assert not ticks.flush()
        writer.error = None
        assert ticks.flush()
        assert writer.written == [1]

    def test_it_leaves_no_thread_behind(self, writer):
        before = threading.active_count()
        ticks = waiting(BackgroundTicks, writer)
        ticks.add(tick(1))
        ticks.flush()
        assert threading.active_count() == before


@pytest.mark.parametrize("kind", [PendingTicks, BackgroundTicks])
class TestSeveralRunsOfAProcess:
    def test_a_run_that_begins_is_told_what_waits_since_the_one_before(self, writer, kind):
        told = []
        ticks = waiting(kind, writer)
        ticks.begin()
        writer.error = OperationalError("locked")
        ticks.add(tick(1))
        ticks.flush()
        ticks.begin(lambda *what: told.append(what))
        assert told == [(1, "locked")]

    def test_what_one_could_not_store_the_next_one_does(self, writer, kind):
        first, second = writer, Writer()
        ticks = waiting(kind, first)
        ticks.begin()
        first.error = OperationalError("locked")
        ticks.add(tick(1))
        assert not ticks.flush()
        ticks.end()
        ticks.use(second, 5)
        ticks.begin()
        ticks.add(tick(2))
        assert ticks.flush()
        assert (first.written, second.written, len(ticks)) == ([], [1, 2], 0)

    def test_all_that_waits_is_counted_as_one(self, writer, kind):
        told = []
        ticks = waiting(kind, writer)
        writer.error = OperationalError("locked")
        for number in range(6):
            assert ticks.begin(lambda *what: told.append(what)) is (number > 0)
            ticks.add(tick(number))
        assert eventually(lambda: told[-1] == (6, "locked"), 5)


def test_a_run_leaves_what_waits_to_its_successor_in_the_process(writer):
    ticks = waiting(BackgroundTicks, writer)
    ticks.begin()
    ticks.begin()
    writer.error = OperationalError("locked")
    ticks.add(tick(1))
    assert ticks.flush(), "the first run has nothing to wait for"
    ticks.end()
    assert not ticks.flush(), "the last run has"
    writer.error = None
    assert ticks.flush()
    assert writer.written == [1]
