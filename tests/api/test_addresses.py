"""Slashes, methods, and addresses that are not there."""

import re

import pytest
from django.test import Client, RequestFactory

from metrics.api import errors

READABLE = ["/", "/api/v1", "/api/v1/health", "/api/v1/metrics/cpu", "/api/v1/metrics/current", "/openapi.json"]


@pytest.mark.parametrize(
    ("with_slash", "without"),
    [
        ("/api/v1/metrics/cpu/?limit=5&start=2026-11-22", "/api/v1/metrics/cpu?limit=5&start=2026-11-22"),
        ("/api/v1/health/", "/api/v1/health"),
        ("/api/v1/", "/api/v1"),
        ("/docs/", "/docs"),
        ("/openapi.json/", "/openapi.json"),
        ("/docs//", "/docs"),
    ],
)
def test_an_address_with_a_slash_goes_to_the_one_without(api, with_slash, without):
    response = api.get(with_slash)
    assert (response.status_code, response["Location"]) == (308, without)


def test_the_admin_keeps_its_slash(api, db):
    assert api.get("/admin")["Location"] == "/admin/"
    assert api.get("/admin/").status_code == 302


@pytest.mark.parametrize("address", ["/evil.example//", "/%2Fevil.example/", "/nothing/"])
def test_a_slash_never_leads_outside(api, address):
    assert api.get(address).status_code == 404


@pytest.mark.parametrize("address", READABLE)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(api, recorded, address, method):
    response = getattr(api, method)(address)
    assert response.status_code == 405
    assert response.json() == {"detail": f'Method "{method.upper()}" not allowed.', "errors": {}}
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("address", READABLE)
def test_head_has_the_headers_of_get_and_no_body(api, recorded, address):
    recorded.tick(cpu={})
    head, get = api.head(address), api.get(address)
    assert head.status_code == get.status_code
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.content == b""


@pytest.mark.parametrize("address", READABLE)
def test_options_describes_the_address(api, db, address):
    response = api.options(address)
    assert (response.status_code, response.headers["Allow"]) == (200, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("address", ["/api/v1/nothing", "/api/v1/metrics/nothing/", "/api/v2", "/api/x", "/api/v1/x/"])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "image/png"])
def test_an_unknown_address_of_the_api_is_404_in_json(api, db, address, accept):
    response = api.get(address, headers={"accept": accept})
    assert response.status_code == 404
    assert response.json() == {"detail": "Not found.", "errors": {}}


def test_api_alone_goes_to_the_list_of_addresses(api, db):
    assert api.get("/api?format=json")["Location"] == "/api/v1?format=json"
    assert api.get("/api/", follow=True).json()["name"] == "sysmon"


def test_an_icon_is_there_for_a_browser_that_shows_json(api, db):
    response = api.get("/favicon.ico")
    assert response.status_code == 302
    assert re.fullmatch(r"/static/\w+/metrics/icon\.svg", response["Location"])


def test_in_debug_mode_it_is_the_same_404(api, db, settings):
    settings.DEBUG = True
    assert api.get("/api/v1/nothing").json() == {"detail": "Not found.", "errors": {}}


def test_an_unknown_page_is_json_for_a_program_and_a_page_for_a_browser(api, db):
    assert api.get("/nothing").json() == {"detail": "Not found.", "errors": {}}
    assert "<h1>Not Found</h1>" in api.get("/nothing", headers={"accept": "text/html"}).content.decode()


def test_an_error_that_nobody_expected_shows_no_stack_trace(recorded, settings, monkeypatch):
    settings.ALLOWED_HOSTS = ["localhost"]
    recorded.tick(cpu={})
    monkeypatch.setattr("metrics.api.views.read_series", lambda _query: 1 / 0)
    response = Client(headers={"host": "localhost"}, raise_request_exception=False).get("/api/v1/metrics/cpu")
    assert (response.status_code, response.json()) == (500, {"detail": "Server error.", "errors": {}})


def test_a_database_that_does_not_answer_is_503(api, monkeypatch):
    from django.db import OperationalError

    def fail(_name):
        raise OperationalError("database is locked")

    monkeypatch.setattr("metrics.api.views.find_host", fail)
    response = api.get("/api/v1/metrics/cpu")
    assert (response.status_code, response.json()["detail"]) == (503, "The database does not answer.")
    assert response.headers["Retry-After"] == "5"


def test_too_many_parameters_are_a_bad_request(api, db, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    response = api.get("/api/v1/metrics/cpu?" + "&".join(f"a{n}=1" for n in range(20)))
    assert (response.status_code, response.json()["errors"]) == (400, {})


@pytest.mark.parametrize(
    ("handler", "status"), [(errors.bad_request, 400), (errors.permission_denied, 403), (errors.page_not_found, 404)]
)
def test_django_s_own_errors_have_the_shape_of_the_api(handler, status):
    response = handler(RequestFactory().get("/api/v1"), Exception("secret"))
    assert response.status_code == status
    assert b"secret" not in response.content
    assert b'"errors": {}' in response.content
