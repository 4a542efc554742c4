"""Keeps what failed in a table of the program's own, as text."""

import logging
from datetime import datetime
from typing import TypedDict

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_q.conf import Conf
from django_q.utils import get_func_repr

from metrics.formatting.units import visible
from metrics.models import JobFailure

log = logging.getLogger(__name__)

# Of each machine; the newest.
KEPT_FAILURES = 100
MAX_MESSAGE_CHARACTERS, MAX_TRACEBACK_CHARACTERS = 1000, 8000


class Finished(TypedDict):
    """What is read of a task that django-q2 has run; where it failed, `result` is the error and its traceback."""

    func: str
    success: bool
    result: object
    started: datetime
    stopped: datetime


def save_failure(task: Finished, broker: object = None) -> None:  # noqa: ARG001 (django-q2 says what it gets)
    """Store a task that failed; one that succeeded leaves nothing."""
    if task["success"]:
        return
    close_old_connections()
    machine = Conf.CLUSTER_NAME
    message, _separator, traceback = str(task["result"]).partition(" : Traceback")
    try:
        JobFailure.objects.create(
            machine=machine,
            job=str(get_func_repr(task["func"])),
            started_at=task["started"],
            failed_at=task["stopped"] or timezone.now(),
            message=visible(message, MAX_MESSAGE_CHARACTERS),
            traceback=_storable(f"Traceback{traceback}" if traceback else "")[-MAX_TRACEBACK_CHARACTERS:],
        )
        _forget_old(machine)
    except DatabaseError as error:
        log.error("a failed job cannot be stored: %s", error)


def _forget_old(machine: str) -> None:
    rows = JobFailure.objects.filter(machine=machine).order_by("-pk")
    last = rows.values_list("pk", flat=True)[KEPT_FAILURES : KEPT_FAILURES + 1].first()
    if last is not None:
        rows.order_by().filter(pk__lte=last).delete()


def _storable(text: str) -> str:
    """Without what no database takes: NUL, and half a character."""
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()
