"""The app in a project of somebody else's: it works below its prefix, and changes nothing that was there."""

import re

import pytest

from tests.other_project.project import AS_THE_HINTS_SAY, OtherProject

pytestmark = pytest.mark.live

# What the project answers without the app, it answers with it.
OWN_ANSWERS = """
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.urls import reverse
from rest_framework import compat
import logging, re
from django.test.utils import setup_test_environment
logging.disable(logging.CRITICAL)
setup_test_environment()
settings.ALLOWED_HOSTS = ["localhost"]
asked = [
    ("/prices", {}), ("/prices", {"accept": "application/json; version=7"}), ("/open-prices", {}),
    ("/open-prices", {"accept": "text/html"}), ("/open-prices?format=json", {}), ("/open-prices?as=shout", {}),
    ("/open-prices", {}), ("/open-prices", {}), ("/health", {}), ("/health/", {}), ("/fail", {}), ("/missing", {}),
    ("/admin", {}), ("/admin/", {}), ("/admin/login/", {}), ("/static/missing.css", {}), ("/api/v1/health", {}),
    ("/docs/", {}),
]
answers = []
for debug in (False, True):
    settings.DEBUG = debug
    for path, headers in asked:
        answer = client.get(path, headers=headers)
        body = "" if debug and answer.status_code >= 400 else answer.content.decode()
        body = body if "csrfmiddlewaretoken" not in body else "a form"
        body = re.sub("[0-9]+ seconds", "some seconds", body, flags=re.IGNORECASE)
        fixed = sorted(pair for pair in answer.headers.items() if pair[0] not in ("Expires", "Content-Length"))
        answers.append([path, answer.status_code, fixed if body else [], body])
settings.DEBUG = False
user = get_user_model().objects.create_superuser("kim")
client.force_login(user)
index = client.get("/admin/")
assert index.status_code == 200, index.content
apps = [app["app_label"] for app in index.context["app_list"] if app["app_label"] not in ("metrics", "django_q")]
connection.ensure_connection()
pragma = lambda name: connection.connection.execute("PRAGMA " + name).fetchone()[0]
print(json.dumps({
    "answers": answers, "apps": apps, "title": str(index.context["site_header"]), "index": str(index.context["title"]),
    "templates": sorted(t.origin.name for t in index.templates if t.origin and "/admin/" in t.origin.name),
    "addresses": [reverse(name) for name in ("api", "docs", "health", "admin:index")],
    "middleware": settings.MIDDLEWARE, "zone": settings.TIME_ZONE,
    "pragmas": [pragma(name) for name in ("journal_mode", "auto_vacuum", "cache_size", "synchronous", "busy_timeout")],
    "loggers": sorted((name, logging.getLogger(name).level, len(logging.getLogger(name).handlers))
                      for name in ("", "django", "django.request", "django.server", "shop")),
    "optional": [bool(getattr(compat, name, None)) for name in ("markdown", "pygments", "requests", "postgres_fields")],
}))
"""
BELOW = """
import logging
from django.contrib.auth import get_user_model
from django.test import override_settings
logging.disable(logging.CRITICAL)
import metrics.management.commands.collect  # the recorder, as it stores one tick
from django.core.management import call_command
call_command("collect", interval=1, duration=1.2)
found = {}
for path, headers in ASKED:
    answer = client.get("/monitor" + path, headers=headers)
    body = answer.content.decode()
    found[f"{path} {headers.get('accept', '')}".strip()] = {
        "status": answer.status_code, "type": answer.headers.get("Content-Type", ""), "body": body,
        "to": answer.headers.get("Location"), "policy": answer.headers.get("Content-Security-Policy"),
    }
print(json.dumps(found))
"""
HTML = {"accept": "text/html"}
# Another site's page asks through a proxy, as an old browser says.
ELSEWHERE = {"referer": "https://elsewhere.example/"}
ASKED = [
    ("/api/v1/hosts?", ELSEWHERE),
    ("", {}), ("/", {}), ("/", HTML), ("/metrics", {}), ("/metrics/", {}), ("/docs", HTML), ("/redoc", HTML),
    ("/openapi.json", {}), ("/api/v1", {}), ("/api/v1/", {}), ("/api/v1/health", {}), ("/api/v1/health", HTML),
    ("/api/v1/metrics/current", {}), ("/api/v1/metrics/cpu?limit=1", {}), ("/api/v1/metrics/cpu?limit=0", {}),
    ("/api/v1/metrics/cpu?limit=1&format=csv", {}), ("/api/v1/metrics/cpu?start=2026-01-02&end=2026-01-01", {}),
    ("/api/v1/metrics/disk?format=ndjson", {}), ("/api/v1/metrics/processes", {}), ("/api/v1/hosts", {}),
    ("/api/v1/families", {}), ("/api/v1/nothing", {}), ("/nothing", {}), ("/nothing/", {}), ("/api/v1/cost", {}),
    ("/api/v1/metrics/cpu/top", {}), ("/api/v1/metrics/cpu/peaks", {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("others")


@pytest.fixture(scope="module")
def project(place):
    made = OtherProject(place / "with")
    migrated = made.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    return made


def test_it_changes_no_answer_of_the_project(place, project):
    without = OtherProject(place / "without", with_metrics=False)
    assert without.run("migrate").returncode == 0
    before, after = without.ask(OWN_ANSWERS), project.ask(OWN_ANSWERS)
    assert {answer[1] for answer in before["answers"]} >= {200, 301, 302, 404, 418, 500}
    for name in before:
        assert after[name] == before[name], name


def test_check_names_what_the_pages_and_the_database_lack(project):
    checked = project.run("check")
    assert checked.returncode == 0
    assert re.findall(r"metrics\.\w+", checked.stderr) == [
        *("metrics.W001", "metrics.W005", "metrics.W006"),
        *re.findall(r"metrics\.dashboard|metrics\.W007|metrics\.access", checked.stderr),
    ]
    assert checked.stderr.count("HINT: ") == 4


@pytest.fixture(scope="module")
def complete(place):
    made = OtherProject(place / "complete", settings=AS_THE_HINTS_SAY)
    assert made.run("migrate").returncode == 0
    return made


def test_check_is_content_with_what_it_asked_for(complete):
    checked = complete.run("check", "--fail-level", "WARNING")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.fixture(scope="module")
def found(project):
    """The answers below the prefix."""
    return project.ask(f"ASKED = {ASKED!r}\n{BELOW}")


@pytest.mark.smoke
def test_everything_is_there_below_the_prefix(found):
    statuses = {path: answer["status"] for path, answer in found.items()}
    refused = {
        "": 301, "/metrics/": 308, "/api/v1/": 308, "/api/v1/metrics/cpu?limit=0": 400, "/api/v1/nothing": 404,
        "/api/v1/hosts?": 401, "/api/v1/metrics/cpu?start=2026-01-02&end=2026-01-01": 400, "/nothing": 404,
        "/nothing/": 404,
    }  # fmt: skip
    assert {path: status for path, status in statuses.items() if status != 200} == refused
    assert found["/api/v1/"]["to"] == "/monitor/api/v1"
    assert found["/metrics"]["body"].startswith("# HELP node_")
    assert '"errors":{"limit":["' in found["/api/v1/metrics/cpu?limit=0"]["body"]
    assert found["/api/v1/nothing"]["body"] == '{"detail":"Not found.","errors":{}}'
    assert found["/api/v1/metrics/cpu?limit=1&format=csv"]["type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("path", ["/ text/html", "/api/v1", "/api/v1/health text/html", "/docs text/html"])
def test_every_link_has_the_prefix(found, path):
    answer = found[path]
    links = re.findall(r'(?:href|src|action|data-api)="(/[^"]*)"|"http://localhost(/[^"]*)"', answer["body"])
    paths = [link for pair in links for link in pair if link]
    assert paths
    assert [path for path in paths if not path.startswith(("/monitor/", "/static/", "/admin/"))] == []


def test_a_page_has_its_policy_without_a_middleware(found):
    pages = [
        path for path, answer in found.items() if answer["type"].startswith("text/html") and answer["status"] == 200
    ]
    assert len(pages) == 4
    assert all("default-src 'self'" in (found[path]["policy"] or "") for path in pages)


def test_the_document_says_below_which_path_it_is_true(project):
    document = project.ask("print(json.dumps(client.get('/monitor/openapi.json').json()))")
    assert document["servers"] == [{"url": "/monitor"}]
    assert "/api/v1/metrics/cpu" in document["paths"]
    assert not any("prices" in path for path in document["paths"])


def test_its_models_are_in_the_projects_admin(project):
    found = project.ask(
        "from django.contrib.auth import get_user_model\n"
        "from django.contrib import admin\n"
        "from django.urls import reverse\n"
        "client.force_login(get_user_model().objects.create_superuser('lee'))\n"
        "own = [model for model in admin.site._registry if model._meta.app_label == 'metrics']\n"
        "names = [reverse(f'admin:metrics_{model._meta.model_name}_changelist') for model in own]\n"
        "print(json.dumps({name: client.get(name).status_code for name in names}))"
    )
    assert len(found) > 15
    assert set(found.values()) == {200}


def test_who_signs_in_to_the_project_may_read_and_others_may_not(project):
    found = project.ask(
        "from django.contrib.auth import get_user_model\n"
        "from django.conf import settings\n"
        "settings.ALLOWED_HOSTS = ['shop.example.org']\n"
        "ask = lambda: client.get('/monitor/api/v1/hosts', headers={'host': 'shop.example.org'})\n"
        "before = [ask() for _number in range(9)][-1]\n"
        "page = client.get('/monitor/', headers={'host': 'shop.example.org', 'accept': 'text/html'})\n"
        "client.force_login(get_user_model().objects.create_user('park'))\n"
        "print(json.dumps([before.status_code, before.json(), page.status_code, page['Location'], ask().status_code]))"
    )
    assert found == [
        401, {"detail": "Authentication credentials were not provided.", "errors": {}},
        302, "/admin/login/?next=%2Fmonitor%2F", 200,
    ]  # fmt: skip


def test_without_django_q_one_line_says_so(place):
    broken = OtherProject(place / "broken", settings='INSTALLED_APPS.remove("django_q")\n')
    checked = broken.run("check")
    assert checked.returncode == 1
    assert checked.stderr.splitlines()[-1].endswith("the app metrics needs django_q in INSTALLED_APPS")
