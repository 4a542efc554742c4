"""Below a path of a real nginx, whether it takes the path off or not: every address carries it, and leads somewhere."""

import re
from urllib.parse import urlsplit

import pytest

from tests.deploy.proxies import Proxy, documented
from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live

PREFIX = "/sysmon"
PASSWORD = "a-right-long-one-7"
LINK = re.compile(
    r'(?:href|src|action|spec-url|data-(?:api|messages|document|sign-in))="([^"#][^"]*)"|"(http://localhost[^"]*)"'
)
PAGES = [
    "/", "/docs", "/redoc", "/api/v1", "/api/v1/metrics/cpu", "/api/v1/metrics/disk?limit=1", "/admin/",
    "/admin/metrics/host/", "/admin/metrics/cpusample/", "/admin/metrics/apitoken/add/",
]  # fmt: skip


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    up = Up(tmp_path_factory.mktemp("below") / "data", SYSMON_URL_PREFIX=PREFIX, SYSMON_TRUSTED_PROXIES="127.0.0.1")
    up.add_administrator("root", PASSWORD)
    up.start()
    assert eventually(lambda: len(up.ticks()) > 2, 20)
    yield up
    up.end_for_sure()


@pytest.fixture(scope="module", params=["taken off", "left on"])
def proxy(request, up, tmp_path_factory):
    location = documented("conf").replace("127.0.0.1:8000/", f"127.0.0.1:{up.port}/")
    assert f"127.0.0.1:{up.port}/;" in location
    if request.param == "left on":
        location = location.replace(f"127.0.0.1:{up.port}/;", f"127.0.0.1:{up.port};")
    # A name that is allowed, without the port of the test.
    site = f"server {{ listen 127.0.0.1:{{port}}; {location} }}"
    proxy = Proxy(tmp_path_factory.mktemp("nginx"), "nginx", site, {"$host;": "localhost;"})
    proxy.start()
    proxy.session = signed_in(proxy)
    yield proxy
    proxy.kill()


def signed_in(proxy):
    """The cookies of a sign-in, as a browser makes it."""
    asked = proxy.ask(f"{PREFIX}/", Accept="text/html")
    assert (asked.status, asked.headers["Location"]) == (302, f"{PREFIX}/admin/login/?next=%2Fsysmon%2F")
    page = proxy.ask(asked.headers["Location"])
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body.decode())[1]
    form = {"username": "root", "password": PASSWORD, "next": f"{PREFIX}/", "csrfmiddlewaretoken": token}
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    answer = proxy.ask(asked.headers["Location"], form, Cookie=cookies, Origin="http://localhost")
    assert (answer.status, answer.headers["Location"]) == (302, f"{PREFIX}/")
    lines = answer.headers.get_all("Set-Cookie")
    assert lines
    assert [line for line in lines if f"Path={PREFIX};" not in line] == []
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def links(answer):
    """The paths of this site that an answer names."""
    named = (urlsplit(one or other) for one, other in LINK.findall(answer.body.decode()))
    return {address.path for address in named if address.netloc in {"", "localhost"}}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_carries_it_and_every_file_is_there(proxy, page):
    answer = proxy.ask(PREFIX + page, Cookie=proxy.session, Accept="text/html")
    assert answer.status == 200
    absolute = {path for path in links(answer) if path.startswith("/")}
    assert {path for path in absolute if not path.startswith(PREFIX)} == set()
    files = [path for path in absolute if path.startswith(f"{PREFIX}/static/")]
    assert files or page.startswith("/api")
    assert {proxy.ask(path).status for path in files} <= {200}


def test_every_address_of_the_list_and_the_next_page_answer(proxy):
    listed = proxy.ask(f"{PREFIX}/api/v1", Cookie=proxy.session).json["links"].values()
    paths = [urlsplit(address).path for address in listed]
    assert {proxy.ask(path, Cookie=proxy.session).status for path in paths} == {200}
    first = proxy.ask(f"{PREFIX}/api/v1/metrics/cpu?limit=1", Cookie=proxy.session).json
    following = urlsplit(first["next"])
    assert following.path == f"{PREFIX}/api/v1/metrics/cpu"
    assert proxy.ask(f"{following.path}?{following.query}", Cookie=proxy.session).json["count"] == 1


def test_the_document_says_it(proxy):
    document = proxy.ask(f"{PREFIX}/openapi.json", Cookie=proxy.session).json
    assert document["servers"] == [{"url": PREFIX}]
    [path] = [path for path in document["paths"] if path.endswith("/health")]
    assert proxy.ask(PREFIX + path).status == 200


@pytest.mark.parametrize(
    ("asked", "status", "to"),
    [
        ("/docs/", 308, f"{PREFIX}/docs"), ("/api/v1/hosts/?a=1", 308, f"{PREFIX}/api/v1/hosts?a=1"),
        ("/admin", 301, f"{PREFIX}/admin/"), ("/admin/logout", 404, None), ("/nothing/", 404, None),
    ],
)  # fmt: skip
def test_redirects_stay_below_it(proxy, asked, status, to):
    answer = proxy.ask(PREFIX + asked, Cookie=proxy.session)
    assert answer.status == status
    assert (answer.headers["Location"] or "").replace("http://localhost", "") == (to or "")


def test_nothing_is_public_through_it(proxy):
    assert proxy.ask(f"{PREFIX}/metrics").status == 401


def test_this_machine_still_asks_without_it(up):
    assert up.get("/api/v1/health")[0] == 200
    assert up.get(f"{PREFIX}/api/v1/health")[0] == 200
