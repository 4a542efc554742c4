"""What this project makes of the apps that it uses: sysmon itself, and Django's admin."""

from django.contrib.admin.apps import AdminConfig
from django.db.backends.signals import connection_created
from typing_extensions import override

from metrics.apps import MetricsConfig
from sysmon_project.optional_imports import load_rest_framework


class SysmonConfig(MetricsConfig):
    """The app `metrics`, in a program that does nothing else: the database is set up for it, and no library loads what
    nobody uses."""

    # Asked by metrics.checks.
    sets_up_sqlite = True

    @override
    def ready(self) -> None:
        load_rest_framework()
        from metrics.storage.connections import set_up

        connection_created.connect(set_up, dispatch_uid="metrics.storage.connections")
        super().ready()


class SectionedAdminConfig(AdminConfig):
    """django.contrib.admin, with our site."""

    default_site = "sysmon_project.admin.SectionedAdminSite"
