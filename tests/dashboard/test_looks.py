"""What everybody can see and reach: both themes, both languages, a phone, a screen reader; and what it costs."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import at_burst, at_share, settled
from tests.supervision.running import eventually

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FIRST_LOAD_BYTES = 80_000
KOREAN = re.compile("[가-힣]")
# Names, units and abbreviations, which are the same in both languages.
SAME_IN_KOREAN = re.compile(r"(CPU|PID|API|UDP|English|sysmon|desktop|ok|[kKMGT]?i?B(/s)?|MHz|[mhdy]|/s|[^A-Za-z])*")


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return request.param


def violations(page):
    """What axe finds."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(desktop, open_page, theme, viewport):
    page = open_page(desktop + "?range=1h", color_scheme=theme, viewport=viewport, bypass_csp=True)
    page.locator("#panel-cpu .help summary").click()
    expect(page.locator("#panel-cpu .help code")).to_be_visible()
    assert violations(page) == []


def test_axe_finds_nothing_in_the_past_with_a_process(desktop, open_page, theme):
    page = open_page(desktop + "?range=1h", color_scheme=theme, bypass_csp=True)
    page.mouse.click(*at_burst(page))
    page.locator("#process-rows button", has_text="ffmpeg").click()
    expect(page.locator("#process-title")).to_have_text("ffmpeg (PID 48213)")
    assert violations(page) == []


def test_the_theme_is_there_before_the_first_paint_and_kept(desktop, open_page):
    page = open_page(desktop + "?range=15m", color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(16, 18, 20)"
    button = page.locator("#theme")
    button.click()
    expect(button).to_have_attribute("aria-label", "Theme: light")
    assert page.evaluate(background) == "rgb(246, 246, 244)"
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.early = document.documentElement.dataset.theme })"
    )
    page.reload()
    assert page.evaluate("window.early") == "light"


@pytest.mark.parametrize("query", ["?range=15m", "?host=many-cores&range=15m"])
def test_a_phone_needs_no_sideways_scroll_and_has_large_targets(zoo, desktop, open_page, query):
    page = open_page((zoo if "host" in query else desktop) + query, viewport=PHONE, has_touch=True, is_mobile=True)
    page.get_by_text("More charts").scroll_into_view_if_needed()
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = page.evaluate("""() => [...document.querySelectorAll("button, select, input, summary, .controls a")]
      .filter((node) => node.checkVisibility() && !node.closest(".lane"))
      .map((node) => [node.id || node.textContent || node.ariaLabel, node.getBoundingClientRect()])
      .filter(([, box]) => box.height < 43.5 || box.width < 40)
      .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)""")
    assert small == []


def test_a_drag_zooms_on_a_phone(desktop, open_page):
    page = open_page(desktop + "?range=1h", viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator("#panel-cpu").scroll_into_view_if_needed()
    before = page.locator("#shown").text_content()
    x, y = at_share(page, "cpu", 0.3)
    finger = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        *(("touchMove", [{"x": x + step, "y": y}]) for step in range(10, 110, 10)),
        ("touchEnd", []),
    ):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator("#badge")).to_have_text("History")
    expect(page.locator("#shown")).not_to_have_text(before)
    expect(page).to_have_url(re.compile("from=.*&to="))


def test_a_tap_picks_a_moment_on_a_phone(desktop, open_page):
    page = open_page(desktop + "?range=1h", viewport=PHONE, has_touch=True, is_mobile=True)
    page.locator("#panel-cpu").scroll_into_view_if_needed()
    page.touchscreen.tap(*at_burst(page))
    expect(page.locator("#badge")).to_have_text("History")
    expect(page.locator("#process-rows tr").first).to_contain_text("ffmpeg")


def test_it_is_korean_from_top_to_bottom(desktop, open_page):
    page = open_page(desktop + "?range=1h", locale="ko-KR")
    page.mouse.move(*at_share(page, "cpu", 0.5))
    expect(page.locator("#tooltip")).to_contain_text("합계")
    page.locator("#further summary").click()
    page.locator("#panel-cpu-frequency_mhz").scroll_into_view_if_needed()
    settled(page)
    texts = page.evaluate("""() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found = new Set();
      const own = "#process-rows, .lane, #host-facts, #host-name, noscript, select option, .volumes b,"
        + "#further-grid .legend, .calls code";
      while (walker.nextNode()) {
        const text = walker.currentNode;
        if (!text.parentElement.closest(own)) found.add(text.data.trim());
      }
      for (const node of document.querySelectorAll("[aria-label], [title], [placeholder]")) {
        for (const name of ["aria-label", "title", "placeholder"]) {
          if (!node.closest(own) && node.getAttribute(name)) found.add(node.getAttribute(name));
        }
      }
      return [...found];
    }""")
    words = [text for text in texts if re.search("[A-Za-z]{2}", text) and not KOREAN.search(text)]
    assert [text for text in words if not SAME_IN_KOREAN.fullmatch(text)] == []


