"""What somebody might leave in a queue, a schedule or a table of results for another to run or to unpickle."""

import base64
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone
from django_q.signing import SignedPackage

from metrics.schedules import JOBS

JOB = JOBS[1].func


class Runs:
    """An object whose pickle makes a file where it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._mark),)


def pickled(mark: Path) -> str:
    """As django-q2 stores a result."""
    return base64.b64encode(pickle.dumps(Runs(mark))).decode()


def task(**values: Any) -> dict[str, Any]:
    """A task as django-q2 queues one."""
    return {"id": "1", "name": "n", "func": JOB, "args": (), "kwargs": {}, "started": timezone.now(), **values}


# Entries of a queue, by how they were made; the signed ones with the secret key. Each would make the file `mark`.
FOREIGN: dict[str, Callable[[Path], str]] = {
    "a name": lambda _mark: "os.system",
    "a job with something behind it": lambda _mark: f"{JOB}:x",
    "a job with a line break": lambda _mark: f"{JOB}\n",
    "another function beside the jobs": lambda _mark: "metrics.tasks.prune_task_results",
    "nothing": lambda _mark: "",
    "an escape": lambda _mark: "\x1b[2J\r\nCRITICAL all is well",
    "very long": lambda _mark: "x" * 1_000_000,
    "a pickle": pickled,
    "a signed pickle": lambda mark: SignedPackage.dumps(Runs(mark)),
    "a signed task": lambda mark: SignedPackage.dumps(task(func="os.mkdir", args=(str(mark),))),
    "a signed job with a hook": lambda _mark: SignedPackage.dumps(task(hook="os.system")),
    "a signed job": lambda _mark: SignedPackage.dumps(task()),
}
