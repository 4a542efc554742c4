"""SYSMON_RATE_ANON and SYSMON_RATE_USER: how often an address, or a user, may ask."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

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
