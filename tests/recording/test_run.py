"""Windows tick on the wall clock and hand over without a hole and without a double."""

from dataclasses import dataclass, field

import pytest
from django.db import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import Host, Recorder, Tick
from metrics.recording.run import RecordingRun
from tests.recording.fakes import Clock, FakeLine

NOON = 1_700_000_000.0


@dataclass
class FakeRecording:
    """Notes the ticks that it is told to take. One of a process, or `others` are at work in it."""

    host: Host
    interval_seconds: int
    ticks: list[int] = field(default_factory=list)
    flushed: int = 0
    pending_ticks: int = 0
    newest_tick: int | None = None
    runs: int = 0

    def begin(self, report):
        self.runs += 1
        return self.runs > 1

    def end(self):
        self.runs -= 1

    def take_over(self, pid, moment, *, is_successor):
        values = {"pid": pid, "taken_over_at": moment, "released_at": None}
        Recorder.objects.update_or_create(host=self.host, defaults=values)

    def tick(self, timestamp):
        self.ticks.append(timestamp)
        self.newest_tick = timestamp
        Tick.objects.create(
            host=self.host, timestamp=timestamp, resolution=1, lag_milliseconds=0, duration_milliseconds=0
        )

    def flush(self):
        self.flushed += 1
        return True

    def warm_up(self):
        return False


class FakeHandOver:
    """Its turn comes at once, or when somebody sets `is_free`; nobody waits for it, until `wanted` says so."""

    def __init__(self):
        self.is_free, self.wanted, self.calls = True, lambda: False, []

    def take(self, wait):
        while not self.is_free:
            if wait(0.05):
                return False
        self.calls.append("take")
        return True

    def is_wanted(self):
        return self.wanted()

    def let_go(self):
        self.calls.append("let go")


def window(host, interval=5, start=NOON + 0.3, cut_at=float("inf"), recording=None):
    clock = Clock(start)
    line = FakeLine(clock, cut_at)
    recording = recording or FakeRecording(host, interval)
    return RecordingRun(recording, line, now=clock, sleep=clock.sleep, hand_over=FakeHandOver()), clock, line


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


def test_it_ends_when_its_line_is_cut_and_notes_that_it_did(host):
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
    @pytest.mark.parametrize("interval", [1, 5, 60])
    def test_it_ends_long_before_a_tick_when_another_waits(self, host, interval):
        one, clock, _line = window(host, interval=interval)
        one._hand_over.wanted = lambda: clock.now >= NOON + 100
        one.run()
        assert one.recording.ticks[-1] <= NOON + 100 + 5
        assert clock.now < NOON + 100 + max(5, interval), "it looks every five seconds, and after each tick"
        assert one._hand_over.calls == ["take", "let go", "let go"]

    def test_it_does_not_look_when_a_tick_is_due(self, host):
        one, clock, _line = window(host, interval=5)
        looked = []
        one._hand_over.wanted = lambda: looked.append(clock.now % 5) or clock.now > NOON + 60
        one.run()
        assert len(looked) >= 12
        assert max(looked) < 0.5, "right after the tick"

    @pytest.mark.parametrize("is_successor", [True, False], ids=["in one process", "in two"])
    @pytest.mark.parametrize("late_seconds", [0.05, 0.9, 1.3, 4.2])
    def test_every_tick_is_taken_once(self, host, is_successor, late_seconds):
        shared = FakeRecording(host, 1)
        old, clock, _line = window(host, interval=1, recording=shared)
        new, new_clock, _line = window(host, interval=1, recording=shared if is_successor else None)
        old._hand_over.wanted = lambda: clock.now >= NOON + 5.4
        if is_successor:
            shared.runs = 1
        old.run()
        new_clock.now = clock.now + late_seconds
        new.run(duration_seconds=5)
        taken = shared.ticks if is_successor else old.recording.ticks + new.recording.ticks
        assert len(taken) == len(set(taken))
        missed = set(range(taken[0], taken[-1])) - set(taken)
        assert clock.now == NOON + 6
        assert len(missed) == max(0, int(late_seconds) - 1)

    def test_a_successor_of_one_process_does_not_ask_the_database(self, host, monkeypatch):
        one, _clock, _line = window(host, interval=60, start=NOON + 41)
        one.recording.runs, one.recording.newest_tick = 1, int(NOON + 41) // 60 * 60
        monkeypatch.setattr(Tick.objects, "filter", lambda **_: pytest.fail("a server that hangs would hold it up"))
        one.run(duration_seconds=60)
        assert one.recording.ticks == [int(NOON + 41) // 60 * 60 + 60]

    def test_a_database_that_fails_at_the_first_tick_ends_nothing(self, host, monkeypatch, caplog):
        one, _clock, _line = window(host)

        def fail(**_kwargs):
            raise OperationalError("database is locked")

        monkeypatch.setattr(Tick.objects, "filter", fail)
        one.run(duration_seconds=12)
        assert len(one.recording.ticks) == 3
        assert "cannot read the newest tick" in caplog.text

    def test_one_that_is_told_to_end_before_its_turn_takes_no_tick(self, host):
        one, _clock, line = window(host, cut_at=NOON + 12)
        one._hand_over.is_free = False
        assert one.run() == 0
        assert (one.recording.ticks, line.hand_overs, one.recording.runs) == ([], 0, 0)
        assert not Recorder.objects.exists()

    def test_it_does_not_say_that_recording_ended_when_another_goes_on(self, host):
        one, clock, _line = window(host, interval=1)
        one._hand_over.wanted = lambda: clock.now >= NOON + 3
        one.run()
        assert Recorder.objects.get().released_at is None

    def test_nor_where_another_recorder_has_noted_itself(self, host):
        one, _clock, line = window(host, cut_at=NOON + 12)
        line.at_wait = lambda: Recorder.objects.update(pid=1)
        one.run()
        assert Recorder.objects.get().released_at is None

    def test_one_of_another_process_finds_the_last_tick_stored(self, host):
        one, clock, _line = window(host, interval=1)
        one._hand_over.wanted = lambda: clock.now >= NOON + 3
        answers = iter([False, True, True])
        one.recording.flush = lambda: one._hand_over.calls.append("flush") or next(answers)
        one.run()
        assert one._hand_over.calls[:4] == ["take", "flush", "flush", "let go"]

    def test_but_does_not_wait_long_for_a_database_that_takes_nothing(self, host):
        one, clock, _line = window(host, interval=1)
        let_go_at = []
        one._hand_over.wanted = lambda: clock.now >= NOON + 3
        one._hand_over.let_go = lambda: let_go_at.append(clock.now)
        one.recording.flush = lambda: False
        one.run()
        assert let_go_at[0] < NOON + 3 + 1 + 2

    def test_an_error_lets_go(self, host):
        one, _clock, _line = window(host)
        one.recording.tick = lambda _timestamp: 1 / 0
        with pytest.raises(ZeroDivisionError):
            one.run()
        assert one._hand_over.calls[-1] == "let go"
        assert one.recording.runs == 0


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

    def test_a_small_step_back_does_not_repeat_a_tick(self, host):
        one, clock, _line = window(host, interval=1, cut_at=NOON + 20)
        clock.jumps.append((NOON + 5, -0.2))
        one.run()
        assert len(one.recording.ticks) == len(set(one.recording.ticks))


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
        one = RecordingRun(FakeRecording(host, interval), line, clock, clock.sleep, hand_over=FakeHandOver())
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
