"""Passwords can be tried only so often."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.test import Client

from tests.access.test_strangers import ADDRESSES

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


# Every place that looks at a password -----------------------------------------------------------------------------

FIELDS = {
    "username": "jin", "password": "wrong", "old_password": "wrong", "new_password1": "a-new-one-7",
    "new_password2": "a-new-one-7", "password1": "a-new-one-7", "password2": "a-new-one-7",
}  # fmt: skip
# In the one form that the API's own address for tokens takes too.
FORM = {"data": urlencode(FIELDS), "content_type": "application/x-www-form-urlencoded"}


@pytest.fixture
def checks(monkeypatch):
    """Counts how often a password that was sent is compared with the one that is stored."""
    seen = []
    compare = AbstractBaseUser.check_password

    def counting(self, raw):
        seen.append(raw)
        return compare(self, raw)

    monkeypatch.setattr(AbstractBaseUser, "check_password", counting)
    return seen


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/password_change/", "/api/v1/auth/token"])
def test_a_password_is_looked_at_only_so_often(client, checks, address):
    User.objects.create_superuser("jin", password="right")
    client.force_login(User.objects.get())
    answers = [client.post(address, **FORM, REMOTE_ADDR="192.0.2.1") for _ in range(6)]
    assert [answer.status_code for answer in answers][3:] == [429] * 3
    assert len(checks) == 3
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_guesses_at_all_places_are_one_count(client):
    User.objects.create_superuser("jin", password="right")
    client.force_login(User.objects.get())
    places = ["/admin/password_change/", "/api/v1/auth/token", "/admin/login/", "/admin/password_change/"]
    assert [client.post(place, **FORM, REMOTE_ADDR="192.0.2.1").status_code for place in places][-1] == 429


def test_no_other_address_looks_at_a_password(client, checks, settings):
    """Whoever adds one adds it to the middleware."""
    settings.SYSMON_RATE_LOGIN = None
    looked = set()
    for address in ADDRESSES:
        user = User.objects.filter(username="jin").first() or User.objects.create_superuser("jin", password="right")
        client.force_login(user)
        before = len(checks)
        client.post(address, **FORM)
        if len(checks) > before:
            looked.add(address)
    assert looked == {"/admin/login/", "/admin/password_change/", "/api/v1/auth/token"}


def test_another_password_is_taken_as_before(client):
    user = User.objects.create_superuser("jin", password="right")
    client.force_login(user)
    answer = client.post("/admin/password_change/", {**FIELDS, "old_password": "right"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/password_change/done/")
