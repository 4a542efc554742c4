"""SYSMON_RATE_ANON and SYSMON_RATE_USER: how often an address, or a user, may ask."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from metrics.models import ApiToken

ADDRESS = "/api/v1/metrics/cpu"


@pytest.fixture
def client(api, recorded, settings, no_attempts):
    recorded.tick(cpu={"percent": 1.0})
    settings.SYSMON_RATE_ANON = settings.SYSMON_RATE_USER = None
    return api


def codes(client, count, address=ADDRESS, **sent):
    return [client.get(address, **sent).status_code for _ in range(count)]


def signed_in(name):
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get_or_create(username=name)[0])
    return client


def test_without_a_rate_there_is_no_bound_and_no_file(client, tmp_path):
    assert codes(client, 10) == [200] * 10
    assert list(tmp_path.iterdir()) == []


def test_too_many_requests_are_told_when_to_come_back(client, settings):
    settings.SYSMON_RATE_ANON = "2/min"
    assert codes(client, 3) == [200, 200, 429]
    refused = client.get(f"{ADDRESS}?format=csv")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["errors"] == {}


def test_a_rate_counts_over_all_addresses_of_the_api(client, settings):
    settings.SYSMON_RATE_ANON = "3/min"
    addresses = [ADDRESS, "/metrics", "/openapi.json", "/api/v1"]
    assert [client.get(address).status_code for address in addresses][-1] == 429


def test_health_has_no_bound(client, settings):
    settings.SYSMON_RATE_ANON = "1/min"
    assert 429 not in codes(client, 5, "/api/v1/health")


def test_another_address_has_its_own_count(client, settings):
    settings.SYSMON_API_ACCESS, settings.SYSMON_RATE_ANON = "public", "1/min"
    assert codes(client, 2, REMOTE_ADDR="192.0.2.1") == [200, 429]
    assert codes(client, 1, REMOTE_ADDR="192.0.2.2") == [200]


def test_a_stranger_cannot_pass_for_another_address_by_a_header(client, settings):
    settings.SYSMON_API_ACCESS, settings.SYSMON_RATE_ANON = "public", "1/min"
    assert codes(client, 1) == [200]
    assert codes(client, 1, headers={"x-forwarded-for": "192.0.2.9"}) == [429]


def test_a_user_has_a_count_whatever_the_address(client, settings):
    settings.SYSMON_RATE_USER = "2/min"
    jin = signed_in("jin")
    assert codes(jin, 1) + codes(jin, 2, REMOTE_ADDR="127.0.0.2") == [200, 200, 429]
    assert codes(signed_in("kim"), 1) == [200]


def test_a_rate_for_users_does_not_bind_strangers_nor_the_other_way_round(client, settings):
    settings.SYSMON_RATE_USER, settings.SYSMON_RATE_ANON = "1/min", "2/min"
    assert codes(signed_in("jin"), 1) == [200]
    assert codes(client, 3) == [200, 200, 429]


# What is refused counts too ---------------------------------------------------------------------------------------

REFUSED = [
    "/api/v1/metrics/cpu",
    "/api/v1/nowhere",
    "/api/v1/metrics/cpu?format=xml",
    "/metrics",
    "/openapi.json",
    "/api/v1/processes/99",
]


@pytest.fixture
def stranger(client, settings):
    settings.SYSMON_API_ACCESS, settings.SYSMON_RATE_ANON = "authenticated", "3/min"
    return client


@pytest.mark.parametrize("address", REFUSED)
def test_a_stranger_who_is_refused_is_counted(stranger, address):
    answered = codes(stranger, 5, address)
    assert set(answered[:3]) <= {400, 401}
    assert answered[3:] == [429, 429]
    assert stranger.get(address).headers["Retry-After"]


def test_refusals_of_every_kind_are_one_count(stranger):
    assert [stranger.get(address).status_code for address in REFUSED][3:] == [429] * 3


@pytest.mark.parametrize("address", ["/", "/docs", "/redoc"])
def test_who_is_sent_to_the_sign_in_is_counted(stranger, address):
    assert codes(stranger, 5, address, headers={"accept": "text/html"}) == [302, 302, 302, 429, 429]


def test_a_request_is_counted_once(client, settings):
    """What is found out to be wrong after it was counted, and what is wrong before, count the same."""
    settings.SYSMON_RATE_ANON = "6/min"
    mixed = [ADDRESS, f"{ADDRESS}?limit=0", "/api/v1/nowhere", f"{ADDRESS}?format=xml", "/api/v1/processes/99", ADDRESS]
    assert [client.get(address).status_code for address in mixed] == [200, 400, 404, 400, 404, 200]
    assert codes(client, 1) == [429]


def test_a_method_that_there_is_not_is_counted(stranger):
    assert [stranger.delete(ADDRESS).status_code for _ in range(4)] == [401, 401, 401, 429]


def token_of_jin():
    token = ApiToken(user=User.objects.create(username="jin"), name="t")
    secret = token.draw_secret()
    token.save()
    return secret


TOKENS = ["Bearer sysmon_wrong", "Token wrong", "Bearer a.b.c", "Bearer " + "x" * 2000]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("address", [ADDRESS, "/api/v1/nowhere", "/metrics"])
def test_a_wrong_token_is_counted(stranger, token, address):
    assert codes(stranger, 5, address, headers={"authorization": token}) == [401, 401, 401, 429, 429]


def test_after_too_many_wrong_tokens_the_right_one_waits_as_a_password_does(stranger):
    secret = token_of_jin()
    right = {"headers": {"authorization": f"Bearer {secret}"}}
    assert codes(stranger, 3, headers={"authorization": "Bearer sysmon_wrong"}) == [401] * 3
    assert codes(stranger, 1, **right) == [429]
    assert codes(stranger, 1, REMOTE_ADDR="192.0.2.7", **right) == [200]


def test_strangers_who_send_no_token_keep_nobody_from_using_his(stranger):
    secret = token_of_jin()
    assert codes(stranger, 4) == [401, 401, 401, 429]
    assert codes(stranger, 3, headers={"authorization": f"Bearer {secret}"}) == [200] * 3


def test_health_is_answered_whatever_is_guessed_and_tells_a_guesser_nothing_after_too_many(stranger):
    secret = token_of_jin()
    right = {"authorization": f"Bearer {secret}"}
    assert "checks" in stranger.get("/api/v1/health", headers=right).json()
    codes(stranger, 4, "/api/v1/health", headers={"authorization": "Bearer sysmon_wrong"})
    answer = stranger.get("/api/v1/health", headers=right)
    assert answer.status_code in {200, 503}
    assert answer.json().keys() == {"status"}


def test_a_signed_in_user_who_is_refused_is_counted_as_one(client, settings):
    settings.SYSMON_RATE_USER, settings.SYSMON_RATE_ANON = "2/min", "1/min"
    assert codes(signed_in("jin"), 3, f"{ADDRESS}?format=xml") == [400, 400, 429]


def test_a_database_that_does_not_answer_is_said_and_not_counted(stranger, monkeypatch):
    def fail(self, *_args):
        raise OperationalError("locked")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    stranger.cookies["sysmon_session"] = "anything"
    assert codes(stranger, 5) == [503] * 5


@pytest.mark.parametrize("sender", ["2001:db8:1:2::{}", "2001:db8:1:2:{}::1", "fe80::{}%eth0"])
def test_of_ipv6_a_network_is_one_sender_whatever_was_asked(stranger, sender):
    senders = [sender.format(number) for number in range(1, 6)]
    assert [codes(stranger, 1, REMOTE_ADDR=address)[0] for address in senders] == [401, 401, 401, 429, 429]
    wrong = {"authorization": "Bearer sysmon_wrong"}
    assert [codes(stranger, 1, REMOTE_ADDR=address, headers=wrong)[0] for address in senders][-1] == 429
