"""Behind a real proxy nobody reads without a sign-in, but for what SECURITY.md says cannot be noticed."""

import itertools
import re

import pytest

from tests.deploy.proxies import NAME, Proxy, ask, documented_proxy, documented_settings
from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live

# This machine has many addresses.
senders = (f"127.0.2.{number}" for number in itertools.count(1))
PASSWORD = "a-right-long-one-7"
GUARDED = ["/api/v1/metrics/processes", "/api/v1/metrics/cpu", "/metrics", "/openapi.json", "/api/v1", "/"]
SHORTEST = {
    "nginx, HTTP/1.0": ("nginx", "server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {up}; }} }}"),
    "nginx, HTTP/1.1": (
        "nginx",
        "server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {up}; proxy_http_version 1.1; }} }}",
    ),
    "HAProxy": ("haproxy", "listen sysmon\n bind 127.0.0.1:{port}\n server s {address}"),
    "Caddy": ("caddy", "localhost {{\n reverse_proxy {address}\n}}"),
    "Apache": ("apache", "<VirtualHost *:{port}>\n ProxyPass / {up}/\n</VirtualHost>"),
}
# The name under which a visitor has to ask, so that the name that arrives is one of this machine.
ASKED_AS = {"HAProxy": "localhost", "Caddy": "localhost"}
BROWSER = {"Sec-Fetch-Site": "same-origin", "Referer": f"https://{NAME}/"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("proxies")


def made(directory, name):
    place = directory / re.sub(r"\W", "-", name)
    place.mkdir()
    return place


@pytest.fixture(scope="module")
def open_up(directory):
    """With no setting at all, and two processes of the web server."""
    up = Up(directory / "open", SYSMON_WEB_PROCESSES="2")
    up.start()
    assert eventually(lambda: len(up.ticks()) > 1, 10)
    yield up
    up.end_for_sure()


@pytest.fixture(params=SHORTEST)
def shortest(request, directory, open_up, tmp_path):
    maker, site = SHORTEST[request.param]
    address = f"127.0.0.1:{open_up.port}"
    proxy = Proxy(tmp_path, maker, site.format(port="{port}", up=f"http://{address}", address=address), {})
    proxy.start()
    proxy.name, proxy.asked_as = request.param, ASKED_AS.get(request.param, NAME)
    yield proxy
    proxy.kill()


def statuses(proxy, path="/api/v1/metrics/cpu", count=12, **headers):
    """What several connections are answered: both processes of the web server are among those that answer."""
    tls = proxy.name == "Caddy"
    return {proxy.ask(path, tls=tls, Host=proxy.asked_as, **headers).status for _ in range(count)}


@pytest.mark.parametrize("shortest", ["nginx, HTTP/1.0", "Caddy", "Apache"], indirect=True)
@pytest.mark.parametrize("path", GUARDED)
def test_a_proxy_that_shows_itself_opens_nothing(shortest, open_up, path):
    assert statuses(shortest, path, 3) == {401}
    assert ask(open_up.port, path, headers={"Host": "localhost"}).status == 200


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("shortest", ["HAProxy"], indirect=True)
def test_what_an_old_client_asks_through_haproxy_shows_it(shortest, path):
    assert ask(shortest.port, path, headers={"Host": "localhost"}, version="HTTP/1.0").status == 401


@pytest.mark.parametrize("shortest", ["HAProxy"], indirect=True)
def test_haproxy_hands_on_a_name_that_is_not_of_this_machine(shortest):
    assert shortest.ask("/api/v1/metrics/cpu").status == 400


@pytest.mark.parametrize("shortest", ["nginx, HTTP/1.1", "HAProxy"], indirect=True)
def test_one_that_shows_nothing_is_noticed_by_the_first_browser_that_shows_a_page(shortest, open_up):
    """Before that a program reads through it, as SECURITY.md says."""
    direct = {"Host": "localhost"}
    assert statuses(shortest) == {200}
    logged = open_up.log.read_text().count("a browser came through a proxy")
    shortest.ask("/static/dashboard.js", Host=shortest.asked_as, **BROWSER)
    try:
        assert statuses(shortest) == {401}
        assert {ask(open_up.port, "/metrics", headers=direct).status for _ in range(12)} == {401}
        assert ask(open_up.port, "/api/v1/health", headers=direct).json == {"status": "healthy"}
        assert open_up.log.read_text().count("a browser came through a proxy") == logged + 1
        open_up.web().kill()
        assert eventually(lambda: "the web server has ended" in open_up.log.read_text(), 20)
        assert eventually(lambda: statuses(shortest) == {401}, 20)
    finally:
        open_up.stop()
        open_up.start()
    assert ask(open_up.port, "/metrics", headers=direct).status == 200


# As docs/deploying.md says ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closed_up(directory):
    up = Up(directory / "closed", **documented_settings())
    up.add_administrator("root", PASSWORD)
    up.start()
    assert eventually(lambda: len(up.ticks()) > 1, 10)
    yield up
    up.end_for_sure()


@pytest.fixture(scope="module", params=["nginx", "caddy", "apache", "haproxy"])
def proxy(request, directory, closed_up):
    proxy = documented_proxy(made(directory, request.param), request.param, closed_up)
    proxy.start()
    proxy.session = signed_in(proxy)
    yield proxy
    proxy.kill()


def signed_in(proxy):
    """The cookies of the admin's sign-in, made as a browser does."""
    page = proxy.ask("/admin/login/", tls=True)
    form = {"username": "root", "password": PASSWORD, "next": "/admin/", "csrfmiddlewaretoken": token_in(page)}
    origin = {"Origin": f"https://{NAME}", "Referer": f"https://{NAME}/admin/login/", "Sec-Fetch-Site": "same-origin"}
    answer = proxy.ask("/admin/login/", form, tls=True, **origin, Cookie=cookies(page))
    assert (answer.status, answer.headers["Location"]) == (302, "/admin/")
    assert all("Secure" in line for line in answer.headers.get_all("Set-Cookie"))
    return cookies(answer)


def token_in(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body.decode())[1]


def cookies(answer):
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


@pytest.mark.parametrize("path", GUARDED)
def test_a_stranger_is_refused(proxy, path):
    answer = proxy.ask(path, tls=True)
    assert answer.status == 401
    assert answer.headers["Strict-Transport-Security"]


def test_a_browser_is_sent_to_the_sign_in_and_stays_at_the_proxys_name(proxy):
    answer = proxy.ask("/", tls=True, Accept="text/html")
    assert (answer.status, answer.headers["Location"]) == (302, "/admin/login/?next=%2F")
    listed = proxy.ask("/api/v1", tls=True, Cookie=proxy.session).json
    assert {link.split("/api/v1")[0] for link in listed["links"].values() if "/api/v1" in link} == {f"https://{NAME}"}


def test_a_user_reads(proxy):
    assert proxy.ask("/api/v1/metrics/cpu", tls=True, Cookie=proxy.session).json["metric"] == "cpu"
    assert proxy.ask("/", tls=True, Cookie=proxy.session, Accept="text/html").status == 200


def test_plain_http_is_sent_to_tls(proxy):
    answer = ask(proxy.places["other_port"], "/docs")
    assert answer.status in {301, 308}
    assert answer.headers["Location"].startswith(f"https://{NAME}")


@pytest.mark.parametrize("forged", ["X_Forwarded_For", "X-Forwarded-For"])
def test_passwords_are_counted_by_who_asks_the_proxy_whatever_he_says_himself(proxy, forged):
    form = {"username": "root", "password": "wrong"}
    sender = next(senders)
    answers = [
        ask(proxy.port, "/api/v1/auth/token", form, tls=True, sender=sender, headers={forged: f"198.51.100.{number}"})
        for number in range(7)
    ]
    assert [answer.status for answer in answers] == [401] * 5 + [429] * 2
    assert ask(proxy.port, "/api/v1/auth/token", form, tls=True, sender=next(senders)).status == 401
