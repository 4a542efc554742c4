"""How patient the program is with Redis: not at all, since it goes on without. Imported only where REDIS_URL is set."""

import json
from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry

# One try more at once: a connection that the server has closed meanwhile is noticed by the first.
ONCE_MORE = Retry(NoBackoff(), 1)


class JsonSerializer:
    """Values of the cache as JSON: Django's own are pickles, and whoever can write to Redis would run anything."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """None, as where nothing is kept, for what is no JSON."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


CACHE_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "retry": ONCE_MORE,
    "serializer": JsonSerializer,
}
# The queue waits for a second for a task.
QUEUE_OPTIONS: dict[str, Any] = {"socket_connect_timeout": 1.0, "socket_timeout": 3.0, "retry": ONCE_MORE}
