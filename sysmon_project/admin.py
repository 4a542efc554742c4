"""The admin's site: Django's own by another name, with its models under the headings of `metrics.admin.sections`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class SectionedAdminSite(admin.AdminSite):
    """Lists sections where Django lists apps; the page of one app stays what it is."""

    site_header = site_title = "sysmon"
    index_title = _("What is recorded")
    site_url = "/"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The sections with what this user may see."""
        # Not above: the models are registered, when it is imported, with the site that is being made here.
        from metrics.admin.sections import by_section

        apps = super().get_app_list(request, app_label)
        return apps if app_label else by_section(apps, self._registry, request.path)
