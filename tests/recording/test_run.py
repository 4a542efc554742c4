"""Windows tick on the wall clock and hand over without a hole and without a double."""

import os
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import Host, Recorder, Tick
from metrics.recording.run import RecordingRun, is_recording
from tests.recording.fakes import Clock, FakeLine

NOON = 1_700_000_000.0


@dataclass
class FakeRecording:
    """Notes the ticks that it is told to take."""

    host: Host
    interval_seconds: int
    ticks: list[int] = field(default_factory=list)
    flushed: int = 0
    pending_ticks: int = 0

    def begin(self, report):
        return False

    def end(self):
        pass

    def tick(self, timestamp):
        self.ticks.append(timestamp)
        Tick.objects.create(
            host=self.host, timestamp=timestamp, resolution=1, lag_milliseconds=0, duration_milliseconds=0
        )

    def flush(self):
        self.flushed += 1
        return True

    def warm_up(self):
        return False


def window(host, interval=5, start=NOON + 0.3, cut_at=float("inf")):
    clock = Clock(start)
    line = FakeLine(clock, cut_at)
    return RecordingRun(FakeRecording(host, interval), line, now=clock, sleep=clock.sleep), clock, line


def another_recorder(host, pid=1, **values):
    defaults = {"window": "other", "pid": pid, "boot_id": host.boot_id, "first_tick": 0, "taken_over_at": 0}
    return Recorder.objects.create(host=host, **{**defaults, **values})


def test_ticks_lie_on_multiples_of_the_interval(host):
    one, _clock, _line = window(host, interval=7, start=NOON + 3)
    one.run(duration_seconds=30)
    assert all(tick % 7 == 0 for tick in one.recording.ticks)
    assert [b - a for a, b in zip(one.recording.ticks, one.recording.ticks[1:])] == [7] * (len(one.recording.ticks) - 1)


