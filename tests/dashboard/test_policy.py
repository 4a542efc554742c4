"""Content-Security-Policy: on everything, stricter or looser only where a page says so."""

import pytest
from django.contrib.auth.models import User

BROWSER = {"accept": "text/html"}


@pytest.mark.parametrize("path", ["/", "/docs", "/admin/login/", "/api/v1/health", "/nothing-here"])
def test_nothing_may_come_from_outside(api, db, path):
    policy = api.get(path, headers=BROWSER).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_redoc_has_a_looser_one(api, db):
    policy = api.get("/redoc", headers=BROWSER).headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/", "/api/v1/health", "/metrics", "/admin/login/", "/nothing-here", "/redoc"])
def test_the_other_headers_are_on_everything(api, db, path):
    headers = api.get(path, headers=BROWSER).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("is_https", [False, True])
def test_no_script_reads_a_cookie_and_behind_tls_none_is_sent_in_the_clear(api, db, settings, no_attempts, is_https):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = is_https
    User.objects.create_superuser("jin", password="right")
    api.get("/admin/login/")
    api.post("/admin/login/", {"username": "jin", "password": "right"})
    api.post("/language", {"language": "ko-kr", "next": "/"})
    assert set(api.cookies) >= {"sysmon_session", "sysmon_csrf", "sysmon_language"}
    for cookie in api.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert bool(cookie["secure"]) is is_https
