"""The Django app."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from metrics.api.optional_imports import load_rest_framework


class MetricsConfig(AppConfig):
    """sysmon's only app. Being ready starts nothing: samples come from a scheduled task alone."""

    name = "metrics"
    verbose_name = _("sysmon")
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        """Have every new connection set up, and the views for programs that speak SQL in step with the tables."""
        load_rest_framework()
        from metrics.exporters.sql_views import create_views, drop_views
        from metrics.storage.connections import set_up

        connection_created.connect(set_up, dispatch_uid="metrics.storage")
        pre_migrate.connect(drop_views, sender=self)
        post_migrate.connect(create_views, sender=self)
