"""The states in which the page can be, each in a real browser."""

import re
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import at_share, ink, last, settled
from tests.dashboard.machine import HOSTILE
from tests.supervision.running import Up, eventually

NO_SUCCESS = ("Failed to load resource",)


@pytest.fixture
def server(tmp_path):
    """A program on an empty directory; ended whatever happens."""
    started = []

    def start(*arguments, **settings):
        up = Up(tmp_path / f"data{len(started)}", DJANGO_SETTINGS_MODULE="sysmon_project.settings", **settings)
        started.append(up)
        up.start(*arguments)
        return f"http://127.0.0.1:{up.port}/", up

    yield start
    for up in started:
        if up.process.poll() is None:
            up.stop()
        up.end_for_sure()


def test_before_the_first_sample_it_says_that_it_waits(server, open_page):
    address, _up = server("--only", "web")
    page = open_page(address, expected=NO_SUCCESS, ready=False)
    expect(page.locator("#notice")).to_have_text("No sample has been recorded yet.")
    expect(page.locator("#badge")).to_have_text("Waiting")
    expect(page.locator("#notice")).to_have_attribute("data-kind", "waiting")
    page.get_by_text("More charts").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    expect(page.locator("#notice")).to_have_text("No sample has been recorded yet.")


def test_it_comes_to_life_with_the_first_sample_and_goes_stale_with_the_last(server, open_page):
    address, up = server()
    page = open_page(address, expected=NO_SUCCESS)
    expect(page.locator("#badge")).to_have_text("Live")
    expect(page.locator("#cost")).to_contain_text("sysmon itself:", timeout=15_000)
    up.process.send_signal(19)  # SIGSTOP: nobody starts the recorder again
    up.recorder().suspend()
    expect(page.locator("#badge")).to_have_text("Stale", timeout=20_000)
    expect(page.locator("#notice")).to_contain_text("Nothing has been recorded for")
    for process in up.processes():
        process.kill()
    assert eventually(lambda: not up.processes(), 5)
    expect(page.locator("#notice")).to_contain_text("No connection to the server since", timeout=20_000)
    expect(page.locator("#badge")).to_have_text("Stale")


