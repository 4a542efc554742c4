"""The page and the documentation below a path of a real nginx, in a browser: whatever they ask for carries the path."""

from urllib.parse import urlsplit

import pytest

from tests.deploy.proxies import Proxy
from tests.supervision.running import Up, eventually

SITE = (
    "server {{ listen 127.0.0.1:{{port}}; location /sysmon/ {{ proxy_pass {to}; proxy_set_header Host $http_host; }} }}"
)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    up = Up(
        tmp_path_factory.mktemp("below") / "data",
        SYSMON_URL_PREFIX="/sysmon",
        SYSMON_API_ACCESS="public",
        SYSMON_TRUSTED_PROXIES="127.0.0.1",
    )
    up.start()
    assert eventually(lambda: len(up.ticks()) > 2, 20)
    yield up
    up.end_for_sure()


@pytest.fixture(scope="module", params=["/", ""], ids=["taken off", "left on"])
def address(request, up, tmp_path_factory):
    proxy = Proxy(
        tmp_path_factory.mktemp("nginx"), "nginx", SITE.format(to=f"http://127.0.0.1:{up.port}{request.param}"), {}
    )
    proxy.start()
    yield f"http://127.0.0.1:{proxy.port}/sysmon/"
    proxy.kill()


def asked(page):
    paths = []
    page.on("request", lambda request: paths.append(urlsplit(request.url).path))
    return paths


def test_the_page_lives(address, open_page):
    page = open_page("about:blank", ready=False)
    paths = asked(page)
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector("#badge[data-state=live]")
    assert {path for path in paths if not path.startswith("/sysmon/")} == set()
    assert "/sysmon/api/v1/metrics/current" in paths


def test_a_language_that_is_chosen_is_kept(address, open_page):
    page = open_page(address)
    page.get_by_role("button", name="한국어").click()
    page.wait_for_selector("html[lang=ko-kr][data-ready]")
    assert page.url == address


def test_swagger_asks_below_it(address, open_page):
    page = open_page("about:blank", ready=False)
    paths = asked(page)
    page.goto(address + "docs")
    page.wait_for_selector(".opblock")
    assert page.locator(".servers option").all_inner_texts() == ["/sysmon"]
    page.locator(".opblock", has_text="/api/v1/health").first.click()
    page.get_by_role("button", name="Execute").first.click()
    page.wait_for_selector(".live-responses-table")
    assert "/sysmon/api/v1/health" in paths
    assert {path for path in paths if not path.startswith("/sysmon/")} == set()


def test_redoc_shows_the_document(address, open_page):
    page = open_page(address + "redoc", ready=False)
    page.wait_for_selector(".menu-content")
