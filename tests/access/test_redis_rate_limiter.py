"""With REDIS_URL the rates are counted in Redis, by a real one."""

import time

import pytest

from metrics.access.rate_limiter import RateLimiter
from metrics.access.redis_rate_limiter import RedisRateLimiter
from tests.redis_server import running_redis


@pytest.fixture
def server(tmp_path, settings):
    with running_redis(tmp_path) as (address, process):
        settings.REDIS_URL = address
        yield process


@pytest.fixture
def spare(tmp_path):
    return tmp_path / "attempts.sqlite3"


@pytest.fixture
def attempts(server, spare):
    return RedisRateLimiter(RateLimiter(spare))


def test_one_more_than_the_rate_has_to_wait(attempts):
    assert [attempts.acquire("sign-in 3/min a", 3, 60) for _ in range(3)] == [0, 0, 0]
    assert 58 < attempts.acquire("sign-in 3/min a", 3, 60) <= 60
    assert attempts.acquire("sign-in 3/min b", 3, 60) == 0


def test_how_long_it_takes_is_told_without_counting(attempts):
    assert [attempts.wait("a", 1, 60) for _ in range(3)] == [0, 0, 0]
    assert attempts.acquire("a", 1, 60) == 0
    assert 58 < attempts.wait("a", 1, 60) <= 60


def test_there_is_room_again_when_the_time_is_over(attempts, spare):
    assert attempts.acquire("a", 1, 0.05) == 0
    assert not spare.exists()
    until = time.monotonic() + 0.06
    while time.monotonic() < until:
        pass
    assert attempts.acquire("a", 1, 0.05) == 0


def test_several_machines_share_one_count(attempts, tmp_path):
    other = RedisRateLimiter(RateLimiter(tmp_path / "other.sqlite3"))
    assert [one.acquire("a", 1, 60) > 0 for one in (attempts, other)] == [False, True]


def test_while_redis_is_away_this_machine_counts_alone(attempts, server):
    server.kill()
    server.wait()
    assert [attempts.acquire("a", 1, 60) > 0 for _ in range(2)] == [False, True]
    assert attempts.wait("a", 1, 60) > 0
