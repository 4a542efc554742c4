"""What is taken from the schedule: when a job is due, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from metrics.schedules import JOBS, cluster_name, ensure_schedules
from metrics.supervision import scheduler
from metrics.supervision.database_queue import DatabaseQueue
from metrics.supervision.scheduler import next_run, queue_due_jobs

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
JOB = JOBS[1].func
# What a row may hold that is none of the schedule's own; each beside `os.mkdir` and beside a job's name.
ODD = {
    "arguments": {"args": "'{mark}'"},
    "a keyword": {"kwargs": "path='{mark}'"},
    "at once": {"args": "'{mark}'", "kwargs": "{{'q_options': {{'sync': True}}}}"},
    "no dictionary": {"kwargs": "[1]"},
    "no literal": {"kwargs": ")(", "args": "__import__('os').mkdir('{mark}')"},
    "deep": {"args": "(" * 5000},
    "a hook": {"hook": "os.system"},
    "the date": {"intended_date_kwarg": "path"},
}


@pytest.fixture
def queue(one_connection):
    scheduler._refused.clear()
    Schedule.objects.all().delete()
    return DatabaseQueue(list_key=cluster_name())


def plant(func, **values):
    values = {"cluster": cluster_name(), "next_run": timezone.now() - timedelta(hours=1), **values}
    Schedule.objects.bulk_create([Schedule(func=func, **values)])


def queued():
    return sorted(OrmQ.objects.values_list("payload", flat=True))


def test_what_is_due_is_queued_by_its_name_and_planned_anew(queue):
    ensure_schedules()
    Schedule.objects.update(next_run=timezone.now() - timedelta(seconds=1))
    queue_due_jobs(queue)
    assert queued() == sorted(job.func for job in JOBS)
    assert all(row.next_run > timezone.now() for row in Schedule.objects.all())
    queue_due_jobs(queue)
    assert len(queued()) == len(JOBS)


def test_what_is_not_due_is_not_queued(queue):
    ensure_schedules()
    Schedule.objects.update(next_run=timezone.now() + timedelta(seconds=30))
    queue_due_jobs(queue)
    assert queued() == []


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("func", ["os.mkdir", JOB])
def test_what_else_a_row_holds_is_neither_run_nor_read(queue, func, odd, tmp_path, refused):
    mark = tmp_path / "ran"
    plant(func, **{name: text.format(mark=mark) for name, text in ODD[odd].items()})
    queue_due_jobs(queue)
    assert queued() == []
    assert not mark.exists()
    assert len(refused()) == 1


def test_a_row_of_a_job_with_more_in_it_is_put_right(queue, refused):
    ensure_schedules()
    Schedule.objects.exclude(func=JOB).delete()
    Schedule.objects.filter(func=JOB).update(hook="os.system", args="1", next_run=LONG_AGO)
    queue_due_jobs(queue)
    assert queued() == []
    queue_due_jobs(queue)
    assert JOB in queued()
    assert len(refused()) == 1
    assert not Schedule.objects.exclude(hook=None).exists()


@pytest.mark.parametrize("kind", [Schedule.ONCE, Schedule.CRON, Schedule.MINUTES, "?"])
def test_a_foreign_function_is_refused_whatever_its_row_says(queue, kind, refused):
    plant("os.getpid", schedule_type=kind, cron="x", minutes=0, repeats=-7)
    queue_due_jobs(queue)
    assert (queued(), len(refused())) == ([], 1)


def test_a_row_of_no_cluster_is_refused_too(queue, refused):
    plant("os.getpid", cluster=None)
    plant(JOB, cluster=None)
    queue_due_jobs(queue)
    assert (queued(), len(refused())) == ([], 2)


def test_another_machines_rows_are_left_alone(queue, refused):
    plant("os.getpid", cluster="other-host")
    plant(JOB, cluster="other-host")
    queue_due_jobs(queue)
    assert (queued(), refused()) == ([], [])


def test_a_row_that_was_refused_stays_and_is_named_once(queue, refused):
    plant("os.getpid")
    for _look in range(3):
        queue_due_jobs(queue)
    assert len(refused()) == 1
    assert Schedule.objects.filter(func="os.getpid").exists()


def test_foreign_rows_hold_up_no_job(queue):
    Schedule.objects.bulk_create(
        Schedule(func="os.getpid", cluster=cluster_name(), next_run=timezone.now() - timedelta(days=1))
        for _number in range(2 * scheduler.MAX_REFUSED)
    )
    plant(JOB)
    queue_due_jobs(queue)
    assert queued() == [JOB]


def test_doubles_of_a_job_are_one_run(queue):
    for _number in range(20):
        plant(JOB, schedule_type=Schedule.MINUTES)
    queue_due_jobs(queue)
    assert queued() == [JOB]


def test_the_next_run_keeps_its_step_however_long_nobody_looked():
    now = timezone.now()
    planned = now - timedelta(minutes=5, seconds=20)
    assert next_run(planned, 1) == planned + timedelta(minutes=6)
    assert timedelta(0) < next_run(LONG_AGO, 1) - timezone.now() <= timedelta(minutes=1)


def test_a_database_that_does_not_answer_is_a_line(queue, monkeypatch, caplog):
    def fail(_condition):
        raise OperationalError("gone")

    monkeypatch.setattr(scheduler, "_due", fail)
    queue_due_jobs(queue)
    assert "the schedule cannot be read: gone" in caplog.text
