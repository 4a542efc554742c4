"""A server that is killed, suspended, started anew or out of order under a page that is open."""

import re
import signal

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import at_share, settled
from tests.dashboard.test_states import NO_SUCCESS, server  # noqa: F401 - a fixture

INTERVAL_SECONDS = 2
# Two intervals, and what a loaded machine takes to draw.
NOTICED_MILLISECONDS = 2 * INTERVAL_SECONDS * 1000 + 1500
NO_CONNECTION = re.compile(r"^No connection to the server since .*\d\d:\d\d:\d\d\. Trying again in \d+ s\.$")
REFUSED = (*NO_SUCCESS, "net::ERR")


@pytest.fixture
def live(server, open_page):  # noqa: F811
    """A page that is live, and its server."""
    address, up = server(SYSMON_INTERVAL=str(INTERVAL_SECONDS))
    page = open_page(address, expected=REFUSED)
    expect(page.locator("#badge")).to_have_text("Live")
    expect(page.locator("#process-rows tr").first).to_be_visible(timeout=20_000)
    settled(page)
    return page, up


def kill(up):
    for process in up.processes():
        process.kill()
    up.process.wait(timeout=10)


def assert_no_connection(page):
    expect(page.locator("#notice")).to_have_text(NO_CONNECTION, timeout=NOTICED_MILLISECONDS)
    expect(page.locator("#badge")).to_have_text("Stale")


def assert_live(page, seconds):
    expect(page.locator("#badge")).to_have_text("Live", timeout=seconds * 1000)
    expect(page.locator("#notice")).to_be_hidden()
    before = page.locator("#shown").text_content()
    expect(page.locator("#shown")).not_to_have_text(before, timeout=10_000)


def test_a_killed_server_is_noticed_and_a_new_one_is_found(live):
    page, up = live
    kill(up)
    assert_no_connection(page)
    # Whatever explains itself does so without the server.
    page.mouse.move(*at_share(page, "cpu", 0.999))
    expect(page.locator("#tooltip")).to_be_visible()
    page.locator("#panel-cpu .help summary").click()
    expect(page.locator("#panel-cpu .help")).to_contain_text("The share of the time")
    page.locator("#custom summary").click()
    expect(page.locator("#custom-from")).to_have_value(re.compile("^20"))
    expect(page.locator("#notice")).to_have_text(NO_CONNECTION)
    up.start()
    assert_live(page, 25)


def test_an_upgraded_server_has_other_files_and_the_page_goes_on(live):
    """Its static files have another address: nothing may be loaded from the old one later."""
    page, up = live
    kill(up)
    assert_no_connection(page)
    page.route("**/static/**", lambda route: route.fulfill(status=404))
    up.start()
    assert_live(page, 25)
    page.locator("#process-rows button").first.click()
    expect(page.locator("#process-charts canvas")).to_have_count(3)
    page.locator("#further summary").click()
    expect(page.locator("#further-grid .card").first).to_be_attached()


def test_a_suspended_server_is_noticed_and_goes_on(live):
    """It takes connections, and never answers."""
    page, up = live
    processes = [process for process in up.processes() if process.pid != up.process.pid]
    up.process.send_signal(signal.SIGSTOP)
    for process in processes:
        process.suspend()
    assert_no_connection(page)
    for process in processes:
        process.resume()
    up.process.send_signal(signal.SIGCONT)
    assert_live(page, 25)


def test_a_server_that_falls_silent_under_a_long_question_is_noticed(live):
    page, _up = live
    page.route("**/api/v1/**", lambda route: None)
    page.get_by_role("button", name="Last 5 minutes").click()
    assert_no_connection(page)
    page.unroute_all(behavior="ignoreErrors")
    assert_live(page, 25)


def test_a_slow_line_is_no_silent_server(desktop, open_page):
    page = open_page("about:blank", ready=False)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 2000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    session.send("Network.emulateNetworkConditions", slow)
    page.goto(desktop)
    expect(page.locator("#badge")).to_have_text("Live", timeout=30_000)
    for _ in range(10):
        page.wait_for_timeout(1000)
        expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "kind", "text"), [(401, "error", "Sign in"), (503, "waiting", "busy"), (502, "error", "Trying again")]
)
def test_a_server_that_refuses_is_asked_again(desktop, open_page, status, kind, text):
    page = open_page(desktop + "?range=15m", expected=NO_SUCCESS, clock=True)
    settled(page)
    refuse = lambda route: route.fulfill(status=status, json={"detail": "The database is busy.", "errors": {}})  # noqa: E731
    page.route("**/api/v1/**", refuse)
    page.clock.fast_forward(6000)
    expect(page.locator("#notice")).to_contain_text(text)
    expect(page.locator("#notice")).to_have_attribute("data-kind", kind)
    expect(page.locator("#badge")).to_have_text("Stale")
    page.unroute("**/api/v1/**", refuse)
    page.clock.fast_forward(31_000)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#badge")).to_have_text("Live")


def test_after_a_sleep_it_is_live_at_once(desktop, open_page):
    page = open_page(desktop + "?range=15m", clock=True)
    settled(page)
    page.clock.fast_forward("08:00:00")
    page.wait_for_timeout(500)
    expect(page.locator("#notice")).not_to_contain_text("No connection")
