"""The Django app."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    """sysmon's only app. Being ready starts nothing: samples come from a scheduled task alone."""

    name = "metrics"
    verbose_name = _("sysmon")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have every new connection set up."""
        from metrics.storage.connections import set_up

        connection_created.connect(set_up, dispatch_uid="metrics.storage")
