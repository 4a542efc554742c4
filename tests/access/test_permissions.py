"""Who may read: everybody on loopback, nobody else without having signed in, unless the settings say otherwise."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from metrics.access.addresses import allowed_hosts, parse_networks
from metrics.history.metadata import families

METRICS = [f"/api/v1/metrics/{name}" for name in (*families(), "current")]
DOCUMENTS = ["/openapi.json", "/api/v1"]


@pytest.fixture
def sampled(recorded):
    recorded.tick(cpu={}, memory={}, disk={}, interface=[{"interface": "lo"}], processes={"total": 2}, process=SOME)
    return recorded


SOME = [{"pid": 7, "command": "node server.js", "cpu_percent": 3.0}]


@pytest.fixture
def user(db):
    return User.objects.create_user("jin", password="secret")


def signed_in(user, **headers):
    client = Client(headers={"host": "localhost", **headers})
    client.force_login(user)
    return client


@pytest.mark.parametrize("address", METRICS + DOCUMENTS)
def test_on_loopback_it_is_public(api, sampled, address):
    assert api.get(address).status_code == 200


@pytest.mark.parametrize("address", METRICS + DOCUMENTS)
def test_a_stranger_gets_401_where_access_takes_a_user(api, sampled, settings, address):
    settings.SYSMON_API_ACCESS = "authenticated"
    response = api.get(address)
    assert response.status_code == 401
    assert response.json() == {"detail": "Authentication credentials were not provided.", "errors": {}}


@pytest.mark.parametrize("address", METRICS + DOCUMENTS)
def test_a_user_may_read_where_access_takes_a_user(sampled, settings, user, address):
    settings.SYSMON_API_ACCESS = "authenticated"
    settings.ALLOWED_HOSTS = ["localhost"]
    assert signed_in(user).get(address).status_code == 200


@pytest.mark.parametrize(
    "bind", ["0.0.0.0", "::", "192.0.2.7", "web-1", "unix:/run/sysmon.sock", "0", "::ffff:192.0.2.7"]
)
def test_another_bind_address_takes_a_user(api, sampled, settings, bind):
    settings.SYSMON_HOST = bind
    assert api.get("/api/v1/metrics/cpu").status_code == 401


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost", "::ffff:127.0.0.1", "127.1"])
def test_every_loopback_address_is_public(api, sampled, settings, bind):
    settings.SYSMON_HOST = bind
    assert api.get("/api/v1/metrics/cpu").status_code == 200


def test_an_allowed_host_that_is_not_loopback_takes_a_user(api, sampled, settings):
    settings.ALLOWED_HOSTS = ["localhost", "web-1"]
    assert api.get("/api/v1/metrics/cpu").status_code == 401


@pytest.mark.parametrize("address", ["192.0.2.7", "", "unix:", "localhost", "::ffff:192.0.2.7"])
def test_a_request_that_comes_from_elsewhere_takes_a_user(api, sampled, address):
    assert api.get("/api/v1/metrics/cpu", REMOTE_ADDR=address).status_code == 401


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"])
def test_a_request_that_comes_from_here_takes_none(api, sampled, address):
    assert api.get("/api/v1/metrics/cpu", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "localhost.", "127.0.0.1:8000", "[::1]:8000", "localhost:1"]
)
def test_this_machine_may_be_called_by_each_of_its_names(api, sampled, settings, host):
    settings.ALLOWED_HOSTS = allowed_hosts("127.0.0.1")
    assert api.get("/api/v1/metrics/cpu", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("SYSMON_TRUSTED_PROXIES", parse_networks("127.0.0.1")), ("SYSMON_HTTPS", True)]
)
def test_a_proxy_that_is_configured_takes_a_user(api, sampled, settings, name, value):
    setattr(settings, name, value)
    assert api.get("/api/v1/metrics/cpu").status_code == 401


def test_public_access_is_public_from_everywhere(api, sampled, settings):
    settings.SYSMON_API_ACCESS = "public"
    assert api.get("/api/v1/metrics/cpu", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_a_foreign_host_name_is_refused(api, sampled):
    response = api.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert api.get("/api/v1", headers={"host": "evil.example"}).json()["detail"]


def test_a_stranger_learns_nothing_of_what_exists(api, settings):
    settings.SYSMON_API_ACCESS = "authenticated"
    assert api.get("/api/v1/metrics/nothing").status_code == 401


def test_a_user_who_was_switched_off_is_a_stranger(sampled, settings, user):
    settings.SYSMON_API_ACCESS = "authenticated"
    settings.ALLOWED_HOSTS = ["localhost"]
    client = signed_in(user)
    User.objects.update(is_active=False)
    assert client.get("/api/v1/metrics/cpu").status_code == 401


def command_seen_by(client, address="/api/v1/metrics/processes"):
    body = client.get(address).json()
    return body.get("processes", body)["results"][0]["command"]


@pytest.mark.parametrize("address", ["/api/v1/metrics/processes", "/api/v1/metrics/current"])
def test_commands_are_shown_on_loopback(api, sampled, address):
    assert command_seen_by(api, address) == "node server.js"


@pytest.mark.parametrize("address", ["/api/v1/metrics/processes", "/api/v1/metrics/current"])
def test_commands_are_hidden_where_everybody_may_read(api, sampled, settings, address):
    settings.SYSMON_API_ACCESS = "public"
    assert command_seen_by(api, address) is None


def test_commands_are_hidden_from_a_user_without_the_permission(sampled, settings, user):
    settings.SYSMON_API_ACCESS = "authenticated"
    settings.ALLOWED_HOSTS = ["localhost"]
    assert command_seen_by(signed_in(user)) is None


def test_commands_are_shown_to_a_user_with_the_permission(sampled, settings, user):
    settings.SYSMON_API_ACCESS = "authenticated"
    settings.ALLOWED_HOSTS = ["localhost"]
    user.user_permissions.add(Permission.objects.get(codename="view_command"))
    assert command_seen_by(signed_in(user)) == "node server.js"


def test_commands_are_hidden_in_a_csv_too(api, sampled, settings):
    settings.SYSMON_API_ACCESS = "public"
    assert b"node server.js" not in api.get("/api/v1/metrics/processes?format=csv").content


@pytest.mark.parametrize("address", ["/", "/docs", "/redoc"])
def test_a_page_sends_a_stranger_to_the_sign_in_and_back(api, settings, db, address):
    settings.SYSMON_API_ACCESS = "authenticated"
    response = api.get(f"{address}?x=1", headers={"accept": "text/html"})
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/?next=%2F")
    assert response["Location"].endswith("%3Fx%3D1")
