"""The schedules are what the table says, whoever has touched the rows."""

from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule

from metrics.schedules import EXTRAS, JOBS, cluster_name, ensure_schedules


def rows():
    return list(
        Schedule.objects.order_by("func").values(
            "name", "func", "minutes", "schedule_type", "cluster", "repeats", *EXTRAS
        )
    )


def test_they_are_made(db):
    Schedule.objects.all().delete()
    ensure_schedules()
    assert {row["func"] for row in rows()} == {job.func for job in JOBS}
    assert {row["cluster"] for row in rows()} == {"test-host"}


def test_a_migration_makes_them(db):
    assert ensure_schedules() == 0
    assert {row["func"] for row in rows()} == {job.func for job in JOBS}


def test_running_it_twice_changes_nothing(db):
    ensure_schedules()
    before = list(Schedule.objects.values())
    assert ensure_schedules() == 0
    assert list(Schedule.objects.values()) == before


def test_a_row_that_was_changed_is_put_right(db):
    ensure_schedules()
    before = rows()
    Schedule.objects.update(minutes=59, repeats=3, hook="os.system", args="1", kwargs="a=1", intended_date_kwarg="a")
    assert ensure_schedules() == len(JOBS)
    assert rows() == before


def test_a_double_goes(db):
    ensure_schedules()
    Schedule.objects.create(func=JOBS[0].func, cluster=cluster_name(), schedule_type=Schedule.MINUTES, minutes=1)
    assert ensure_schedules() == 1
    assert Schedule.objects.count() == len(JOBS)


def test_a_job_that_is_no_more_goes(db):
    Schedule.objects.create(func="metrics.tasks.gone", cluster=cluster_name(), schedule_type=Schedule.DAILY)
    ensure_schedules()
    assert "metrics.tasks.gone" not in {row["func"] for row in rows()}


def test_another_machines_and_other_apps_rows_are_left_alone(db):
    Schedule.objects.create(func=JOBS[0].func, cluster="another", schedule_type=Schedule.MINUTES, minutes=7)
    Schedule.objects.create(func="shop.tasks.mail", cluster=cluster_name(), schedule_type=Schedule.DAILY)
    ensure_schedules()
    assert Schedule.objects.filter(minutes=7).exists()
    assert Schedule.objects.filter(func="shop.tasks.mail").exists()


def test_what_is_planned_for_after_the_clock_was_set_back_is_due_at_once(db):
    ensure_schedules()
    an_hour_ahead = timezone.now() + timedelta(hours=1)
    Schedule.objects.update(next_run=an_hour_ahead)
    assert ensure_schedules() == len(JOBS)
    assert all(row.next_run <= timezone.now() for row in Schedule.objects.all())


def test_what_is_planned_for_the_next_minute_stays_so(db):
    ensure_schedules()
    soon = timezone.now() + timedelta(seconds=59)
    Schedule.objects.update(next_run=soon)
    assert ensure_schedules() == 0
    assert {row.next_run for row in Schedule.objects.all()} == {soon}
