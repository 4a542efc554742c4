"""The wall clock of the real program is set, and the program is stopped for a while."""

import itertools
import mmap
import os
import signal
import struct
import subprocess
import time
from datetime import UTC, datetime

import pytest

from metrics.formatting.moments import parse_moment
from tests.skips import needs
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.soak,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]

# Loaded before everything else: moves the wall clock, and only that, by the seconds that a file holds.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    static volatile long long *offset;
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    if (!offset)
        offset = mmap(0, 8, PROT_READ, MAP_SHARED, open(getenv("CLOCK_OFFSET_FILE"), O_RDONLY), 0);
    int answer = real(clock, now);
    if (!answer && clock == CLOCK_REALTIME)
        now->tv_sec += *offset;
    return answer;
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    directory = tmp_path_factory.mktemp("clock")
    (directory / "clock.c").write_text(SHIM)
    command = [needs("cc", "gcc"), "-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"]
    subprocess.run(command, cwd=directory, check=True)
    return directory / "clock.so"


class Clock:
    """The wall clock that a program sees, some seconds from the machine's."""

    def __init__(self, file):
        file.write_bytes(bytes(8))
        self.file, self.offset_seconds = file, 0
        with file.open("r+b") as stream:
            self._shared = mmap.mmap(stream.fileno(), 8)

    def set(self, offset_seconds):
        self._shared[:] = struct.pack("q", offset_seconds)
        self.offset_seconds = offset_seconds

    def now(self):
        return time.time() + self.offset_seconds


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "offset")


@pytest.fixture
def up(tmp_path, shim, clock):
    running = Up(tmp_path / "data", LD_PRELOAD=str(shim), CLOCK_OFFSET_FILE=str(clock.file))
    running.start()
    assert eventually(lambda: len(running.ticks()) >= 3, 15)
    yield running
    running.end_for_sure()


def recorded_since(up, moment, count):
    """Wait for so many ticks after a moment; they are as far apart as the interval."""
    assert eventually(lambda: len([tick for tick in up.ticks() if tick >= moment]) >= count, 20), up.log.read_text()
    return [tick for tick in up.ticks() if tick >= moment]


def assert_no_rate_is_absurd(up):
    percents = up.query("SELECT MIN(percent), MAX(percent) FROM metrics_cpusample WHERE tier = 0")[0]
    assert 0 <= percents[0] <= percents[1] <= 100 * 100
    columns = ("context_switches_per_second", "interrupts_per_second")
    lowest = up.query(f"SELECT {', '.join(f'MIN({name})' for name in columns)} FROM metrics_cpusample")[0]
    assert min(lowest) >= 0


def assert_nobody_was_restarted(up, recorder):
    assert up.recorder().pid == recorder.pid
    assert "started again" not in up.log.read_text()


def test_a_clock_set_forward_an_hour(up, clock, is_soak):
    before, recorder = up.ticks(), up.recorder()
    clock.set(3600)
    ticks = recorded_since(up, before[-1] + 3500, 4)
    assert {later - earlier for earlier, later in itertools.pairwise(ticks)} == {1}
    assert eventually(lambda: up.get("/api/v1/health")[0] == 200, 10)
    assert set(before) <= set(up.ticks())
    assert_no_rate_is_absurd(up)
    assert_nobody_was_restarted(up, recorder)
    if is_soak:
        stays_without_a_hole(up, clock, 240)