def test_the_first_tick_does_not_wait_where_nobody_else_records(host):
    one, _clock, line = window(host, interval=60, start=NOON + 41)
    one.run(duration_seconds=1)
    assert one.recording.ticks == [int(NOON + 41) // 60 * 60]
    assert line.waits[0] <= 0


def test_a_restart_within_an_interval_does_not_repeat_the_tick(host):
    first, _clock, _line = window(host, interval=60, start=NOON + 41)
    first.run(duration_seconds=1)
    again, _clock, _line = window(host, interval=60, start=NOON + 44)
    again.run(duration_seconds=60)
    assert again.recording.ticks == [first.recording.ticks[0] + 60]


def test_it_ends_when_its_line_is_cut_and_gives_the_token_back(host):
    one, clock, _line = window(host, cut_at=NOON + 12)
    one.run()
    assert one.recording.ticks == [int(NOON), int(NOON) + 5, int(NOON) + 10]
    assert Recorder.objects.get().released_at is not None
    assert clock.now < NOON + 16


def test_it_stores_what_had_to_wait_before_it_ends(host):
    one, _clock, _line = window(host, cut_at=NOON + 12)
    one.run()
    assert one.recording.flushed == 1


def test_it_goes_on_trying_to_store_what_the_database_did_not_take(host):
    one, clock, _line = window(host, cut_at=NOON + 12)
    answers = iter([False, False, True])
    one.recording.flush = lambda: next(answers)
    one.run()
    assert next(answers, None) is None
    assert clock.now < NOON + 12 + 10


def test_it_ends_in_good_time_where_the_database_takes_nothing_any_more(host, caplog):
    one, clock, _line = window(host, cut_at=NOON + 12)
    one.recording.flush = lambda: False
    one.run()
    assert "the process ends: they are lost" in caplog.text
    assert clock.now < NOON + 12 + 10


def test_what_the_database_does_not_take_stays_in_the_process_when_only_the_run_ends(host, caplog):
    one, clock, _line = window(host)
    one.recording.flush = lambda: False
    one.run(duration_seconds=12)
    assert "go on waiting in this process" in caplog.text
    assert "lost" not in caplog.text
    assert clock.now < NOON + 12 + 70


def test_it_beats_at_least_every_five_seconds(host):
    one, _clock, line = window(host, interval=60)
    one.run(duration_seconds=120)
    assert line.beats >= 24


class TestHandOver:
    def test_the_newcomer_names_a_tick_that_the_old_window_can_still_see(self, host):
        another_recorder(host)
        one, _clock, _line = window(host, interval=1, start=NOON + 0.95)
        assert one.take_over() == int(NOON) + 2

    def test_every_tick_is_taken_once(self, host):
        old, old_clock, old_line = window(host, interval=1)
        new, new_clock, _line = window(host, interval=1)

        def start_newcomer():
            if old_clock.now >= NOON + 5.4 and not new.recording.ticks:
                new_clock.now = old_clock.now
                lease = Recorder.objects.get()
                new.recording.ticks.append(new.take_over())
                assert lease.window == old.name

        old_line.at_wait = start_newcomer
        old.run(duration_seconds=60)
        assert old.recording.ticks == [int(NOON) + number for number in range(7)]
        assert new.recording.ticks == [int(NOON) + 7]

    def test_a_take_over_that_fails_ends_the_newcomer(self, host, monkeypatch):
        def fail(*_args, **_kwargs):
            raise OperationalError("database is locked")

        monkeypatch.setattr(Recorder.objects, "update_or_create", fail)
        one, _clock, line = window(host)
        with pytest.raises(OperationalError):
            one.run()
        assert (one.recording.ticks, line.hand_overs) == ([], 0)

    @pytest.mark.parametrize("error", [OperationalError("disk I/O error"), TimeoutError("no answer for 1 s")])
    def test_the_old_window_goes_on_while_the_token_cannot_be_read(self, host, monkeypatch, error):
        one, _clock, _line = window(host, cut_at=NOON + 12)

        def fail():
            raise error

        one._commit_lease(int(NOON))
        monkeypatch.setattr(one, "take_over", lambda: int(NOON))
        monkeypatch.setattr(one, "_end", lambda: None)
        monkeypatch.setattr(one._lease, "first_tick_of_another", fail)
        one.run()
        assert len(one.recording.ticks) == 3

    def test_a_commit_that_came_too_late_is_repeated_for_a_later_tick(self, host, monkeypatch):
        another_recorder(host)
        one, clock, _line = window(host, interval=1, start=NOON + 0.5)
        real = Recorder.objects.update_or_create
        delays = iter([2.0, 0.0])

        def slow(**kwargs):
            clock.now += next(delays)
            return real(**kwargs)

        monkeypatch.setattr(Recorder.objects, "update_or_create", slow)
        assert one.take_over() == int(NOON) + 3
        assert Recorder.objects.get().first_tick.timestamp() == NOON + 3

    def test_it_does_not_take_the_token_from_its_successor(self, host):
        one, clock, line = window(host, interval=1)

        def successor():
            if clock.now >= NOON + 3:
                Recorder.objects.update(window="next", first_tick=int(NOON) + 5)

        line.at_wait = successor
        one.run()
        assert one.recording.ticks[-1] == int(NOON) + 4
        assert Recorder.objects.get().window == "next"
        assert Recorder.objects.get().released_at is None


class TestClock:
    def test_a_clock_set_forward_skips_what_it_jumped_over(self, host):
        one, clock, _line = window(host, cut_at=NOON + 3600 + 30)
        clock.jumps.append((NOON + 7, 3600.0))
        one.run()
        gaps = [b - a for a, b in zip(one.recording.ticks, one.recording.ticks[1:])]
        assert sorted(set(gaps)) == [5, 3605]

    def test_a_clock_set_back_goes_on_at_the_new_time(self, host):
        one, clock, line = window(host, start=NOON + 0.3)
        clock.jumps.append((NOON + 22, -3600.0))
        line.at_wait = lambda: setattr(line, "cut_at", NOON - 3600 + 60 if clock.now < NOON else float("inf"))
        one.run()
        back = [tick for tick in one.recording.ticks if tick < NOON]
        assert back
        assert back[0] - (NOON - 3600) <= 30

    def test_a_clock_set_back_is_told_to_what_plans_by_it(self, host):
        one, clock, line = window(host, start=NOON + 0.3)
        told = []
        one._at_set_back = lambda: told.append(clock.now)
        clock.jumps.append((NOON + 22, -3600.0))
        line.at_wait = lambda: setattr(line, "cut_at", NOON - 3600 + 60 if clock.now < NOON else float("inf"))
        one.run()
        assert len(told) == 1

    def test_a_clock_that_goes_as_it_should_is_not_told(self, host):
        one, _clock, _line = window(host, interval=60)
        one._at_set_back = lambda: pytest.fail("the clock was not set back")
        one.run(duration_seconds=300)

    def test_a_window_ends_whose_successor_took_over_before_the_clock_was_set_back(self, host):
        one, clock, line = window(host)

        def successor():
            if clock.now >= NOON + 12:
                Recorder.objects.update(window="next", first_tick=int(NOON) + 3600)

        line.at_wait = successor
        one.run(duration_seconds=60)
        assert one.recording.ticks[-1] < NOON + 20

    def test_a_small_step_back_does_not_repeat_a_tick(self, host):
        one, clock, _line = window(host, interval=1, cut_at=NOON + 20)
        clock.jumps.append((NOON + 5, -0.2))
        one.run()
        assert len(one.recording.ticks) == len(set(one.recording.ticks))


class TestIsRecording:
    def test_nobody_at_first(self, host):
        assert not is_recording(host)

    def test_a_process_that_lives(self, host):
        another_recorder(host, pid=os.getppid())
        assert is_recording(host)

    def test_a_window_of_this_process_while_it_is_at_work(self, host):
        one, _clock, line = window(host)
        seen = []
        line.at_wait = lambda: seen.append(is_recording(host))
        one.run(duration_seconds=10)
        Recorder.objects.update(released_at=None)
        assert (set(seen), is_recording(host)) == ({True}, False)

    def test_not_an_earlier_process_that_had_the_same_pid(self, host):
        another_recorder(host, pid=os.getpid())
        assert not is_recording(host)

    def test_a_process_that_is_gone(self, host):
        another_recorder(host, pid=2**22 + 1)
        assert not is_recording(host)

    def test_a_token_that_was_given_back(self, host):
        another_recorder(host, released_at=1)
        assert not is_recording(host)

    def test_a_process_of_an_earlier_boot(self, host):
        another_recorder(host, boot_id="before")
        assert not is_recording(host)


class TestAnySequence(TestCase):
    """Whatever the interval, the start and the clock's jumps: no tick twice, all on multiples, never in the future."""

    @settings(max_examples=50, deadline=None)
    @given(
        interval=st.integers(1, 60),
        start=st.floats(0, 120),
        jumps=st.lists(st.tuples(st.floats(0, 300), st.floats(-90, 4000)), max_size=3),
    )
    def test_ticks(self, interval, start, jumps):
        host = Host.objects.create(name="any")
        clock = Clock(NOON + start)
        clock.jumps = [(NOON + start + at, by) for at, by in jumps]
        line = FakeLine(clock)
        one = RecordingRun(FakeRecording(host, interval), line, now=clock, sleep=clock.sleep)
        waits = iter(range(200))
        taken_late = []

        def end_after_a_while():
            if next(waits, None) is None:
                line.cut_at = 0

        def tick(timestamp):
            one.recording.ticks.append(timestamp)
            taken_late.append(clock.now - timestamp)

        line.at_wait = end_after_a_while
        one.recording.tick = tick
        one.run()
        assert all(tick % interval == 0 for tick in one.recording.ticks)
        assert all(0 <= late < interval for late in taken_late)
