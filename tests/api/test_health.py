"""GET /api/v1/health"""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from metrics.models import CollectorState
from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/health"


@pytest.fixture
def alive(recorded, at_noon):
    recorded.tick(cpu={"percent": 1.0})
    return recorded


def test_it_is_healthy_while_ticks_arrive(api, alive):
    response = api.get(ADDRESS)
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["host"], body["timestamp"]) == ("healthy", "test-host", "2026-11-22T17:10:02.000Z")
    assert body["checks"]["database"] == {"status": "ok"}
    sampling = body["checks"]["sampling"]
    assert (sampling["status"], sampling["newest_tick"]) == ("ok", "2026-11-22T17:10:00.000Z")
    assert (sampling["age_seconds"], sampling["allowed_age_seconds"]) == (2.0, 20)


def test_it_is_degraded_when_the_newest_tick_is_too_old(api, recorded, at_noon):
    recorded.tick(FIRST_TICK - 20, cpu={})
    response = api.get(ADDRESS)
    assert (response.status_code, response.json()["status"]) == (503, "degraded")
    assert response.json()["checks"]["sampling"]["message"] == "the newest tick is 22 s old"


def test_three_intervals_and_five_seconds_are_still_healthy(api, recorded, at_noon):
    recorded.tick(FIRST_TICK - 18, cpu={})
    assert api.get(ADDRESS).status_code == 200


def test_it_is_degraded_before_the_first_sample(api, db):
    response = api.get(ADDRESS)
    assert (response.status_code, response.json()["status"]) == (503, "degraded")


def test_a_family_that_failed_is_named_and_does_not_degrade(api, alive):
    CollectorState.objects.update(outcome="failed", message="OSError: no disk", succeeded_at=FIRST_TICK - 60)
    body = api.get(ADDRESS).json()
    assert body["status"] == "healthy"
    family = body["checks"]["families"]["cpu"]
    assert (family["status"], family["message"], family["age_seconds"]) == ("failed", "OSError: no disk", 62.0)


@pytest.mark.parametrize(
    ("outcome", "message"), [("failed", "no answer for 2 s"), ("ok", "12 command lines wait for their turn")]
)
def test_a_family_that_failed_or_is_starved_is_named_first(api, alive, outcome, message):
    CollectorState.objects.update(outcome=outcome, message=message)
    response = api.get(ADDRESS)
    assert response.status_code == 200
    assert list(response.json())[:2] == ["status", "warnings"]
    assert response.json()["warnings"] == [{"family": "cpu", "status": outcome, "message": message}]


@pytest.mark.parametrize("outcome", ["ok", "no_data"])
def test_a_family_that_works_or_has_nothing_here_is_no_warning(api, alive, outcome):
    CollectorState.objects.update(outcome=outcome, message="no sensors" if outcome == "no_data" else "")
    assert api.get(ADDRESS).json()["warnings"] == []


@pytest.fixture
def silent_database(monkeypatch):
    def fail(*_args, **_kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr("metrics.status.health.find_host", fail)
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)


def test_it_is_degraded_when_the_database_does_not_answer(api, silent_database):
    response = api.get(ADDRESS)
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == {"status": "failed", "message": "database is locked"}


def test_a_session_that_cannot_be_read_is_no_error(alive, settings, silent_database):
    settings.SYSMON_API_ACCESS = "authenticated"
    settings.ALLOWED_HOSTS = ["localhost"]
    client = Client(headers={"host": "localhost"})
    client.cookies["sysmon_session"] = "anything"
    response = client.get(ADDRESS)
    assert (response.status_code, response.json()) == (503, {"status": "degraded"})


def test_a_stranger_is_told_the_status_only(api, alive, settings):
    settings.SYSMON_API_ACCESS = "authenticated"
    response = api.get(ADDRESS)
    assert (response.status_code, response.json()) == (200, {"status": "healthy"})


def test_a_user_is_told_everything(alive, settings):
    settings.SYSMON_API_ACCESS = "authenticated"
    settings.ALLOWED_HOSTS = ["localhost"]
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_user("jin"))
    assert "checks" in client.get(ADDRESS).json()


def test_an_unknown_parameter_is_an_error_here_too(api, alive):
    assert api.get(ADDRESS, {"host": "x"}).status_code == 400
