"""No page asks anything of another machine, or finds something wrong with itself: every HTML address, in a browser."""

import re
from urllib.parse import urlsplit

import pytest

# What Django answers to a browser that is not signed in, and what is not there: pages too.
PLAIN = ["", "docs", "redoc", "admin/login/", "nothing-here", "api/v1/nothing-here"]
LINKS = "[...document.querySelectorAll('a[href]')].map((link) => link.getAttribute('href'))"


def addresses_of_the_api(page, desktop):
    """Those that it lists, and those of its document that need no name in them."""
    listed = page.request.get(desktop, headers={"Accept": "application/json"}).json()["links"].values()
    document = page.request.get(desktop + "openapi.json").json()["paths"]
    known = {urlsplit(address).path for address in listed} | {path for path in document if "{" not in path}
    return sorted(path.lstrip("/") for path in known if not path.startswith(("/admin", "/openapi", "/metrics")))


def visited(page, desktop, path):
    """Open it and let it load what it loads; the type of the answer."""
    response = page.goto(desktop + path, wait_until="load")
    return response.headers.get("content-type", "")


def test_redoc_needs_nothing_from_outside_and_shows_no_broken_logo(desktop, open_page):
    page = open_page(desktop + "redoc", ready=False)
    page.wait_for_selector(".menu-content")
    page.wait_for_load_state("networkidle")
    assert page.locator("img[alt*=logo]").count() == 0


@pytest.mark.parametrize("path", PLAIN)
def test_a_page_stays_on_this_machine(desktop, open_page, path):
    page = open_page("about:blank", ready=False, expected=("404 (Not Found)",))
    assert visited(page, desktop, path).startswith("text/html") or "api/" in path
    page.wait_for_load_state("networkidle")


def test_every_address_of_the_api_stays_on_this_machine_in_a_browser(desktop, open_page):
    page = open_page("about:blank", ready=False, expected=("405 (Method", "404 (Not Found)", "400 (Bad"))
    addresses = addresses_of_the_api(page, desktop)
    types = {path: visited(page, desktop, path) for path in addresses}
    assert len([path for path, kind in types.items() if kind.startswith("text/html")]) > 10, types


def test_every_page_of_the_admin_stays_on_this_machine(desktop, open_page, signed_in):
    page = open_page("about:blank", ready=False, storage_state=signed_in)
    waiting, seen = ["admin/"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        assert visited(page, desktop, path).startswith("text/html"), path
        # Of a list one row stands for all; filters lead back to the list.
        links = [link for link in page.evaluate(LINKS) if re.fullmatch(r"/admin/[\w/]*", link)]
        rows = [link for link in links if "/change/" in link][:1]
        lists = [link for link in links if not re.search("/change/|logout|jsi18n|/history/", link)]
        waiting += {link.lstrip("/") for link in (*rows, *lists)} - seen - set(waiting)
        if "/change/" in path:
            waiting = [one for one in waiting if "/change/" not in one]
    assert len(seen) > 30, seen
