"""The WSGI entry point, for a web server of your own; `manage.py up` brings one along."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sysmon_project.settings")
application = get_wsgi_application()
