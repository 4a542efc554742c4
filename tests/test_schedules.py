"""The schedules are what the table says, whoever has touched the rows."""

from django_q.models import Schedule

from metrics.schedules import JOBS, cluster_name, ensure_schedules


def rows():
    return list(
        Schedule.objects.order_by("func").values("name", "func", "minutes", "schedule_type", "cluster", "repeats")
    )


def test_they_are_made(db):
    ensure_schedules()
    assert {row["func"] for row in rows()} == {job.func for job in JOBS}
    assert {row["cluster"] for row in rows()} == {"test-host"}


def test_running_it_twice_changes_nothing(db):
    ensure_schedules()
    before = list(Schedule.objects.values())
    assert ensure_schedules() == 0
    assert list(Schedule.objects.values()) == before


def test_a_row_that_was_changed_is_put_right(db):
    ensure_schedules()
    before = rows()
    Schedule.objects.update(minutes=59, repeats=3)
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
