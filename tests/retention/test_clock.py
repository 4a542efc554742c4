"""Retention under a clock that is wrong: what lies ahead goes first, and a jump costs nothing that was before it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from metrics.models import CpuSample, Host, RollUpState, Tick
from metrics.retention.clock import FIRST_PLAUSIBLE, BelievedClock
from metrics.retention.pruning import MAX_IN_BACKGROUND_SECONDS, apply_retention
from metrics.retention.rollup import roll_up
from tests.conftest import FIRST_TICK

DAY = 86_400
NOW = FIRST_TICK
FAR_AHEAD, STRAY = 4_070_908_800, 100  # 2099 and 1970
PATIENT = settings(max_examples=40, deadline=None)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Where the clock can be set."""

    def set_to(now):
        monkeypatch.setattr("time.time", lambda: float(now))

    set_to(NOW)
    return set_to


@pytest.fixture
def host(db):
    return Host.objects.create(name="test-host")


def add(host, moments, tier=0):
    CpuSample.objects.bulk_create(
        CpuSample(host=host, tier=tier, timestamp=at, resolution=tier or 5, points=1) for at in moments
    )


def left(host, tier=0):
    kept = CpuSample.objects.filter(host=host, tier=tier).order_by("timestamp").values_list("timestamp", flat=True)
    return [int(moment.timestamp()) for moment in kept]


def a_row(start, count):
    return [start + 5 * number for number in range(count)]


class TestAnyHistory(TestCase):
    """Ticks of the present, of 1970, and ahead by anything from a second to seventy years, in any number."""

    present = st.sets(st.integers(NOW - 400, NOW + 60), max_size=40)
    ahead = st.sets(st.integers(NOW + 61, NOW + 2000) | st.integers(FAR_AHEAD, FAR_AHEAD + 300), max_size=40)
    strays = st.sets(st.integers(STRAY, STRAY + 300), max_size=20)

    def setUp(self):
        patcher = pytest.MonkeyPatch()
        patcher.setattr("time.time", lambda: float(NOW))
        self.addCleanup(patcher.undo)

    @PATIENT
    @given(present=present, ahead=ahead, strays=strays, points=st.integers(1, 50))
    def test_what_lies_ahead_has_the_room_that_the_newest_of_the_present_leave(self, present, ahead, strays, points):
        add(Host.objects.create(name="any"), present | ahead | strays)
        apply_retention(max_points=points)
        kept = sorted(present | strays)[-points:]
        room = points - len(kept)
        assert left(Host.objects.get()) == kept + (sorted(ahead)[-room:] if room else [])

    @PATIENT
    @given(present=present, ahead=ahead, strays=strays, points=st.integers(1, 50))
    def test_what_lies_ahead_costs_the_present_nothing(self, present, ahead, strays, points):
        """With it and without it the same points of the present are there; and twice is once."""
        host = Host.objects.create(name="any")
        add(host, present | strays)
        apply_retention(max_points=points)
        without = left(host)
        CpuSample.objects.all().delete()
        add(host, present | strays | ahead)
        apply_retention(max_points=points)
        assert [at for at in left(host) if at <= NOW + 60] == without
        assert apply_retention(max_points=points) == 0


def test_after_five_hours_in_2099_the_present_has_all_of_its_room_again(host):
    add(host, [*a_row(FAR_AHEAD, 3600), *a_row(NOW - 50, 10)])
    apply_retention(max_points=3600)
    assert len(left(host)) == 3600
    assert left(host)[:10] == a_row(NOW - 50, 10)


class TestAJumpForward:
    """2026 has become 2099, and for all that the program can tell the clock is right."""

    @pytest.fixture(autouse=True)
    def jump(self, host, clock):
        add(host, a_row(NOW - 500, 100))
        add(host, [NOW - 600 + 60 * n for n in range(10)], tier=60)
        jump = FAR_AHEAD - NOW
        Host.objects.filter(pk=host.pk).update(clock_jumped_at=FAR_AHEAD, clock_jump_seconds=jump)
        add(host, a_row(FAR_AHEAD, 200))
        clock(FAR_AHEAD + 1000)

    @pytest.mark.parametrize("most_seconds", [None, MAX_IN_BACKGROUND_SECONDS])
    def test_for_a_day_what_was_before_keeps_its_room_and_its_age(self, host, most_seconds):
        apply_retention(max_points=50, most_seconds=most_seconds)
        assert [at for at in left(host) if at < FAR_AHEAD] == a_row(NOW - 500, 100)[-50:]
        assert [at for at in left(host) if at >= FAR_AHEAD] == a_row(FAR_AHEAD, 200)[-50:]
        assert len(left(host, tier=60)) == 10

    def test_after_a_day_the_clock_is_believed(self, host, clock):
        clock(FAR_AHEAD + DAY)
        apply_retention(max_points=50)
        assert left(host) == a_row(FAR_AHEAD, 200)[-50:]
        assert left(host, tier=60) == []

    def test_once_it_is_set_back_all_is_as_before(self, host, clock):
        apply_retention(max_points=50)
        Host.objects.filter(pk=host.pk).update(clock_jumped_at=NOW, clock_jump_seconds=NOW - FAR_AHEAD)
        clock(NOW + 1)
        apply_retention(max_points=50)
        assert left(host) == a_row(NOW - 500, 100)[-50:]


