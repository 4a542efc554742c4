"""The WSGI entry point, for a web server of your own; `manage.py up` brings one along."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sysmon_project.settings")
django_application = get_wsgi_application()

# After Django is set up: the response cache imports what needs it.
from metrics.access.url_prefix import UrlPrefix  # noqa: E402
from metrics.api.response_cache import ResponseCache  # noqa: E402

application = UrlPrefix(ResponseCache(django_application))