def test_the_language_is_chosen_and_kept(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("#badge")).to_have_text("실시간")
    assert page.locator("html").get_attribute("lang") == "ko-kr"
    page.reload()
    expect(page.locator("#processes-title")).to_contain_text("프로세스")


def test_an_error_of_the_api_is_korean_too(desktop, open_page):
    page = open_page(desktop + "?range=15m", locale="ko-KR")
    answer = page.request.get(desktop + "api/v1/metrics/cpu?limit=0&step=x", headers={"Accept-Language": "ko"})
    errors = answer.json()["errors"]
    assert all(KOREAN.search(text) for texts in errors.values() for text in texts), errors


# Counts how often the badge blinks and the CPU chart is drawn; what moves for long is a thousand.
MOVED = """() => {
  window.moved = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime > 1000).length * 1000;
  window.drawn = 0;
  const dot = document.querySelector("#badge i");
  new MutationObserver(() => (window.moved += dot.style.opacity !== "")).observe(dot, { attributeFilter: ["style"] });
  const chart = document.querySelector("#panel-cpu .plot");
  new MutationObserver(() => (window.drawn += 1)).observe(chart, { attributeFilter: ["aria-label"] });
}"""


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_the_badge_moves_once_a_tick_and_not_where_nobody_wants_it(desktop, open_page, wish):
    page = open_page(desktop + "?range=15m", reduced_motion=wish)
    settled(page)
    page.evaluate(MOVED)
    assert eventually(lambda: page.wait_for_timeout(200) or page.evaluate("window.drawn") >= 2, 30)
    moved = page.evaluate("window.moved")
    assert moved == 0 if wish == "reduce" else 1 <= moved <= 3


