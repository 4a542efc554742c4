"""The memory of the rate limits in Redis (REDIS_URL): for several machines, with the clock of the Redis server."""

from typing import Any

from django.core.cache import caches
from redis.exceptions import RedisError

from metrics.access.rate_limiter import RateLimiter

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
        cache: Any = caches["default"]
        key = cache.make_and_validate_key(f"attempts {subject}".replace(" ", ":"))
        try:
            client = cache._cache.get_client(key, write=True)
            return max(0.0, float(client.eval(ADMIT, 1, key, most, seconds, int(is_attempt))))
        except RedisError:
            return None
