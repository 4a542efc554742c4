"""API tokens: `Authorization: Bearer sysmon_…` or `Token sysmon_…`."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError
from django.utils.timezone import now

from metrics.access import tokens
from metrics.models import ApiToken

READ = "/api/v1/families"


@pytest.fixture
def client(api, settings, monkeypatch):
    settings.SYSMON_API_ACCESS = "authenticated"
    monkeypatch.setattr(tokens, "_noted", {})
    return api


@pytest.fixture
def token(db):
    """A token of jin's, with its secret."""
    made = ApiToken(user=User.objects.create_user("jin"), name="prometheus")
    made.secret = made.draw_secret()
    made.save()
    return made


def read(client, secret, scheme="Bearer", address=READ):
    return client.get(address, headers={"authorization": f"{scheme} {secret}"})


@pytest.mark.parametrize("scheme", ["Bearer", "Token", "bearer", "TOKEN"])
def test_a_token_reads(client, token, scheme):
    assert read(client, token.secret, scheme).status_code == 200


def test_prometheus_reads_with_one(client, token, recorded):
    recorded.tick(cpu={"percent": 1.0})
    assert client.get("/metrics").status_code == 401
    assert read(client, token.secret, address="/metrics").status_code in {200, 503}


def test_the_database_has_only_a_digest(token):
    stored = ApiToken.objects.values().get()
    assert token.secret.startswith(token.beginning)
    assert len(token.secret) > len(token.beginning) + 32
    assert not any(token.secret[7:] in str(value) for value in stored.values())


@pytest.mark.parametrize("wrong", ["sysmon_", "sysmon_x", "", "x", "ÿ", "sysmon_" + "a" * 10_000])
@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_a_token_that_is_none_is_refused(client, token, wrong, scheme):
    response = read(client, wrong, scheme)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="sysmon"'
    assert set(response.json()) == {"detail", "errors"}


def test_a_wrong_token_is_refused_even_where_reading_is_public(client, token, settings):
    settings.SYSMON_API_ACCESS = "auto"
    assert read(client, "sysmon_x").status_code == 401
    assert client.get(READ).status_code == 200


def test_another_scheme_is_not_ours(client, token, settings):
    assert read(client, token.secret, "Basic").status_code == 401
    settings.SYSMON_API_ACCESS = "auto"
    assert read(client, token.secret, "Basic").status_code == 200


def test_revoked_is_over_at_once(client, token):
    assert tokens.revoke(ApiToken.objects.all()) == 1
    assert read(client, token.secret).status_code == 401
    assert tokens.revoke(ApiToken.objects.all()) == 0


def test_expired_is_over(client, token):
    ApiToken.objects.update(expires_at=now() + timedelta(hours=1))
    assert read(client, token.secret).status_code == 200
    ApiToken.objects.update(expires_at=now())
    assert read(client, token.secret).status_code == 401


def test_a_user_who_was_switched_off_has_no_tokens(client, token):
    User.objects.update(is_active=False)
    assert read(client, token.secret).status_code == 401


def test_it_says_when_it_was_last_used_to_a_minute(client, token, django_assert_num_queries):
    read(client, token.secret)
    first = ApiToken.objects.get().last_used_at
    assert now() - first < timedelta(seconds=5)
    with django_assert_num_queries(1):
        read(client, token.secret)
    assert ApiToken.objects.get().last_used_at == first


def test_that_its_use_cannot_be_noted_is_no_reason_not_to_answer(client, token, monkeypatch, caplog):
    def fail(*_args, **_values):
        raise DatabaseError("database is locked")

    monkeypatch.setattr("django.db.models.query.QuerySet.update", fail)
    assert [read(client, token.secret).status_code for _ in range(3)] == [200] * 3
    assert caplog.text.count("could not be noted") == 1


def test_a_token_sees_what_its_user_may_see(client, token, recorded):
    recorded.tick(processes={"total": 1}, process=[{"pid": 7, "command": "node server.js", "cpu_percent": 3.0}])
    address = "/api/v1/metrics/processes"
    assert read(client, token.secret, address=address).json()["results"][0]["command"] is None
    token.user.groups.add(Group.objects.get(name="Command lines"))
    assert read(client, token.secret, address=address).json()["results"][0]["command"] == "node server.js"


def test_a_token_opens_no_admin(client, token):
    token.user.is_staff = token.user.is_superuser = True
    token.user.save()
    assert read(client, token.secret, address="/admin/").status_code == 302


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_token_changes_anything(client, token, method):
    sent = getattr(client, method)("/api/v1/metrics/cpu", headers={"authorization": f"Bearer {token.secret}"})
    assert sent.status_code == 405


def test_health_says_its_status_even_to_a_wrong_token(client, token):
    assert read(client, "sysmon_x", address="/api/v1/health").json() == {"status": "degraded"}
    assert "checks" in read(client, token.secret, address="/api/v1/health").json()
