"""Passwords can be tried only so often."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

ADDRESS = "/admin/login/"


@pytest.fixture
def client(db, settings, no_attempts):
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SYSMON_RATE_LOGIN = "3/min"
    return Client(headers={"host": "localhost"})


def attempt(client, password="wrong", address="192.0.2.1"):
    return client.post(ADDRESS, {"username": "jin", "password": password}, REMOTE_ADDR=address)


def test_after_too_many_attempts_even_the_right_password_waits(client):
    User.objects.create_superuser("jin", password="right")
    assert [attempt(client).status_code for _ in range(3)] == [200, 200, 200]
    refused = attempt(client, "right")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_another_address_has_its_own_count(client):
    for _ in range(4):
        attempt(client)
    assert attempt(client, address="192.0.2.2").status_code == 200


def test_a_forwarded_header_gives_nobody_a_new_count(client):
    for _ in range(3):
        attempt(client)
    answer = client.post(ADDRESS, {}, REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": "198.51.100.9"})
    assert answer.status_code == 429


def test_all_addresses_of_one_ipv6_network_have_one_count(client):
    codes = [attempt(client, address=f"2001:db8:1:2::{number}").status_code for number in range(4)]
    assert codes == [200, 200, 200, 429]
    assert attempt(client, address="2001:db8:1:3::1").status_code == 200


@pytest.mark.parametrize("sender", ["", "unix:", "x" * 10_000])
def test_a_sender_without_an_address_has_a_count_too(client, sender):
    assert [attempt(client, address=sender).status_code for _ in range(4)][-1] == 429


def test_looking_at_the_page_is_no_attempt(client):
    assert [client.get(ADDRESS).status_code for _ in range(5)] == [200] * 5


def test_without_a_rate_there_is_no_bound(client, settings):
    settings.SYSMON_RATE_LOGIN = None
    assert {attempt(client).status_code for _ in range(6)} == {200}
