"""API tokens in the admin: shown once, revocable, one's own."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from metrics.access.tokens import find_token
from metrics.models import ApiToken
from tests.admin.conftest import ATTACK, text_of

LIST = "/admin/metrics/apitoken/"


@pytest.fixture
def staff(db):
    """Somebody who may have tokens, and not more."""
    user = User.objects.create_user("jin", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__model="apitoken"))
    return user


@pytest.fixture
def staff_client(staff):
    client = Client()
    client.force_login(staff)
    return client


def add(client, **values):
    return client.post(f"{LIST}add/", {"name": "prometheus", "expires_at_0": "", "expires_at_1": "", **values})


def secret_in(response):
    return re.search(r'<code id="secret">([^<]+)</code>', text_of(response))[1]


def test_a_new_token_is_shown_once_and_works(staff, staff_client):
    response = add(staff_client)
    secret = secret_in(response)
    assert find_token(secret).user == staff
    assert "no-store" in response.headers["Cache-Control"]
    token = ApiToken.objects.get()
    for address in (LIST, f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/"):
        assert secret not in text_of(staff_client.get(address))
        assert token.digest not in text_of(staff_client.get(address))


def test_a_superuser_makes_tokens_for_others(superuser_client, staff):
    assert find_token(secret_in(add(superuser_client, user=staff.pk))).user == staff


def test_nobody_else_makes_a_token_for_another(staff_client, staff):
    other = User.objects.create_superuser("root")
    assert find_token(secret_in(add(staff_client, user=other.pk))).user == staff


def test_nobody_else_sees_the_tokens_of_others(staff_client, superuser_client):
    add(superuser_client, name="of-root", user=User.objects.get(username="root").pk)
    token = ApiToken.objects.get()
    assert "of-root" not in text_of(staff_client.get(LIST))
    assert staff_client.get(f"{LIST}{token.pk}/change/").status_code == 302
    staff_client.post(LIST, {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is None


def test_revoked_tokens_stay_in_the_list_and_work_no_more(staff_client):
    secret = secret_in(add(staff_client))
    sent = {"action": "revoke", "_selected_action": [ApiToken.objects.get().pk]}
    assert "1 token was revoked." in text_of(staff_client.post(LIST, sent, follow=True))
    assert find_token(secret) is None
    assert "prometheus" in text_of(staff_client.get(LIST))


def test_name_and_expiry_can_be_changed_and_nothing_else(staff_client, staff):
    secret = secret_in(add(staff_client))
    token = ApiToken.objects.get()
    sent = {"name": "other", "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00", "user": "99", "digest": "x"}
    staff_client.post(f"{LIST}{token.pk}/change/", sent)
    changed = ApiToken.objects.get()
    assert (changed.name, changed.digest, changed.user) == ("other", token.digest, staff)
    assert find_token(secret) is None


def test_deleted_is_gone(staff_client):
    secret = secret_in(add(staff_client))
    staff_client.post(f"{LIST}{ApiToken.objects.get().pk}/delete/", {"post": "yes"})
    assert find_token(secret) is None


def test_a_hostile_name_is_escaped(staff_client):
    for response in (add(staff_client, name=ATTACK), staff_client.get(LIST)):
        assert ATTACK not in text_of(response)


def test_who_may_not_is_refused(viewer_client):
    assert viewer_client.get(f"{LIST}add/").status_code == 403


def test_the_page_of_a_new_token_is_called_what_it_is(staff_client):
    page = staff_client.get(f"{LIST}add/").content.decode()
    assert "&rsaquo; Add API token" in page
    assert "None" not in page
