"""What shows that a proxy is in front: such a request needs a sign-in, and a browser's own word ends public access."""

import time
from multiprocessing import get_context
from threading import Event

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.access.proxy_signs import shows_proxy
from metrics.recording.heartbeat import Heartbeat
from tests.access.test_strangers import ADDRESSES, OPEN

ADDRESS = "/api/v1/metrics/cpu"
# Headers by who adds them.
ADDED = {
    "RFC 7239 and 9110": """
        Forwarded Via Max-Forwards
    """,
    "HAProxy, nginx, Apache, Caddy, Traefik": """
        X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Proto X-Forwarded-Server
        X-Forwarded-Prefix X-Forwarded-Ssl X-Forwarded X-Forwarded-Anything Forwarded-For X-Forward-For
        X-Real-IP X-Real-Port X-NginX-Proxy X-Host X-Scheme X-URL-Scheme X-Original-URI X-Original-Method
        X-Accel-Internal
    """,
    "TLS in front": """
        Front-End-Https X-SSL X-SSL-Client-Cert SSL-Client-Cert X-HTTPS Early-Data Client-Cert X-Client-Cert
        X-Client-Verify
    """,
    "sign-in in front": """
        Remote-User X-Remote-User Remote-Groups X-Auth-Request-User X-WebAuth-User X-authentik-username
        Tailscale-User-Login X-Forwarded-User X-Forwarded-Access-Token Proxy-Authorization
    """,
    "load balancers and networks": """
        X-Client-IP Client-IP True-Client-IP X-Cluster-Client-IP X-Envoy-External-Address X-Request-ID
        X-Request-Start X-Correlation-ID CF-Connecting-IP CF-Ray CF-Visitor CDN-Loop Fastly-Client-IP Fastly-SSL
        X-Amzn-Trace-Id X-Amz-Cf-Id X-Azure-ClientIP X-Azure-FDID X-ARR-LOG-ID X-Original-URL X-Rewrite-URL
        X-Original-Host X-Cloud-Trace-Context X-Goog-IAP-JWT-Assertion X-AppEngine-Country Fly-Client-IP
        Akamai-Origin-Hop X-Akamai-Config-Log-Detail Incap-Client-IP X-Sucuri-ClientIP Ali-CDN-Real-IP X-Varnish
        Surrogate-Capability X-ProxyUser-Ip X-Vercel-Id WL-Proxy-Client-IP Proxy-Client-IP X-Proxy-User
        Proxy-Connection X-Originating-IP
    """,
}
HEADERS = sorted({header for headers in ADDED.values() for header in headers.split()})
# What clients on this machine send.
CLIENTS = {
    "curl": {"user-agent": "curl/8", "accept": "*/*"},
    "Chromium, typed": {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-ch-ua": "x", "dnt": "1"},
    "Chromium, our page": {"sec-fetch-site": "same-origin", "referer": "http://127.0.0.1:8000/", "priority": "u=1"},
    "a form of our page": {"sec-fetch-site": "same-origin", "origin": "http://[::1]:8000"},
    "another spelling": {"sec-fetch-site": "same-origin", "origin": "http://LOCALHOST.:8000"},
    "a link elsewhere": {"sec-fetch-site": "cross-site", "referer": "https://wiki.example.org/"},
    "another program here": {"sec-fetch-site": "same-site", "referer": "http://localhost:3000/"},
    "no origin said": {"sec-fetch-site": "same-origin", "origin": "null"},
    "nonsense": {"sec-fetch-site": "same-origin", "referer": "http://[:", "origin": "//"},
    "an add-on": {"sec-fetch-site": "none", "origin": "moz-extension://1b5c"},
    "Firefox": {"te": "trailers", "upgrade-insecure-requests": "1", "sec-fetch-user": "?1", "cookie": "a=b"},
    "Prometheus": {"x-prometheus-scrape-timeout-seconds": "10", "accept-encoding": "gzip"},
    "a program with tracing": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    "htmx": {"x-requested-with": "XMLHttpRequest", "hx-request": "true"},
    "a variable of the server": {"proxy": "http://proxy.example.org:3128"},
}
PROOFS = [
    {"sec-fetch-site": "same-origin", "referer": "https://sysmon.example.org/"},
    {"sec-fetch-site": "same-origin", "origin": "https://sysmon.example.org"},
    {"sec-fetch-site": "same-origin", "referer": "http://192.0.2.7:8000/?at=now", "origin": "http://localhost"},
    {"sec-fetch-site": "same-origin", "referer": "https://localhost.example.org/"},
    {"sec-fetch-site": "same-origin", "referer": "https://localhost@sysmon.example.org/"},
]
SIGNS = [
    {"sec-fetch-site": "same-site", "referer": "https://portal.example.org/"},
    {"referer": "http://sysmon.example.org/"},
    {"origin": "http://sysmon.example.org"},
]


@pytest.fixture
def heartbeat(monkeypatch):
    """What this process shares with others of its supervisor, as at a start."""
    heartbeat = Heartbeat(get_context())
    monkeypatch.setattr("metrics.recording.heartbeat._attached", heartbeat)
    return heartbeat


@pytest.fixture
def sampled(recorded, heartbeat):
    recorded.tick(cpu={}, processes={"total": 1}, process=[{"pid": 7, "command": "node server.js", "cpu_percent": 3.0}])
    return recorded


# One request ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_that_proxies_add_takes_a_user(api, sampled, header):
    assert api.get(ADDRESS, headers={header: "192.0.2.7"}).status_code == 401
    assert api.get(ADDRESS, headers={header: ""}).status_code == 401
    assert api.get(ADDRESS).status_code == 200


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1", "HTTP/0.9", ""])
def test_an_old_protocol_takes_a_user(api, sampled, protocol):
    assert api.get(ADDRESS, SERVER_PROTOCOL=protocol).status_code == 401


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2", "HTTP/2.0", "HTTP/3"])
def test_a_newer_one_takes_none(api, sampled, protocol):
    assert api.get(ADDRESS, SERVER_PROTOCOL=protocol).status_code == 200


@pytest.mark.parametrize("sent", CLIENTS.values(), ids=CLIENTS)
def test_a_client_on_this_machine_needs_no_sign_in(api, sampled, heartbeat, sent):
    assert api.get(ADDRESS, headers=sent).status_code == 200
    assert not heartbeat.has_proxy()


@pytest.mark.parametrize("sent", SIGNS)
def test_a_page_elsewhere_takes_a_user_where_the_browser_does_not_say_more(api, sampled, heartbeat, sent):
    assert api.get(ADDRESS, headers=sent).status_code == 401
    assert api.get(ADDRESS).status_code == 200
    assert not heartbeat.has_proxy()


def test_an_origin_that_may_call_the_api_is_no_proxy(api, sampled, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example.org"]
    assert api.get(ADDRESS, headers={"origin": "https://dashboard.example.org"}).status_code == 200


def test_each_sign_counts_at_every_address(api, sampled):
    for sent in ({"headers": {"via": "1.1 x"}}, {"SERVER_PROTOCOL": "HTTP/1.0"}, {"headers": PROOFS[0]}):
        codes = {address: api.get(address, **sent).status_code for address in ADDRESSES}
        given = {address for address, code in codes.items() if code not in {301, 302, 401}}
        assert given <= {*OPEN, "/api/v1/health"}
        assert api.get("/api/v1/health", **sent).json().keys() == {"status"}


def test_a_signed_in_user_may_come_through_a_proxy_and_sees_command_lines_by_permission_only(sampled, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_user("jin"))
    for sent in ({"SERVER_PROTOCOL": "HTTP/1.0"}, {"headers": {"via": "1.1 x"}}, {"headers": PROOFS[0]}):
        answer = client.get("/api/v1/metrics/processes", **sent)
        assert (answer.status_code, answer.json()["results"][0]["command"]) == (200, None)


@pytest.mark.parametrize("name", ["_" * 60_000, "VIA_" * 15_000, "REALREMOTE" * 6_000, "IP_" * 20_000 + "CLIENT"])
def test_a_name_of_any_length_is_looked_at_in_no_time(name):
    began = time.process_time()
    shows_proxy({"SERVER_PROTOCOL": "HTTP/1.1", f"HTTP_{name}": ""})
    assert time.process_time() - began < 0.5


# Until the next start ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", ADDRESS, "/static/nothing.js", "/admin/login/", "/api/v1/health", "/nowhere"])
@pytest.mark.parametrize("proof", PROOFS)
def test_a_browser_that_comes_through_a_proxy_ends_public_access(api, sampled, caplog, heartbeat, address, proof):
    assert api.get(ADDRESS).status_code == 200
    api.get(address, headers=proof)
    api.get(address, headers=proof)
    assert heartbeat.has_proxy()
    assert api.get(ADDRESS).status_code == 401
    [line] = [record for record in caplog.records if record.name == "metrics.access.permissions"]
    assert line.getMessage().startswith("a browser came through a proxy")


def test_everything_needs_a_sign_in_from_then_on(api, sampled, heartbeat):
    heartbeat.note_proxy()
    codes = {address: api.get(address).status_code for address in ADDRESSES}
    assert {address for address, code in codes.items() if code not in {301, 302, 401}} <= {*OPEN, "/api/v1/health"}
    assert api.get("/api/v1/health").json().keys() == {"status"}


def test_a_name_that_was_bound_to_this_address_proves_nothing(api, sampled, heartbeat):
    headers = {"host": "evil.example", "sec-fetch-site": "same-origin", "referer": "http://evil.example/"}
    assert api.get(ADDRESS, headers=headers).status_code == 400
    assert not heartbeat.has_proxy()


@pytest.mark.parametrize(
    ("name", "value"),
    [("SYSMON_API_ACCESS", "public"), ("SYSMON_API_ACCESS", "authenticated"), ("SYSMON_HOST", "0.0.0.0")],
)
def test_where_access_is_settled_there_is_nothing_to_notice(api, sampled, settings, heartbeat, name, value, caplog):
    setattr(settings, name, value)
    api.get(ADDRESS, headers=PROOFS[0])
    assert not heartbeat.has_proxy()
    assert caplog.messages == []


def test_without_a_supervisor_a_process_remembers_it_by_itself(api, sampled, monkeypatch):
    monkeypatch.setattr("metrics.recording.heartbeat._attached", None)
    monkeypatch.setattr("metrics.recording.heartbeat.Unwatched._proxy", Event())
    assert api.get(ADDRESS).status_code == 200
    assert api.get(ADDRESS, headers=PROOFS[0]).status_code == 401
    assert api.get(ADDRESS).status_code == 401