def test_charts_say_their_newest_values(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    label = page.locator("#panel-memory .plot").get_attribute("aria-label")
    assert re.match(r"Memory\. used \d+\.\d+ GiB, cache ", label)
    assert page.locator("#panel-memory .plot").get_attribute("tabindex") == "0"


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_the_first_load_is_small(desktop, open_page, locale):
    """As sent: what the static files are compressed to counts."""
    page = open_page(desktop, locale=locale)
    settled(page)
    sizes = page.evaluate("""() => ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
      .filter((entry) => !entry.name.includes("/api/")).map((entry) => [entry.name, entry.encodedBodySize])""")
    assert len(sizes) >= 5
    assert all(size > 0 for _name, size in sizes)
    assert sum(size for _name, size in sizes) < FIRST_LOAD_BYTES, sizes


def test_only_what_can_be_seen_is_drawn(desktop, open_page):
    page = open_page(desktop + "?range=15m", viewport={"width": 1440, "height": 500})
    settled(page)
    assert page.locator("#panel-cpu canvas").count() == 1
    assert page.locator("#panel-pressure canvas").count() == 0


def test_from_opening_the_page_to_the_name_of_yesterdays_culprit(zoo, open_page):
    """The walk that the page is made for: three clicks, and the address is the link to send."""
    started = time.monotonic()
    page = open_page(zoo + "?host=burst-of-yesterday")
    page.get_by_role("button", name="Last 7 days").click()
    page.get_by_role("button", name="CPU usage: The highest moment of what is shown").click()
    expect(page.locator("#process-rows tr").first).to_contain_text("ffmpeg")
    assert time.monotonic() - started < 10
    other = open_page(page.url)
    expect(other.locator("#process-rows tr").first).to_contain_text("ffmpeg")


# Remembers where every text of a canvas was written: what goes over an edge is cut.
WRITTEN = """() => {
  window.written = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
    const width = this.measureText(text).width;
    const before = { left: 0, start: 0, center: width / 2, right: width, end: width }[this.textAlign];
    const left = this.getTransform().e + x - before;
    window.written.push({ text, left, right: left + width, canvas: this.canvas.width });
    return fillText.call(this, text, x, ...rest);
  };
}"""


@pytest.mark.parametrize("query", ["?range=5m", "?range=1h", "?range=30d"])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_no_label_of_an_axis_is_cut(desktop, open_page, viewport, locale, query):
    page = open_page("about:blank", ready=False, viewport=viewport, locale=locale)
    page.add_init_script(f"({WRITTEN})()")
    page.goto(desktop + query)
    page.wait_for_selector("html[data-ready]")
    page.locator("#panel-load").scroll_into_view_if_needed()
    settled(page)
    written = page.evaluate("window.written.filter(({ text }) => text)")
    assert len(written) > 10
    assert [one for one in written if one["left"] < 0 or one["right"] > one["canvas"] + 0.5] == []


@pytest.mark.parametrize("width", [1440, 1920, 2560, 3840])
def test_the_content_is_as_wide_as_the_header(desktop, open_page, width):
    page = open_page(desktop + "?range=15m", viewport={"width": width, "height": 900})
    edges = page.evaluate("""() => ["#badge", "#tiles", "#grid", "#processes", "footer nav"].map((name) => {
      const box = document.querySelector(name).getBoundingClientRect();
      return [name, box.left, box.right];
    })""")
    left = {round(start) for name, start, _end in edges if name != "footer nav"}
    right = {round(end) for name, _start, end in edges if name != "#badge"}
    assert (left, right) == ({16}, {width - 16})
    cards = page.evaluate("[...document.querySelectorAll('#grid .card')].map((card) => card.clientWidth)")
    assert max(cards) < 1000


PICTURES = {
    "live": ("?range=15m", {}),
    "dark-korean": ("?range=1h", {"color_scheme": "dark", "locale": "ko-KR"}),
    "phone": ("?range=1h", {"viewport": PHONE}),
}


@pytest.mark.parametrize("path", ["", "metrics/cpusample/", "metrics/processsample/", "metrics/host/"])
def test_axe_finds_nothing_in_the_admin(desktop, open_page, signed_in, theme, path):
    page = open_page(
        f"{desktop}admin/{path}", ready=False, color_scheme=theme, storage_state=signed_in, bypass_csp=True
    )
    assert violations(page) == []


def test_axe_finds_nothing_where_one_signs_in_and_on_one_sample(desktop, open_page, signed_in, theme):
    page = open_page(desktop + "admin/login/", ready=False, color_scheme=theme, bypass_csp=True)
    assert violations(page) == []
    # axe looks for what Django's forms.css imports beside the page.
    options = {"ready": False, "expected": ("404",), "storage_state": signed_in, "bypass_csp": True}
    page = open_page(desktop + "admin/metrics/cpusample/", color_scheme=theme, **options)
    page.locator("#result_list .field-timestamp a").first.click()
    expect(page.locator("#content h1")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_for_the_documentation(desktop, open_page, shoot, name):
    query, options = PICTURES[name]
    page = open_page(desktop + query, **options)
    settled(page)
    shoot(page, name)


def test_picture_of_a_moment(desktop, open_page, shoot):
    page = open_page(desktop + "?range=1h", viewport={"width": 1440, "height": 1080})
    page.mouse.click(*at_burst(page))
    page.locator("#process-rows button", has_text="ffmpeg").click()
    expect(page.locator("#process-title")).to_be_visible()
    page.mouse.move(3, 3)
    settled(page)
    shoot(page, "process")
    page.evaluate("scrollTo(0, 0)")
    settled(page)
    shoot(page, "moment")


def test_the_admin_draws_its_samples(desktop, open_page, signed_in, shoot):
    address = desktop + "admin/metrics/cpusample/"
    page = open_page(address, ready=False, storage_state=signed_in, viewport={"width": 1280, "height": 720})
    expect(page.locator("#sample-chart canvas")).to_be_visible()
    expect(page.locator("#sample-chart figcaption")).to_contain_text("CPU usage")
    shoot(page, "admin")


def test_a_table_that_nobody_sees_is_not_asked_for_while_it_is_live(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    settled(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    assert eventually(lambda: page.wait_for_timeout(200) or sum("metrics/current" in url for url in asked) >= 2, 20)
    assert not any("metrics/processes" in url for url in asked)
    with page.expect_request(re.compile("metrics/processes")):
        page.locator("#processes").scroll_into_view_if_needed()
    with page.expect_request(re.compile("metrics/processes")):
        pass


def test_it_holds_no_more_after_many_ticks_than_after_a_few(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    settled(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def held():
        session.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return metrics["JSEventListeners"], metrics["Nodes"]

    ticks = []
    page.on("response", lambda response: ticks.append(response.url) if "metrics/current" in response.url else None)
    assert eventually(lambda: page.wait_for_timeout(200) or len(ticks) >= 1, 20)
    before = held()
    assert eventually(lambda: page.wait_for_timeout(200) or len(ticks) >= 5, 40)
    assert all(now <= then + 3 for now, then in zip(held(), before)), (before, held())
