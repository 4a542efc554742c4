"""What somebody gets who has not signed in, where not everybody may read: from every address that there is."""

import re

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

READERS = ("application/json", "text/html")
# Without a sign-in: the sign-in itself, and what says nothing about the machine.
OPEN = {
    "/admin/login/": 200,
    "/api/v1/auth/token": 405,
    "/api/v1/auth/refresh": 405,
    "/language": 405,
}
# To what another test here looks at, or what every page shows.
LEADS_TO = {"/api": ("/api/v1",), "/favicon.ico": ("/static/",)}
EXAMPLES = {
    r"<int:id>": "1", r"<path:object_id>": "1", r"<int:content_type_id>": "1", r"<path:object_id>/change": "1",
    r"<id>": "1", r"<uidb64>": "x", r"<token>": "x",
}  # fmt: skip


def patterns(resolver, prefix=""):
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from patterns(entry, route)


def address(route):
    """An address of a route, None for one that is not for a single page."""
    for part, example in EXAMPLES.items():
        route = route.replace(part, example)
    return None if re.search(r"[<(^\\]", route) else f"/{route}"


ADDRESSES = sorted(set(filter(None, map(address, patterns(get_resolver())))))


@pytest.fixture
def stranger(recorded, settings):
    recorded.tick(cpu={"percent": 1.0}, processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 1.0}])
    settings.SYSMON_HOST, settings.ALLOWED_HOSTS = "0.0.0.0", ["localhost", "web-1"]
    return Client(headers={"host": "web-1"}, REMOTE_ADDR="192.0.2.1")


def test_every_address_is_looked_at():
    assert len(ADDRESSES) > 60
    assert {"/metrics", "/api/v1/hosts", "/openapi.json", "/admin/metrics/apitoken/add/", "/docs"} <= set(ADDRESSES)


@pytest.mark.parametrize("accepted", READERS)
@pytest.mark.parametrize("address", [address for address in ADDRESSES if address != "/api/v1/health"])
def test_a_stranger_is_sent_to_the_sign_in_or_refused(stranger, address, accepted):
    response = stranger.get(address, headers={"accept": accepted})
    if address in OPEN:
        assert response.status_code == OPEN[address]
    elif response.status_code in {301, 302}:
        assert response["Location"].startswith(LEADS_TO.get(address, ("/admin/login/?next=", "/admin/")))
    else:
        # 406: there is no such page as a document, or no such document as a page.
        assert response.status_code in {401, 406}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "head"])
def test_nor_with_another_method(stranger, method):
    codes = {
        address: getattr(stranger, method)(address).status_code
        for address in ADDRESSES
        if address not in OPEN and address != "/api/v1/health"
    }
    assert {address: code for address, code in codes.items() if code not in {301, 302, 401, 403, 405}} == {}


def test_health_says_its_status_and_nothing_else(stranger):
    response = stranger.get("/api/v1/health")
    assert response.json().keys() == {"status"}


@pytest.mark.parametrize("address", ["/api/v1/metrics/nothing", "/api/v2", "/api/v1/processes/9999999"])
def test_what_is_below_the_api_and_not_there_is_not_told_from_what_is(stranger, address):
    assert stranger.get(address).status_code == 401
