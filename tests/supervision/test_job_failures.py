"""What failed is kept as text, the newest of each machine; what succeeded is not kept."""

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_q.models import Task

from metrics.models import JobFailure
from metrics.schedules import JOBS
from metrics.supervision import job_failures
from metrics.supervision.job_failures import save_failure


def finished(result="went wrong : Traceback (most recent call last):\n  File x\nValueError: went wrong", **values):
    now = timezone.now()
    return {"func": JOBS[1].func, "success": False, "result": result, "started": now, "stopped": now, **values}


def test_a_failure_is_kept_as_text(one_connection):
    save_failure(finished())
    row = JobFailure.objects.get()
    assert (row.machine, row.job, row.message) == ("test-host", JOBS[1].func, "went wrong")
    assert row.traceback.startswith("Traceback (most recent call last)")
    assert Task.objects.count() == 0


def test_a_success_leaves_nothing(one_connection):
    save_failure(finished(success=True))
    assert (JobFailure.objects.count(), Task.objects.count()) == (0, 0)


def test_the_newest_of_each_machine_are_kept(one_connection, monkeypatch):
    monkeypatch.setattr(job_failures, "KEPT_FAILURES", 3)
    now = timezone.now()
    JobFailure.objects.create(machine="other", job="j", started_at=now, failed_at=now, message="", traceback="")
    for number in range(6):
        save_failure(finished(f"failure {number}"))
    rows = JobFailure.objects.filter(machine="test-host")
    assert {row.message for row in rows} == {"failure 3", "failure 4", "failure 5"}
    assert JobFailure.objects.filter(machine="other").count() == 1


@pytest.mark.parametrize("text", ["\0", "\ud800", "x" * 1_000_000, "", None, "a\nb\x1b[2J"])
def test_whatever_an_error_says_can_be_stored(one_connection, text):
    save_failure(finished(text))
    save_failure(finished(f"{text} : Traceback {text}"))
    assert JobFailure.objects.count() == 2
    longest = max(len(row.message) + len(row.traceback) for row in JobFailure.objects.all())
    assert longest < 20_000


def test_a_database_that_takes_nothing_is_a_line(one_connection, monkeypatch, caplog):
    def fail(**_values):
        raise DatabaseError("full")

    monkeypatch.setattr(JobFailure.objects, "create", fail)
    save_failure(finished())
    assert "a failed job cannot be stored: full" in caplog.text
