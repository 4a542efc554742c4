"""POST /api/v1/auth/token and /api/v1/auth/refresh: a JWT for name and password."""

from datetime import timedelta

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from metrics.access.authentication import jwt_for

TOKEN, REFRESH, READ = "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/families"
RIGHT = {"username": "jin", "password": "a right one"}


@pytest.fixture
def user(db):
    return User.objects.create_user(**RIGHT)


@pytest.fixture
def client(api, settings, no_attempts):
    settings.SYSMON_API_ACCESS = "authenticated"
    return api


def sign_in(client, body=None, **sent):
    return client.post(TOKEN, body or RIGHT, content_type="application/json", **sent)


def refresh(client, token):
    return client.post(REFRESH, {"refresh": token}, content_type="application/json")


def read(client, token, scheme="Bearer"):
    return client.get(READ, headers={"authorization": f"{scheme} {token}"})


def test_the_right_password_gets_a_pair_that_nobody_may_keep(client, user):
    response = sign_in(client)
    assert response.status_code == 200
    assert response.json().keys() == {"access", "refresh"}
    assert response.headers["Cache-Control"] == "no-store"


def test_a_form_is_taken_too(client, user):
    assert client.post(TOKEN, "username=jin&password=a+right+one", "application/x-www-form-urlencoded").json()["access"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_access_token_reads(client, user, scheme):
    assert read(client, sign_in(client).json()["access"], scheme).status_code == 200


def test_the_refresh_token_gets_access_tokens_and_reads_nothing_itself(client, user):
    pair = sign_in(client).json()
    assert read(client, refresh(client, pair["refresh"]).json()["access"]).status_code == 200
    assert read(client, pair["refresh"]).status_code == 401
    assert refresh(client, pair["access"]).status_code == 401


def test_it_is_signed_with_the_secret_key_and_short_lived(client, user, settings):
    claims = jwt.decode(sign_in(client).json()["access"], settings.SECRET_KEY, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 300
    assert "password" not in str(claims["password"])


@pytest.mark.parametrize("body", [{**RIGHT, "password": "wrong"}, {**RIGHT, "username": "nobody"}])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client, user, body):
    response = sign_in(client, body)
    assert response.status_code == 401
    assert response.json() == {"detail": "No user has this name and this password.", "errors": {}}
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="sysmon"'


def test_a_user_who_was_switched_off_gets_and_keeps_nothing(client, user):
    pair = sign_in(client).json()
    User.objects.update(is_active=False)
    assert sign_in(client).status_code == 401
    assert read(client, pair["access"]).status_code == 401
    assert refresh(client, pair["refresh"]).status_code == 401


def test_a_user_who_was_deleted_keeps_nothing(client, user):
    pair = sign_in(client).json()
    user.delete()
    assert read(client, pair["access"]).status_code == 401
    assert refresh(client, pair["refresh"]).status_code == 401


def test_a_new_password_ends_all_tokens(client, user):
    pair = sign_in(client).json()
    user.set_password("another")
    user.save()
    assert read(client, pair["access"]).status_code == 401
    assert refresh(client, pair["refresh"]).status_code == 401


def test_a_token_that_has_expired_is_refused(client, user):
    token = jwt_for(user)
    access = token.access_token
    for expired in (token, access):
        expired.set_exp(lifetime=-timedelta(seconds=1))
    assert read(client, str(access)).status_code == 401
    assert refresh(client, str(token)).status_code == 401


def foreign(user, key, algorithm="HS256"):
    claims = jwt_for(user).access_token.payload
    return jwt.encode(claims, key, algorithm)


def test_a_token_that_we_did_not_sign_is_refused(client, user, settings):
    for token in (foreign(user, "x" * 64), foreign(user, None, "none"), foreign(user, settings.SECRET_KEY, "HS512")):
        assert read(client, token).status_code == 401


def test_a_token_without_what_ties_it_to_the_password_is_refused(client, user):
    assert read(client, str(AccessToken.for_user(user))).status_code == 401
    assert refresh(client, str(RefreshToken.for_user(user))).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ÿ", "e30.e30.", "W10.W10.W10", "eyJ" * 300, "[" * 50_000, "."])
def test_a_token_that_is_none_is_refused(client, db, token):
    assert read(client, token).status_code == 401
    assert refresh(client, token).status_code in {400, 401}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"text"', b"1", b"{}", b"\xff\xfe", b'{"username": "\\ud800", "password": "x"}',
        b"[" * 100_000, b'{"username":' * 10_000, b'{"username": null, "password": []}',
        b'{"username": {}, "password": 1e999}',
        b'{"username": "a\\u0000b", "password": "x"}', b'{"username": "%s", "password": "x"}' % (b"n" * 151),
        b'{"username": "", "password": ""}', b'{"refresh": {"a": 1}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [TOKEN, REFRESH])
def test_a_body_that_is_none_is_told_what_is_wrong(client, db, address, body, settings):
    settings.SYSMON_RATE_LOGIN = None
    response = client.post(address, body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["detail"]


@pytest.mark.parametrize("charset", ["zlib_codec", "utf-16", "no-such", "idna", "rot13", ""])
def test_a_strange_charset_is_no_error_of_ours(client, user, charset):
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    sent = client.generic("POST", TOKEN, b"username=%FF&password=\xff", kind)
    assert sent.status_code in {400, 401}


def test_another_type_of_body_is_refused(client, db):
    assert client.post(TOKEN, "<a/>", "text/xml").status_code == 415


def test_only_posting_is_offered(client, db):
    for address in (TOKEN, REFRESH):
        assert [client.get(address).status_code, client.put(address).status_code] == [405, 405]


def test_passwords_can_be_tried_only_so_often_in_the_admin_and_here_together(client, user, settings):
    settings.SYSMON_RATE_LOGIN = "3/min"
    client.post("/admin/login/", {"username": "jin", "password": "wrong"})
    assert [sign_in(client).status_code for _ in range(3)] == [200, 200, 429]
    refused = sign_in(client)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["errors"] == {}
    assert client.post("/admin/login/", RIGHT).status_code == 429


def test_a_forwarded_header_gives_nobody_a_new_count(client, user, settings):
    settings.SYSMON_RATE_LOGIN = "1/min"
    codes = [sign_in(client, headers={"x-forwarded-for": f"192.0.2.{n}"}).status_code for n in range(2)]
    assert codes == [200, 429]


def test_no_session_and_no_csrf_token_is_needed_or_given(user, client):
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    response = sign_in(strict)
    assert response.status_code == 200
    assert not response.cookies
