"""A project of somebody else's, made by `django-admin startproject`, with views, policies and settings of its own.

The app lies in it as a link, so that nothing but `metrics` can be imported from this repository.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.source import ROOT
from tests.supervision.databases import FileDatabase, database_of
from tests.supervision.running import eventually, free_port

APPS = ("metrics", "rest_framework", "django_q")
SETTINGS = """
INSTALLED_APPS = ["shop", *INSTALLED_APPS, "rest_framework"]
ALLOWED_HOSTS = []
APPEND_SLASH = True
TIME_ZONE = "Asia/Seoul"
DATABASES["default"]["OPTIONS"] = {"timeout": 7, "init_command": "PRAGMA cache_size=-1234"}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["shop.policies.Nobody"],
    "DEFAULT_RENDERER_CLASSES": ["shop.policies.Shouting", "rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 1,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["7"],
    "DEFAULT_VERSION": "7",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "shop.policies.FirstRenderer",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "shop.policies.complain",
    "UNAUTHENTICATED_USER": None,
    "NON_FIELD_ERRORS_KEY": "whole",
    "URL_FORMAT_OVERRIDE": "as",
    "FORMAT_SUFFIX_KWARG": "id",
    "DATETIME_FORMAT": "%c",
}
"""
WITH_METRICS = """
INSTALLED_APPS += ["metrics", "django_q"]
Q_CLUSTER = {"name": "shop", "orm": "default", "workers": 4, "timeout": 90, "retry": 120, "queue_limit": 50, "bulk": 10}
SYSMON_INTERVAL = 1
"""
# What `check` asks for in such a project.
AS_THE_HINTS_SAY = """
INSTALLED_APPS += ["drf_spectacular_sidecar"]
MIDDLEWARE = ["metrics.access.permissions.ProxyNoticeMiddleware", *MIDDLEWARE]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "metrics.dashboard.vendored.VendoredFinder",
]
DATABASES["default"]["OPTIONS"] |= {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
}
"""
POLICIES = """
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response


class Nobody(BasePermission):
    def has_permission(self, request, view):
        return False


class Shouting(JSONRenderer):
    media_type, format = "text/shout", "shout"

    def render(self, *args, **kwargs):
        return super().render(*args, **kwargs).upper()


class FirstRenderer(BaseContentNegotiation):
    def select_parser(self, request, parsers):
        return parsers[0]

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


def complain(error, context):
    return Response({"complaint": str(error)}, status=418)
"""
URLS = """
from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.response import Response
from rest_framework.serializers import DateTimeField
from rest_framework.views import APIView
from django.utils.timezone import datetime


class Prices(APIView):
    def get(self, request):
        when = DateTimeField().to_representation(datetime(2026, 1, 2))
        return Response({"version": request.version, "when": when})


class OpenPrices(Prices):
    permission_classes = ()


def fail(request):
    raise RuntimeError("the shop is closed")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("prices", Prices.as_view(), name="api"),
    path("open-prices", OpenPrices.as_view(), name="docs"),
    path("health/", lambda request: HttpResponse("the shop is well"), name="health"),
    path("fail", fail),
]
"""
MONITOR = """
urlpatterns += [path("monitor/", include("metrics.urls"))]
"""


class OtherProject:
    """The project in a directory; `with_metrics` adds the app, `settings` more lines at the end of its settings. With
    `on_server` its database is one of its own on the server of this run, where that has one."""

    def __init__(
        self, directory: Path, *, with_metrics: bool = True, settings: str = "", on_server: bool = False
    ) -> None:
        self.directory = directory
        of_server = database_of(directory, None) if on_server else None
        self.database = of_server if of_server and of_server.url else FileDatabase(directory / "db.sqlite3")
        if self.database.url:
            settings += f'import dj_database_url\nDATABASES["default"] = dj_database_url.parse("{self.database.url}")\n'
        directory.mkdir()
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SYSMON_", "DATABASE_", "DJANGO_", "PYTHONPATH"))
        }
        subprocess.run(
            [sys.executable, "-m", "django", "startproject", "site_of_others", "."],
            cwd=directory, env=self.environment, check=True, timeout=60,
        )  # fmt: skip
        shop = directory / "shop"
        shop.mkdir()
        (shop / "__init__.py").touch()
        (shop / "policies.py").write_text(POLICIES)
        site = directory / "site_of_others"
        with (site / "settings.py").open("a") as file:
            file.write(SETTINGS + (WITH_METRICS if with_metrics else "") + settings)
        (site / "urls.py").write_text(URLS + (MONITOR if with_metrics else ""))
        (directory / "metrics").symlink_to(ROOT / "metrics")
        self.port = free_port()
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of its manage.py."""
        return subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def ask(self, script: str) -> Any:
        """The JSON that a script within the project prints, with `client` at hand."""
        head = (
            "import json, os, django\n"
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'site_of_others.settings'\n"
            "django.setup()\n"
            "from django.test import Client\n"
            "client = Client(raise_request_exception=False, headers={'host': 'localhost'})\n"
        )
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", head + script],
            cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that runs until it is stopped, in a process group of its own as a shell starts it."""
        with (self.directory / f"{arguments[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "manage.py", *arguments],
                cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def end(self) -> None:
        """Leave nothing behind."""
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            process.wait(timeout=10)
        self.database.drop()

    def ticks(self) -> list[int]:
        """The times of all ticks."""
        return [row[0] for row in self.database.query("SELECT timestamp FROM metrics_tick ORDER BY timestamp")]

    def await_ticks(self, count: int, seconds: float = 30) -> list[int]:
        """So many ticks more than there are."""
        wanted = len(self.ticks()) + count
        assert eventually(lambda: len(self.ticks()) >= wanted, seconds), self.log("qcluster")
        return self.ticks()

    def log(self, command: str) -> str:
        """What a command has said."""
        return (self.directory / f"{command}.log").read_text()
