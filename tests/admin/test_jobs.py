"""What is scheduled and what failed, in the admin."""

from django_q.models import Schedule

from metrics.models import JobFailure, ScheduledJob
from metrics.schedules import JOBS, ensure_schedules
from tests.admin.conftest import ATTACK, detail_path, list_path, text_of


def test_a_row_that_is_no_job_of_the_program_is_called_refused(superuser_client):
    assert ensure_schedules() == 0
    assert "refused" not in text_of(superuser_client.get(list_path(ScheduledJob)))
    Schedule.objects.create(func=JOBS[1].func, hook="os.system", cluster="web-1")
    Schedule.objects.create(func="os.system", args="'id'", cluster="web-1")
    text = text_of(superuser_client.get(list_path(ScheduledJob)))
    assert text.count("▲ refused") == 2
    assert text.count("● job of this program") == len(JOBS)


def test_what_a_row_would_have_run_can_be_read(recorded, superuser_client):
    text = text_of(superuser_client.get(detail_path(recorded[ScheduledJob])))
    assert "os.system" in text
    assert "&#x27;id&#x27;" in text


def test_what_failed_says_why_and_is_text(recorded, superuser_client):
    text = text_of(superuser_client.get(detail_path(recorded[JobFailure])))
    assert ATTACK not in text
    assert text.count("&lt;img src=x") >= 2
