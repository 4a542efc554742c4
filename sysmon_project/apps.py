"""Which site Django's admin is."""

from django.contrib.admin.apps import AdminConfig


class SectionedAdminConfig(AdminConfig):
    """django.contrib.admin, with our site."""

    default_site = "sysmon_project.admin.SectionedAdminSite"
