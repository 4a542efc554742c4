"""Content-Security-Policy: on everything, stricter or looser only where a page says so."""

import pytest

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