def test_live_it_asks_for_new_points_only(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    settled(page)
    # Drawn in steps of 15 s. Of single ticks each comes with the tiles; those of the last minutes are asked for first.
    with page.expect_response(re.compile(r"metrics/disk\?.*&step=15&"), timeout=40_000) as asked:
        pass
    assert asked.value.json()["count"] <= 3
    newest = page.locator("#shown").text_content()
    expect(page.locator("#shown")).not_to_have_text(newest, timeout=20_000)
    assert ink(page, "cpu") > 3000


FAMILIES = re.compile(r"metrics/(cpu|memory|disk|network)\?")
CHARTS = ("cpu", "memory", "disk", "network", "load")


def newest_values(page):
    return [page.locator(f"#panel-{panel} .plot").get_attribute("aria-label") for panel in CHARTS]


def test_live_the_newest_tick_is_asked_for_once_and_fills_every_chart(desktop, open_page):
    page = open_page(desktop + "?range=15m", viewport={"width": 1440, "height": 2600})
    settled(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if FAMILIES.search(request.url) else None)

    def moved_without_a_question():
        """A slow machine misses ticks, which are asked for; one that it did not miss is not."""
        asked.clear()
        before = newest_values(page)
        assert eventually(lambda: page.wait_for_timeout(100) or newest_values(page) != before, 30)
        return not asked

    assert eventually(moved_without_a_question, 60)
    page.get_by_role("button", name="Pause").click()
    settled(page)
    # It is what a page shows that asks the API for the points up to that tick.
    page.locator("#panel-cpu .help summary").click()
    query = parse_qs(urlsplit(page.locator("#panel-cpu .help code").first.text_content()).query)
    past = open_page(
        f"{desktop}?from={query['start'][0]}&to={query['end'][0]}", viewport={"width": 1440, "height": 2600}
    )
    assert newest_values(past) == newest_values(page)


def test_a_tick_that_was_missed_is_asked_for(desktop, open_page):
    page = open_page(desktop + "?range=15m", expected=NO_SUCCESS)
    settled(page)
    page.route("**/metrics/current*", lambda route: route.abort())
    expect(page.locator("#badge")).to_have_text("Stale")
    with page.expect_response(FAMILIES, timeout=60_000) as asked:
        page.unroute("**/metrics/current*")
    assert asked.value.json()["count"] >= 2
    expect(page.locator("#badge")).to_have_text("Live")


def test_paused_nothing_moves(desktop, open_page):
    page = open_page(desktop + "?range=15m", clock=True)
    page.keyboard.press("Space")
    expect(page.locator("#badge")).to_have_text("Paused")
    expect(page).to_have_url(re.compile("paused"))
    settled(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(60_000)
    page.wait_for_timeout(300)
    assert asked == []
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#badge")).to_have_text("Live")


def test_a_hidden_tab_asks_for_nothing(desktop, open_page):
    page = open_page(desktop + "?range=15m", clock=True)
    settled(page)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.wait_for_timeout(200)
    settled(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(60_000)
    page.wait_for_timeout(300)
    assert asked == []
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#badge")).to_have_text("Live")
    assert eventually(lambda: page.wait_for_timeout(100) or asked, 5)


def around_the_gap(browser_page, address):
    """The half hours before and after it, however long ago it is by now."""
    query = "api/v1/metrics/cpu?start=-3h&step=1m&limit=1000&fields=percent"
    points = browser_page.request.get(address + query).json()["results"]
    times = [datetime.fromisoformat(point["timestamp"]) for point in points]
    before, after = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    half_hour = timedelta(minutes=30)
    return f"?from={before - half_hour:%Y-%m-%dT%H:%M:%SZ}&to={after + half_hour:%Y-%m-%dT%H:%M:%SZ}"


def test_a_gap_is_shaded_and_no_line_crosses_it(desktop, open_page):
    page = open_page(desktop)
    page.goto(desktop + around_the_gap(page, desktop))
    expect(page.locator("#panel-cpu .gaps i")).to_have_count(1)
    expect(page.locator("#panel-load .gaps i")).to_have_count(1)
    assert ink(page, "load") > 500
    in_gap = """() => {
      const canvas = document.querySelector("#panel-load canvas");
      const gap = document.querySelector("#panel-load .gaps i").getBoundingClientRect();
      const box = canvas.getBoundingClientRect();
      const scale = canvas.width / box.width;
      const context = canvas.getContext("2d");
      const middle = (gap.left + gap.width * 0.3 - box.left) * scale;
      const { data } = context.getImageData(middle, 12 * scale, gap.width * 0.4 * scale, (gap.height - 8) * scale);
      let count = 0;
      for (let place = 0; place < data.length; place += 4) {
        const [red, , blue, alpha] = data.slice(place, place + 4);
        count += alpha > 0 && blue - red > 60;
      }
      return count;
    }"""
    # A tick that is being drawn may be half there; a line that crosses stays.
    assert eventually(lambda: page.evaluate(in_gap) == 0, 5)


def test_a_reboot_has_its_mark(zoo, open_page):
    context = open_page("about:blank", ready=False).context
    page = open_page(zoo + last(context, zoo, "rebooted", 3600))
    expect(page.locator("#panel-cpu .boot")).to_have_text("boot")
    expect(page.locator("#panel-cpu .boot")).to_be_visible()
    expect(page.locator("#host-facts")).to_contain_text(re.compile(r"up \d"))
    gap = page.locator("#panel-cpu .gaps i").nth(1).bounding_box()
    expect(page.locator("#panel-cpu .lane li").first).to_be_visible()
    blocks = [block.bounding_box() for block in page.locator("#panel-cpu .lane li").all()]
    middle = gap["x"] + gap["width"] / 2
    assert blocks
    assert not any(block["x"] < middle < block["x"] + block["width"] for block in blocks)


@pytest.mark.parametrize(("host", "cores"), [("single-core", 1), ("many-cores", 64)])
def test_the_cores_can_be_read_with_one_and_with_many(zoo, open_page, host, cores):
    context = open_page("about:blank", ready=False).context
    page = open_page(zoo + last(context, zoo, host, 900))
    expect(page.locator("#host-facts")).to_contain_text(f"cores: {cores}")
    assert ink(page, "cores") > 10_000
    page.mouse.move(*at_share(page, "cores", 0.43))
    expect(page.locator("#tooltip")).to_contain_text("busiest, CPU")


def test_forty_disks_and_interfaces(zoo, open_page):
    context = open_page("about:blank", ready=False).context
    page = open_page(zoo + last(context, zoo, "many-cores", 900))
    page.locator("#panel-network").scroll_into_view_if_needed()
    expect(page.locator("#panel-network option")).to_have_count(42)
    expect(page.locator("#panel-disk option")).to_have_count(41)
    page.locator("#panel-space").scroll_into_view_if_needed()
    expect(page.locator("#panel-space li")).to_have_count(40)
    page.locator("#panel-network select").select_option("eth39")
    expect(page.locator("#panel-network .legend b").first).to_contain_text("B/s")


def test_a_name_that_wants_to_do_harm_is_a_text(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    row = page.locator("#process-rows tr", has_text="<img")
    expect(row.get_by_role("button")).to_have_text(HOSTILE)
    row.get_by_role("button").click()
    expect(page.locator("#process-title")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0


def test_a_year_shows_means_and_says_so(zoo, open_page):
    page = open_page(zoo + "?host=a-year&range=1y")
    expect(page.locator("#shown")).to_contain_text("a point: mean of 1 day")
    assert ink(page, "cpu") > 5000
    page.mouse.move(*at_share(page, "cpu", 0.5))
    expect(page.locator("#tooltip")).to_contain_text("mean of 1 day; beside it the lowest and the highest")
    total = page.locator("#tooltip .total").text_content()
    mean, lowest, highest = (float(number) for number in re.findall(r"\d+\.\d", total))
    assert lowest < mean < highest


def test_another_host_can_be_chosen(zoo, open_page):
    page = open_page(zoo + "?range=15m")
    page.locator("#host-choice").select_option("many-cores")
    expect(page.locator("#host-facts")).to_contain_text("cores: 64")
    expect(page.locator("#host-choice option:checked")).to_have_text("many-cores")
    expect(page).to_have_url(re.compile("host=many-cores"))


def test_a_host_that_is_silent_is_stale(zoo, open_page):
    page = open_page(zoo + "?host=rebooted&range=15m")
    expect(page.locator("#badge")).to_have_text("Stale")
    expect(page.locator("#notice")).to_contain_text("Nothing has been recorded for")


def test_without_permission_the_sign_in_comes_first(server, open_page):
    address, _up = server("--only", "web", SYSMON_API_ACCESS="authenticated")
    page = open_page(address, ready=False)
    expect(page).to_have_url(re.compile(r"/admin/login/\?next=%2F"))


def test_a_session_that_ends_meanwhile_offers_the_sign_in(desktop, open_page):
    page = open_page(desktop + "?range=15m", expected=NO_SUCCESS, clock=True)
    settled(page)
    answer = {"detail": "Authentication credentials were not provided.", "errors": {}}
    page.route("**/api/v1/**", lambda route: route.fulfill(status=401, json=answer))
    page.clock.fast_forward(6000)
    expect(page.locator("#notice a")).to_have_text("Sign in")
    assert page.locator("#notice a").get_attribute("href").startswith("/admin/login/?next=%2F%3Frange%3D15m")


def test_an_error_of_the_api_is_shown_and_gone_when_it_is_over(desktop, open_page):
    page = open_page(desktop + "?range=15m", expected=NO_SUCCESS, clock=True)
    settled(page)
    answer = {"detail": "Request was throttled.", "errors": {}}
    refuse = lambda route: route.fulfill(status=429, json=answer, headers={"Retry-After": "2"})  # noqa: E731
    page.route("**/api/v1/**", refuse)
    page.clock.fast_forward(6000)
    expect(page.locator("#notice")).to_have_text("Request was throttled. Trying again in 2 s.")
    expect(page.locator("#badge")).to_have_text("Stale")
    page.unroute("**/api/v1/**", refuse)
    page.clock.fast_forward(2000)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#badge")).to_have_text("Live")


def test_a_moment_that_could_not_be_loaded_is_asked_for_again(desktop, open_page):
    page = open_page(desktop + "?range=15m", expected=NO_SUCCESS, clock=True)
    settled(page)
    refuse = lambda route: route.fulfill(status=500, json={"detail": "No.", "errors": {}})  # noqa: E731
    page.route("**/api/v1/**", refuse)
    page.get_by_role("button", name="Back by half of what is shown").click()
    expect(page.locator("#notice")).to_have_text("No. Trying again in 10 s.")
    expect(page.locator("#panel-cpu")).to_have_attribute("aria-busy", "true")
    page.unroute("**/api/v1/**", refuse)
    page.clock.fast_forward(10_000)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#panel-cpu")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("#badge")).to_have_text("History")


def test_an_address_with_nonsense_shows_now(desktop, open_page):
    page = open_page(desktop + "?range=soon&width=x&from=&process=%3Cimg%3E&only.disk=nothing")
    expect(page.locator("#badge")).to_have_text("Live")