class TestAClockThatStartsInThePast:
    """A board without a battery: the history lies ahead of it."""

    @pytest.fixture(autouse=True)
    def history(self, host):
        add(host, a_row(NOW - 250, 50))
        for tier in (60, 900):
            add(host, [NOW - tier * n for n in range(10)], tier=tier)

    @pytest.mark.parametrize("most_seconds", [None, MAX_IN_BACKGROUND_SECONDS])
    def test_in_1970_nothing_of_it_goes(self, host, clock, most_seconds):
        clock(STRAY + 1000)
        add(host, a_row(STRAY, 30))
        apply_retention(max_points=50, most_seconds=most_seconds)
        assert left(host) == a_row(STRAY, 30) + a_row(NOW - 250, 50)
        assert [len(left(host, tier)) for tier in (60, 900)] == [10, 10]

    def test_when_the_clock_is_right_again_what_was_recorded_in_1970_is_the_oldest(self, host):
        add(host, a_row(STRAY, 30))
        Host.objects.filter(pk=host.pk).update(clock_jumped_at=NOW, clock_jump_seconds=NOW - STRAY)
        apply_retention(max_points=60)
        assert left(host) == a_row(STRAY, 30)[-10:] + a_row(NOW - 250, 50)

    def test_by_a_clock_that_may_be_right_roll_ups_go_only_once_it_has_been_steady_for_a_day(self, host, clock):
        early = NOW - 300 * DAY
        Host.objects.filter(pk=host.pk).update(clock_jumped_at=early, clock_jump_seconds=-300 * DAY)
        clock(early + DAY - 1)
        apply_retention(max_points=50, most_seconds=MAX_IN_BACKGROUND_SECONDS)
        assert len(left(host, 900)) == 10
        clock(early + DAY)
        apply_retention(max_points=50, most_seconds=MAX_IN_BACKGROUND_SECONDS)
        assert left(host, 900) == [NOW - 900 * n for n in range(9, 3, -1)]


def test_roll_ups_of_2099_go_and_those_that_will_soon_be_the_present_stay(host):
    near = NOW + 3600
    add(host, [NOW - 60, near, NOW + 2 * DAY, FAR_AHEAD], tier=60)
    apply_retention()
    assert left(host, 60) == [NOW - 60, near]


def test_roll_ups_are_no_further_than_the_present(host, clock):
    ticks = [*a_row(NOW - 50, 10), *a_row(FAR_AHEAD, 3)]
    Tick.objects.bulk_create(
        Tick(host=host, timestamp=at, resolution=5, lag_milliseconds=0, duration_milliseconds=0) for at in ticks
    )
    add(host, ticks)
    assert roll_up(host) == 13
    assert int(RollUpState.objects.get().newest.timestamp()) == NOW - 5
    assert FAR_AHEAD in left(host, 60)


def test_a_mark_that_was_set_by_a_clock_ahead_is_put_back(host):
    def tick(at):
        made = Tick.objects.create(host=host, timestamp=at, resolution=5, lag_milliseconds=0, duration_milliseconds=0)
        add(host, [at])
        return made

    tick(NOW - 10)
    last = tick(FAR_AHEAD)
    RollUpState.objects.create(host=host, last_tick=last.pk, newest=FAR_AHEAD)
    tick(NOW - 20)
    roll_up(host)
    assert int(RollUpState.objects.get().newest.timestamp()) == NOW - 10


def test_what_is_believed_is_a_table(host):
    def believed(now, jumped_at=None, seconds=None):
        host.clock_jump_seconds = seconds
        host.clock_jumped_at = None
        if jumped_at is not None:
            Host.objects.filter(pk=host.pk).update(clock_jumped_at=jumped_at)
            host.refresh_from_db(fields=["clock_jumped_at"])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.time", lambda: float(now))
            clock = BelievedClock.of(host)
        return clock.now, clock.is_plausible, clock.protects_what_was_before, clock.may_drop_far_ahead

    assert believed(NOW) == (NOW, True, False, True)
    assert believed(STRAY) == (STRAY, False, False, False)
    assert believed(FIRST_PLAUSIBLE - 1)[1] is False
    assert believed(FAR_AHEAD, FAR_AHEAD - 10, 50 * 365 * DAY)[1:] == (True, True, False)
    assert believed(FAR_AHEAD, FAR_AHEAD - 10, 50 * 365 * DAY)[0] == FAR_AHEAD - 50 * 365 * DAY
    # From 1970: what was recorded then is worth no room of its own.
    assert believed(NOW, NOW - 10, NOW - STRAY)[2] is False
    assert believed(NOW, NOW - 10, -(NOW - STRAY)) == (NOW, True, False, False)
    assert believed(NOW, NOW - DAY, 2 * DAY) == (NOW, True, False, True)
