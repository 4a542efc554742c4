"""The memory of the rate limits: no rate is passed, by no number of threads or processes."""

import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from metrics.access import rate_limiter as attempts_module
from metrics.access.rate_limiter import TIDY_EVERY, RateLimiter
from tests.source import ROOT


@pytest.fixture
def clock(monkeypatch):
    """Set by hand: `clock.now = 5`."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(attempts_module, "time", made)
    return made


@pytest.fixture
def attempts(tmp_path):
    return RateLimiter(tmp_path / "attempts.sqlite3")


def test_one_more_than_the_rate_has_to_wait(attempts, clock):
    assert [attempts.acquire("a", 3, 60) for _ in range(4)] == [0, 0, 0, 60]


def test_there_is_room_as_soon_as_the_oldest_attempt_no_longer_counts(attempts, clock):
    for moment in (1000, 1010, 1020):
        clock.now = moment
        attempts.acquire("a", 3, 60)
    assert attempts.acquire("a", 3, 60) == 40
    clock.now = 1060
    assert attempts.acquire("a", 3, 60) == 0
    assert attempts.acquire("a", 3, 60) == 10


def test_how_long_it_takes_is_told_without_counting(attempts, clock):
    assert [attempts.wait("a", 2, 60) for _ in range(5)] == [0] * 5
    assert [attempts.acquire("a", 2, 60) for _ in range(2)] == [0, 0]
    clock.now += 10
    assert [attempts.wait("a", 2, 60) for _ in range(2)] == [50, 50]
    assert attempts.wait("b", 2, 60) == 0


def test_who_is_refused_does_not_wait_longer_for_asking_again(attempts, clock):
    attempts.acquire("a", 1, 60)
    for second in range(59):
        clock.now = 1001 + second
        assert attempts.acquire("a", 1, 60) == 59 - second
    clock.now = 1060
    assert attempts.acquire("a", 1, 60) == 0


def test_in_no_stretch_of_time_are_there_more_than_the_rate(attempts, clock):
    admitted = []
    for step in range(1000):
        clock.now = 1000 + step * 0.7
        if attempts.acquire("a", 7, 60) == 0:
            admitted.append(clock.now)
    assert max(sum(moment <= other < moment + 60 for other in admitted) for moment in admitted) == 7


def test_each_subject_has_its_own_count(attempts, clock):
    assert [attempts.acquire(subject, 1, 60) for subject in "aba"] == [0, 0, 60]


def test_a_machine_that_was_started_anew_has_a_clock_that_began_anew(attempts, clock):
    clock.now = 900_000
    attempts.acquire("a", 1, 60)
    clock.now = 5
    assert attempts.acquire("a", 1, 60) == 0


def test_what_no_longer_counts_is_deleted(attempts, clock, tmp_path):
    for number in range(TIDY_EVERY - 1):
        attempts.acquire(str(number), 5, 60)
    clock.now += 61
    attempts.acquire("last", 5, 60)
    with sqlite3.connect(tmp_path / "attempts.sqlite3") as connection:
        assert connection.execute("SELECT subject FROM attempts").fetchall() == [("last",)]
        assert connection.execute("SELECT subject FROM subjects").fetchall() == [("last",)]


def test_threads_share_one_count(tmp_path):
    def ask(_number):
        return RateLimiter(tmp_path / "attempts.sqlite3").acquire("a", 20, 600) == 0

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(60))) == 20


def test_processes_share_one_count(tmp_path):
    program = (
        "import sys; from pathlib import Path; from metrics.access.rate_limiter import RateLimiter;"
        "a = RateLimiter(Path(sys.argv[1])); print(sum(a.acquire('a', 100, 600) == 0 for _ in range(80)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "attempts.sqlite3")]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(process.communicate()[0]) for process in running) == 100


def test_those_who_make_the_file_at_once_share_one_count(tmp_path):
    """SQLite does not wait by itself for whoever switches a new file to a log."""
    barrier = Barrier(4)

    def ask(file):
        attempts = RateLimiter(file)
        barrier.wait()
        return [attempts.acquire("a", 6, 600) == 0 for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            found = pool.map(ask, [tmp_path / f"{number}.sqlite3"] * 4)
            assert sum(map(sum, found)) == 6, number


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_that_cannot_be_used_is_no_error_and_the_rate_holds(tmp_path, clock, content):
    file = tmp_path / "attempts.sqlite3"
    file.write_bytes(content) if content else file.mkdir()
    attempts = RateLimiter(file)
    assert [attempts.acquire("a", 2, 60) for _ in range(3)] == [0, 0, 60]


def test_a_locked_file_is_not_waited_for_long(tmp_path):
    attempts = RateLimiter(tmp_path / "attempts.sqlite3")
    attempts.acquire("a", 5, 60)
    with sqlite3.connect(tmp_path / "attempts.sqlite3", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert attempts.acquire("a", 5, 60) == 0
        assert time.monotonic() - began < 2
