"""What stands between django-q2 and a queue: the queue holds names of jobs, and nothing else.

django-q2 queues a signed pickle, which whoever knows the secret key can make of anything. Here an entry of the queue is
the dotted path of a job as text. It is looked up in the table of jobs before anything else is done with it, and the
package that django-q2 works with is made anew by the process that took it. So whoever can write to the queue, with or
without the secret key, can have a job run once more, and nothing else.
"""

import logging
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django_q.signing import SignedPackage
from django_q.utils import get_func_repr

from metrics.formatting.units import visible
from metrics.schedules import Job, job_named

log = logging.getLogger(__name__)

# Longer than the name of any job; the rest of an entry is not even read.
MAX_ENTRY_CHARACTERS = 200
MAX_LOGGED_CHARACTERS = 120
# What a task may hold beside its function that would make it run something else, or with something else.
_EXTRAS = ("args", "kwargs", "hook", "chain")


def entry_of(package: str) -> str:
    """What is queued for a package that this process has made a moment ago: the name of a job, or a description that is
    none, which the cluster then refuses."""
    task: Any = SignedPackage.loads(package)
    extras = {name: task[name] for name in _EXTRAS if task.get(name)}
    func = get_func_repr(task["func"])
    return (f"{func} with {extras}" if extras else str(func))[:MAX_ENTRY_CHARACTERS]


def package_of(job: Job) -> str:
    """A new package for one run of a job, as django-q2 takes it."""
    return SignedPackage.dumps(
        {
            "id": uuid4().hex, "name": job.name, "group": job.name, "func": job.func, "args": (), "kwargs": {},
            "started": timezone.now(), "ack_failure": True,
        }
    )  # fmt: skip


def package_for(entry: str) -> str | None:
    """The package for an entry of the queue; None for one that names no job."""
    job = job_named(entry)
    return package_of(job) if job else None


def refuse(what: str, where: str, count: int = 1) -> None:
    """Say in the log what was refused; `what` may be anybody's text, `count` are as many of it. The log shows few such
    lines a minute, see sysmon_project/log.py."""
    others = f"; {count - 1} others like it were refused too" if count > 1 else ""
    shown = visible(what, MAX_LOGGED_CHARACTERS)
    log.warning("refused a task of %s that is no job of this program: %s%s", where, shown, others)
