"""The memory of the rate limits in Redis (REDIS_URL): for several machines, with the clock of the Redis server."""

from functools import cache
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from metrics import conf
from metrics.access.rate_limiter import RateLimiter

# A request does not wait for Redis. One try more at once: a connection that the server has closed meanwhile is noticed
# by the first.
TIMEOUT_SECONDS, ONCE_MORE = 0.5, Retry(NoBackoff(), 1)

# One step for Redis, so that no two requests see the same free place.
ADMIT = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
local counted = redis.call('ZCARD', KEYS[1])
if counted >= tonumber(ARGV[1]) then
    return tostring(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] + ARGV[2] - now)
end
if ARGV[3] == '1' then
    redis.call('ZADD', KEYS[1], now, now .. ' ' .. counted)
    redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] * 1000))
end
return '0'
"""


class RedisRateLimiter:
    """Attempts by subject, as `RateLimiter`, which counts for this machine alone while Redis does not answer."""

    def __init__(self, spare: RateLimiter) -> None:
        self._spare = spare

    def acquire(self, subject: str, most: int, seconds: float) -> float:
        """Count an attempt, and return 0; or do not, and return after how many seconds there is room for one."""
        wait = self._ask(subject, most, seconds, is_attempt=True)
        return self._spare.acquire(subject, most, seconds) if wait is None else wait

    def wait(self, subject: str, most: int, seconds: float) -> float:
        """After how many seconds there is room for an attempt, 0 where there is; counts none."""
        wait = self._ask(subject, most, seconds, is_attempt=False)
        return self._spare.wait(subject, most, seconds) if wait is None else wait

    def _ask(self, subject: str, most: int, seconds: float, *, is_attempt: bool) -> float | None:
        """None where Redis does not answer."""
        key = f"sysmon attempts {subject}".replace(" ", ":")
        try:
            wait: Any = _client(conf.redis_url()).eval(ADMIT, 1, key, most, seconds, int(is_attempt))
            return max(0.0, float(wait))
        except RedisError:
            return None


@cache
def _client(address: str) -> Redis:
    """One for all threads of a process, each of which takes a connection of it."""
    timeouts = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}
    client: Redis = Redis.from_url(address, retry=ONCE_MORE, **timeouts)
    return client
