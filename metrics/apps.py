"""The Django app."""

from typing import Any

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

# Apps whose tables this one refers to.
REQUIRED_APPS = ("django.contrib.auth", "django.contrib.contenttypes", "django_q")


class MetricsConfig(AppConfig):
    """sysmon's only app. Being ready starts nothing: samples come from a scheduled task alone."""

    name = "metrics"
    verbose_name = _("sysmon")
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def import_models(self) -> None:
        """Say which app is missing before Python says so by the name of a model."""
        missing = [name for name in REQUIRED_APPS if not any(app.name == name for app in apps.app_configs.values())]
        if missing:
            raise ImproperlyConfigured(f"the app metrics needs {', '.join(missing)} in INSTALLED_APPS")
        super().import_models()

    @override
    def ready(self) -> None:
        """Have a database of a newer version refused, the views for programs that speak SQL in step with the tables,
        and the jobs scheduled by `migrate`."""
        from metrics import checks  # noqa: F401 (it registers them)
        from metrics.exporters.sql_views import create_views, drop_views
        from metrics.storage.versions import refuse_newer_database

        connection_created.connect(refuse_newer_database, dispatch_uid="metrics.storage.versions")
        pre_migrate.connect(drop_views, sender=self)
        post_migrate.connect(create_views, sender=self)
        # django-q2's tables may be younger than those of this app.
        post_migrate.connect(schedule_jobs, sender=apps.get_app_config("django_q"))


def schedule_jobs(using: str, **_signal: Any) -> None:
    """Have `qcluster` record after a `migrate`."""
    from metrics.schedules import ensure_schedules_after_migration

    ensure_schedules_after_migration(using)