def test_a_clock_set_back_an_hour(up, clock, is_soak):
    before, recorder = up.ticks(), up.recorder()
    assert eventually(lambda: up.query("SELECT next_run FROM django_q_schedule"), 10)
    clock.set(-3600)
    assert eventually(lambda: up.ticks()[0] < before[0] - 3500, 20), up.log.read_text()
    ticks = recorded_since(up, before[0] - 3700, len(before) + 4)
    assert set(before) <= set(ticks)
    # What is shown is what is recorded now, and not what was recorded an hour ahead of it.
    assert eventually(lambda: up.get("/api/v1/health")[0] == 200, 10)
    assert abs(clock.now() - parse_moment(up.get("/api/v1/metrics/current")[1]["timestamp"])) < 10
    assert_no_rate_is_absurd(up)
    assert_nobody_was_restarted(up, recorder)
    # What django-q2 starts by the clock does not wait for an hour.
    soon = datetime.fromtimestamp(clock.now() + 150, UTC).isoformat(" ")
    far = f"SELECT COUNT(*) FROM django_q_schedule WHERE next_run > '{soon}'"
    assert up.query(far) == [(0,)]
    if is_soak:
        stays_without_a_hole(up, clock, 240)


def stays_without_a_hole(up, clock, seconds):
    """Over some hand-overs, that is."""
    start = clock.now()
    assert eventually(lambda: clock.now() > start + seconds, seconds + 10)
    ticks = [tick for tick in up.ticks() if start <= tick <= clock.now()]
    assert max(later - earlier for earlier, later in itertools.pairwise(ticks)) == 1


def test_times_that_were_recorded_before_the_clock_was_set_back_stay_as_they_are(up, clock):
    clock.set(12)
    ahead = recorded_since(up, up.newest_tick() + 8, 4)
    clock.set(0)
    # It notices when it wakes up for the tick that it was waiting for.
    back = int(time.time()) + 3
    digest = up.query("SELECT * FROM metrics_cpusample WHERE tier = 0 ORDER BY id")
    assert eventually(lambda: up.newest_tick() > ahead[-1] + 2, 30), up.log.read_text()
    assert up.query("SELECT * FROM metrics_cpusample WHERE tier = 0 ORDER BY id")[: len(digest)] == digest
    # Before and after them everything was recorded.
    assert set(range(back, ahead[-1] + 3)) <= set(up.ticks())
    assert up.log.read_text().count("its tick is dropped") == 1


def test_a_program_that_was_stopped_goes_on_by_itself(up, is_soak):
    before, recorder = up.newest_tick(), up.recorder()
    for process in up.processes():
        process.send_signal(signal.SIGSTOP)
    assert not eventually(lambda: up.newest_tick() > before + 2, 60 if is_soak else 22)
    for process in up.processes():
        process.send_signal(signal.SIGCONT)
    after = recorded_since(up, int(time.time()) - 1, 4)
    assert {later - earlier for earlier, later in itertools.pairwise(after)} == {1}
    assert_no_rate_is_absurd(up)
    assert_nobody_was_restarted(up, recorder)


@pytest.mark.parametrize("moment", [4_070_908_800, 600_000])
def test_a_clock_that_says_2099_or_1970_for_a_while_is_not_where_the_present_is(up, clock, moment):
    def recorded_around(start):
        return [tick for tick in up.ticks() if start <= tick < start + 60]

    def age_of_the_newest():
        return clock.now() - parse_moment(up.get("/api/v1/metrics/current")[1]["timestamp"])

    before, recorder = up.ticks(), up.recorder()
    clock.set(moment - int(time.time()))
    assert eventually(lambda: len(recorded_around(moment)) >= 4, 20), up.log.read_text()
    assert abs(age_of_the_newest()) < 10
    clock.set(0)
    back = int(time.time())
    assert eventually(lambda: len(recorded_around(back)) >= 4, 30), up.log.read_text()
    assert set(before) <= set(up.ticks())
    assert len(recorded_around(moment)) >= 4
    assert abs(age_of_the_newest()) < 10
    points = up.get("/api/v1/metrics/cpu?step=auto")[1]["results"]
    assert {point["resolution"] for point in points} == {1}
    assert all(before[0] <= parse_moment(point["timestamp"]) <= time.time() for point in points)
    assert "the clock jumped" in up.get("/api/v1/health")[1]["checks"]["clock"]["message"]
    assert_no_rate_is_absurd(up)
    assert_nobody_was_restarted(up, recorder)
