"""The lease is read without waiting for a database that does not answer."""

import threading

import pytest
from django.db import OperationalError

from metrics.models import Host, Recorder
from metrics.recording.lease import BackgroundLease, Lease


class GatedToken(BackgroundLease):
    """Reads what the test says, when the test says so."""

    def __init__(self):
        super().__init__(Host(name="any"), "own", interval_seconds=1)
        self.gate, self.answer, self.reads = threading.Event(), None, 0

    def _read(self):
        self.reads += 1
        assert self.gate.wait(10)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def gated(monkeypatch):
    monkeypatch.setattr("metrics.recording.lease.MAX_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr("metrics.recording.lease.connections.close_all", lambda: None)
    lease = GatedToken()
    yield lease
    lease.gate.set()
    lease.close()
    lease._thread.join(10)


def take(host, window, first_tick):
    lease = {"window": window, "pid": 1, "first_tick": first_tick, "taken_over_at": 0}
    Recorder.objects.update_or_create(host=host, defaults=lease)


def test_it_names_the_first_tick_of_another_window(host):
    lease = Lease(host, "own", 5)
    assert lease.first_tick_of_another() is None
    take(host, "own", 100)
    assert lease.first_tick_of_another() is None
    take(host, "next", 105)
    assert lease.first_tick_of_another() == 105


def test_a_database_that_does_not_answer_is_not_waited_for(gated):
    with pytest.raises(TimeoutError):
        gated.first_tick_of_another()


def test_it_is_asked_again_only_when_it_has_answered(gated):
    for _ in range(3):
        with pytest.raises(TimeoutError):
            gated.first_tick_of_another()
    gated.answer = 105
    gated._patience_seconds = 10
    gated.gate.set()
    assert gated.first_tick_of_another() == 105
    assert gated.reads == 1


def test_an_error_is_that_of_who_asks(gated):
    gated.answer = OperationalError("the connection is closed")
    gated._patience_seconds = 10
    gated.gate.set()
    with pytest.raises(OperationalError, match="closed"):
        gated.first_tick_of_another()
    gated.answer = None
    assert gated.first_tick_of_another() is None
