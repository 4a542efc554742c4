"""What the admin is called."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

admin.site.site_header = "sysmon"
admin.site.site_title = "sysmon"
admin.site.index_title = _("What is recorded")
admin.site.site_url = "/"
