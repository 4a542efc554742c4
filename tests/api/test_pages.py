"""GET /, /docs, /redoc, /openapi.json, /api/v1 and the browsable API."""

import re
from pathlib import Path

import pytest
import yaml
from django.contrib.staticfiles import finders
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from metrics.history.metadata import families

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.yml"
SIGN_IN_CODES = {"200", "400", "401", "415", "429"}
HEALTH_CODES = {"200", "400", "406", "503"}
METRIC_CODES = HEALTH_CODES | {"401", "403", "404", "429"}
PAGES = ["/", "/docs", "/redoc"]


def test_the_front_page_is_the_dashboard_for_a_browser(api, db):
    response = api.get("/", headers=BROWSER)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    for link in ("/docs", "/redoc", "/admin/"):
        assert f'href="{link}"' in response.content.decode()


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png", "text/plain"])
def test_the_front_page_is_json_for_everything_else(api, db, accept):
    response = api.get("/", headers={"accept": accept})
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["links"]["cpu"] == "http://localhost/api/v1/metrics/cpu"


def test_every_link_of_the_information_answers(api, recorded):
    recorded.tick(cpu={}, memory={}, disk={}, processes={"total": 1}, interface=[{"interface": "lo"}])
    links = api.get("/api/v1").json()["links"]
    assert {"current", "disk", "processes", "top", "memory-peaks", "prometheus", "openapi", "admin"} <= set(links)
    for name, address in links.items():
        expected = {"admin": {302}, "health": {200, 503}}.get(name, {200})
        assert api.get(address).status_code in expected, name


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_nothing_inline_and_nothing_from_outside(api, db, page):
    html = api.get(page, headers=BROWSER).content.decode()
    assert "<style" not in html
    assert " style=" not in html
    assert re.findall(r"<script[^>]*>\s*[^<\s]", html) == []
    assert "//" not in html.replace("<!DOCTYPE", "")


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_loads_is_there(api, db, settings, page):
    html = api.get(page, headers=BROWSER).content.decode()
    loaded = re.findall(rf'(?:src|href)="{settings.STATIC_URL}([^"]+)"', html)
    assert loaded
    assert [path for path in loaded if finders.find(path) is None] == []


def test_swagger_is_told_where_the_document_is_and_has_its_script_in_a_file(api, db):
    page = api.get("/docs", headers=BROWSER).content.decode()
    assert 'data-document="/openapi.json"' in page
    assert re.findall("<script>", page) == []
    assert "metrics/js/swagger.js" in page


def test_the_document_is_the_committed_one(settings):
    made = OpenApiYamlRenderer().render(SchemaGenerator().get_schema(request=None, public=True), renderer_context={})
    assert made.decode() == COMMITTED.read_text(), "run: python manage.py spectacular --file docs/openapi.yml"


def test_the_document_is_valid_openapi_3_1():
    document = yaml.safe_load(COMMITTED.read_text())
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_the_document_is_served_as_json(api, db):
    response = api.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == yaml.safe_load(COMMITTED.read_text())


def test_every_operation_is_documented_in_full():
    document = yaml.safe_load(COMMITTED.read_text())
    for path, operations in document["paths"].items():
        [(method, operation)] = operations.items()
        assert re.fullmatch("(read|make|refresh)_[a-z_]+", operation["operationId"]), path
        assert operation["summary"], path
        assert [p["name"] for p in operation.get("parameters", []) if not p.get("description")] == [], path
        codes = SIGN_IN_CODES if method == "post" else HEALTH_CODES if path.endswith("health") else METRIC_CODES
        assert set(operation["responses"]) == codes, path
        assert "example" in str(operation["responses"]["200"]), path


def test_the_document_says_units_of_numbers():
    point = yaml.safe_load(COMMITTED.read_text())["components"]["schemas"]["MemoryPoint"]["properties"]
    assert point["used_bytes"]["description"] == "Memory in use by programs and the kernel (bytes, gauge)"
    assert point["used_bytes"]["type"] == ["integer", "null"]


@pytest.mark.parametrize("name", [*families(), "current"])
def test_every_address_is_browsable(api, recorded, name):
    recorded.tick(cpu={}, memory={}, disk={}, processes={"total": 1}, interface=[{"interface": "<script>"}])
    response = api.get(f"/api/v1/metrics/{name}", headers=BROWSER)
    html = response.content.decode()
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&quot;host&quot;" in html
    assert "<script>&quot" not in html
    assert 'method="POST"' not in html


@pytest.mark.parametrize("address", ["/api/v1", "/api/v1/health"])
def test_the_rest_is_browsable_too(api, db, address):
    assert "sysmon" in api.get(address, headers=BROWSER).content.decode()


def test_an_error_is_browsable_too(api, db):
    response = api.get("/api/v1/metrics/cpu?limit=0", headers=BROWSER)
    assert response.status_code == 400
    assert "Ensure this value is greater than or equal to 1." in response.content.decode()
