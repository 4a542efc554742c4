"""The queue of django-q2 in Redis, which may go away and come back: the recorder goes on, and so does the cluster.

What an entry is, `own_jobs` says; what a cluster says of itself there, `cluster_status`.
"""

import contextlib
import logging
import time
from typing import Any

from django_q.brokers.redis_broker import Redis as RedisBroker
from redis import Redis, RedisError
from typing_extensions import override

from metrics import conf
from metrics.recording.heartbeat import attached
from metrics.supervision.cluster_status import json_of, package_of_status
from metrics.supervision.own_jobs import entry_of, package_for, refuse
from metrics.supervision.redis_options import QUEUE_OPTIONS

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
        return Redis.from_url(conf.redis_url(), **QUEUE_OPTIONS)

    @override
    def dequeue(self) -> Any:
        try:
            found = super().dequeue()
        except RedisError as error:
            self._wait(error)
            return None
        if self._is_silent:
            self._is_silent = False
            log.warning("Redis answers again")
        return self._only_jobs(found or [])

    @override
    def enqueue(self, task: str) -> Any:
        try:
            return super().enqueue(entry_of(task))
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
        """What `qmonitor` and `qinfo` show, every few seconds."""
        with contextlib.suppress(RedisError):
            super().set_stat(key, json_of(value), timeout)

    @override
    def get_stat(self, key: str) -> str | None:
        """One cluster's, None where it says nothing."""
        return package_of_status(super().get_stat(key))

    @override
    def get_stats(self, pattern: str) -> list[str]:
        """All clusters'."""
        return [package for text in super().get_stats(pattern) or [] if (package := package_of_status(text))]

    @staticmethod
    def _only_jobs(found: list[tuple[None, bytes]]) -> list[tuple[None, str]]:
        entries = [entry.decode(errors="backslashreplace") for _key, entry in found]
        packages = [(entry, package_for(entry)) for entry in entries]
        for entry in [entry for entry, package in packages if package is None]:
            refuse(entry, "the queue")
        return [(None, package) for _entry, package in packages if package]

    def _wait(self, error: RedisError) -> None:
        attached().suspend_deadline()
        if not self._is_silent:
            self._is_silent = True
            log.error("no window can take over while Redis does not answer: %s", error)
        time.sleep(PAUSE_SECONDS)
