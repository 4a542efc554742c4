"""django-q2 as this project has it: it runs the program's own jobs and nothing else, and is not in the admin.

Named in INSTALLED_APPS in its place. A project of somebody else's that has the app `metrics` keeps django-q2's own.
"""

from typing import Any

from django.contrib import admin
from django.db import router
from django.db.models.signals import post_migrate
from django_q.apps import DjangoQConfig
from typing_extensions import override


class OwnJobsConfig(DjangoQConfig):
    """The app `django_q`."""

    # Asked by metrics.schedules: a row of the schedule then holds nothing but when a job is due.
    runs_only_own_jobs = True

    @override
    def ready(self) -> None:
        super().ready()  # type: ignore[no-untyped-call]
        from metrics.supervision.django_q_overrides import run_only_own_jobs

        run_only_own_jobs()
        # A form could write what a row is to run; pages of results would show what nobody stores any more.
        for model in self.get_models():
            if admin.site.is_registered(model):
                admin.site.unregister(model)
        post_migrate.connect(delete_results, sender=self)


def delete_results(using: str, **_signal: Any) -> None:
    """Delete the results that an older version or anybody else has stored: nobody reads them, and nothing is added."""
    from django_q.models import Task

    if using == router.db_for_write(Task):
        results = Task.objects.using(using)
        # Nothing is written where there is none: a start reads a file that may only be read.
        if results.exists():
            results._raw_delete(using)
