"""What `manage.py check` says: nothing of the program as it is, and one id for each thing that cannot work."""

import inspect
import re

import pytest
from django.core.checks import run_checks

from metrics import checks
from tests.source import ROOT


def ids():
    return {message.id for message in run_checks(tags=[checks.TAG])}


def test_the_program_itself_has_nothing_to_be_named():
    assert ids() == set()


def without(name, value):
    return lambda settings: setattr(settings, name, [entry for entry in getattr(settings, name) if entry != value])


def cluster(**values):
    return lambda settings: setattr(settings, "Q_CLUSTER", {**settings.Q_CLUSTER, **values})


def set_to(name, value):
    return lambda settings: setattr(settings, name, value)


CASES = {
    "an interval of text": (set_to("SYSMON_INTERVAL", "often"), {"metrics.E003"}),
    "an interval of zero": (set_to("SYSMON_INTERVAL", 0), {"metrics.E003"}),
    "no points": (set_to("SYSMON_MAX_POINTS", 0), {"metrics.E003"}),
    "an unknown access": (set_to("SYSMON_API_ACCESS", "all"), {"metrics.E003"}),
    "a rate of nothing": (set_to("SYSMON_RATE_ANON", "often"), {"metrics.E003"}),
    "a bracket that stays open": (set_to("SYSMON_EXCLUDE_INTERFACES", "eth[0"), {"metrics.E003"}),
    "a mount without its path": (set_to("SYSMON_EXCLUDE_MOUNTS", ["/ok", "home"]), {"metrics.E003"}),
    "a disk's path": (set_to("SYSMON_EXCLUDE_DISKS", "/dev/sda"), {"metrics.E003"}),
    "a proxy without an address": (set_to("SYSMON_TRUSTED_PROXIES", "nginx"), {"metrics.E003"}),
    "a destination of no kind": (set_to("SYSMON_FORWARD_URL", "carrier-pigeon://a"), {"metrics.E003"}),
    "a data directory in a file": (set_to("SYSMON_DATA_DIR", "/etc/hostname/data"), {"metrics.E003"}),
    "times without zones": (set_to("USE_TZ", False), {"metrics.E004"}),
    "a router": (set_to("DATABASE_ROUTERS", ["tests.test_checks.Elsewhere"]), {"metrics.E005"}),
    "no queue": (set_to("Q_CLUSTER", {"workers": 2, "retry": 200}), {"metrics.W002"}),
    "no cluster": (lambda settings: delattr(settings, "Q_CLUSTER"), {"metrics.W002", "metrics.W003"}),
    "one worker": (cluster(workers=1), {"metrics.W008"}),
    "a short retry": (cluster(retry=60), {"metrics.W003"}),
    "a short timeout": (cluster(timeout=60), {"metrics.W009"}),
    "tasks at once": (cluster(sync=True), {"metrics.W010"}),
    "no scheduler": (cluster(scheduler=False), {"metrics.W010"}),
    "no finder": (without("STATICFILES_FINDERS", checks.FINDER), {"metrics.W006"}),
    "no notice of proxies": (without("MIDDLEWARE", checks.NOTICE), {"metrics.W007"}),
    "no templates": (set_to("TEMPLATES", []), {"metrics.W011"}),
}


class Elsewhere:
    """Routes what is recorded to another database."""

    def db_for_write(self, model, **hints):
        return "elsewhere" if model._meta.app_label == "metrics" else None


@pytest.mark.parametrize("case", CASES)
def test_each_is_named(case, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    change, expected = CASES[case]
    change(settings)
    messages = run_checks(tags=[checks.TAG])
    assert {message.id for message in messages} == expected
    assert all(message.hint for message in messages)


def test_the_qcluster_of_django_q2_itself_is_named(monkeypatch):
    monkeypatch.setattr(checks, "get_commands", lambda: {"qcluster": "django_q"})
    assert ids() == {"metrics.W004"}


@pytest.mark.parametrize("app", ["rest_framework", "django.contrib.staticfiles", "drf_spectacular_sidecar"])
def test_an_app_that_is_missing_is_named(app, monkeypatch):
    known = checks.apps.is_installed
    monkeypatch.setattr(checks.apps, "is_installed", lambda name: name != app and known(name))
    assert ids() == {"metrics.W005"}


def test_every_id_is_documented():
    raised = set(re.findall(r'"metrics\.([EW]\d{3})"', inspect.getsource(checks)))
    page = (ROOT / "docs" / "settings.md").read_text()
    assert {name for name in raised if f"`{name}`" not in page and f"`metrics.{name}`" not in page} == set()
