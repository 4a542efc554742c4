"""What a page of another origin may do with a browser that can reach this machine: nothing, unless it is named."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

OTHER = "https://dashboard.example.org"
ADDRESSES = ["/api/v1/metrics/cpu", "/api/v1/hosts", "/openapi.json", "/api/v1/auth/token"]


def preflight(api, address, method="GET"):
    asked = {
        "origin": OTHER,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization",
    }
    return api.options(address, headers=asked).headers


@pytest.mark.parametrize("address", [*ADDRESSES, "/", "/metrics", "/admin/login/"])
def test_another_origin_may_not_read(api, recorded, address):
    recorded.tick(cpu={"percent": 1.0})
    for headers in (preflight(api, address), api.get(address, headers={"origin": OTHER}).headers):
        assert [name for name in headers if name.lower().startswith("access-control-")] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_one_that_is_named_may_and_brings_no_cookies(api, recorded, settings, address):
    settings.CORS_ALLOWED_ORIGINS = [OTHER]
    headers = preflight(api, address, "POST")
    assert headers["Access-Control-Allow-Origin"] == OTHER
    assert "authorization" in headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers


def test_one_that_is_named_reads_the_api_only(api, recorded, settings):
    settings.CORS_ALLOWED_ORIGINS = [OTHER]
    for address in ("/", "/metrics", "/admin/login/"):
        assert "Access-Control-Allow-Origin" not in api.get(address, headers={"origin": OTHER}).headers


@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost:x", "[::1"]
)
@pytest.mark.parametrize(
    "address", ["/api/v1/metrics/cpu", "/api/v1/health", "/metrics", "/", "/admin/login/", "/nowhere"]
)
def test_a_name_that_was_bound_to_this_address_is_refused(api, recorded, name, address):
    recorded.tick(cpu={"percent": 1.0})
    assert api.get(address, headers={"host": name}).status_code == 400


@pytest.mark.parametrize("address", ["/admin/login/", "/language", "/admin/logout/"])
def test_a_form_of_another_page_is_refused(db, no_attempts, settings, address):
    settings.ALLOWED_HOSTS = ["localhost"]
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(address, {"username": "a", "password": "b"}, headers={"origin": OTHER}).status_code == 403
