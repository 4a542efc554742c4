"""How patient the program is with Redis: not at all, since it goes on without. Imported only where REDIS_URL is set."""

from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry

# One try more at once: a connection that the server has closed meanwhile is noticed by the first.
ONCE_MORE = Retry(NoBackoff(), 1)
CACHE_OPTIONS: dict[str, Any] = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "retry": ONCE_MORE}
# The queue waits for a second for a task.
QUEUE_OPTIONS: dict[str, Any] = {"socket_connect_timeout": 1.0, "socket_timeout": 3.0, "retry": ONCE_MORE}
