"""The queue of django-q2 in Redis, which may go away and come back: the recorder goes on, and so does the cluster."""

import contextlib
import logging
import time
from typing import Any

from django.conf import settings
from django_q.brokers.redis_broker import Redis as RedisBroker
from redis import Redis, RedisError
from typing_extensions import override

from metrics.lifeline import attached
from sysmon_project.redis_options import QUEUE_OPTIONS

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class QueueSilent(ConnectionError):
    """Redis does not answer."""


class RedisQueue(RedisBroker):  # type: ignore[misc]
    """django-q2's own, but that it waits for a Redis that does not answer, where the cluster would start parts anew and
    log each time. Named in the settings."""

    _is_silent = False

    @staticmethod
    @override
    def get_connection(list_key: str | None = None) -> Any:
        return Redis.from_url(settings.REDIS_URL, **QUEUE_OPTIONS)

    @override
    def dequeue(self) -> Any:
        try:
            task = super().dequeue()
        except RedisError as error:
            self._wait(error)
            return None
        if self._is_silent:
            self._is_silent = False
            log.warning("Redis answers again")
        return task

    @override
    def enqueue(self, task: str) -> Any:
        try:
            return super().enqueue(task)
        except RedisError as error:
            raise QueueSilent(f"Redis does not answer: {error}") from None

    @override
    def purge_queue(self) -> Any:
        try:
            return super().purge_queue()
        except RedisError as error:
            raise QueueSilent(f"Redis does not answer: {error}") from None

    @override
    def ping(self) -> bool:
        """A cluster may begin without."""
        with contextlib.suppress(RedisError):
            return bool(self.connection.ping())
        return True

    @override
    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """What the admin's monitor of django-q2 shows, each second."""
        with contextlib.suppress(RedisError):
            super().set_stat(key, value, timeout)

    def _wait(self, error: RedisError) -> None:
        attached().excuse_hand_over()
        if not self._is_silent:
            self._is_silent = True
            log.error("no window can take over while Redis does not answer: %s", error)
        time.sleep(PAUSE_SECONDS)
