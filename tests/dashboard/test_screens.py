"""Every state of the page on every screen, by geometry: charts stay in their cards, and nothing is wider than it."""

import re

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import at_share, see_everything

DESK = {"viewport": {"width": 1440, "height": 900}}
TOUCH = {"has_touch": True, "is_mobile": True}
RATIOS = (1, 1.25, 1.5, 2, 3)
SCREENS = {
    **{f"desk at {ratio}": {**DESK, "device_scale_factor": ratio} for ratio in RATIOS},
    # 1920 pixels that a browser zooms to 80 and 175 percent.
    "zoomed out": {"viewport": {"width": 2400, "height": 1200}, "device_scale_factor": 0.8},
    "zoomed in": {"viewport": {"width": 1097, "height": 617}, "device_scale_factor": 1.75},
    "small phone": {**TOUCH, "viewport": {"width": 360, "height": 640}, "device_scale_factor": 2},
    "phone": {**TOUCH, "viewport": {"width": 390, "height": 844}, "device_scale_factor": 3},
    "phone on its side": {**TOUCH, "viewport": {"width": 844, "height": 390}, "device_scale_factor": 3},
    "large phone": {**TOUCH, "viewport": {"width": 412, "height": 915}, "device_scale_factor": 2.625},
    "tablet": {**TOUCH, "viewport": {"width": 768, "height": 1024}, "device_scale_factor": 2},
    "tablet on its side": {**TOUCH, "viewport": {"width": 1024, "height": 768}, "device_scale_factor": 1.5},
}  # fmt: skip

# What is out of place: a canvas outside its card or of another size than its chart, and a page wider than its window.
MISPLACED = """() => {
  const found = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    const right = (node) => node.getBoundingClientRect().right;
    const [widest] = [...document.body.querySelectorAll("*")].sort((a, b) => right(b) - right(a));
    found.push(`the page is ${wide} wide, the window ${innerWidth}: ${widest.tagName} ${widest.className}`);
  }
  for (const canvas of document.querySelectorAll("canvas")) {
    if (!canvas.checkVisibility()) continue;
    const chart = canvas.closest(".plot, figure");
    const card = canvas.closest(".card, figure");
    const [box, around, own] = [canvas, card, chart].map((node) => node.getBoundingClientRect());
    const name = card.id || card.className;
    const isWithin = box.left >= around.left && box.right <= around.right + 0.5;
    if (!isWithin || box.top < around.top || box.bottom > around.bottom + 0.5) {
      found.push(`${name}: ${box.width} x ${box.height} leaves its card, ${around.width} x ${around.height}`);
    }
    if (chart.matches(".plot") && (Math.abs(box.width - own.width) > 1 || Math.abs(box.height - own.height) > 1)) {
      found.push(`${name}: ${box.width} x ${box.height} in a chart of ${own.width} x ${own.height}`);
    }
    // A canvas of fewer or more pixels than its screen has there is a blurred one.
    if (Math.abs(canvas.width - box.width * devicePixelRatio) > 2 * devicePixelRatio) {
      found.push(`${name}: ${canvas.width} pixels for ${box.width} at ${devicePixelRatio}`);
    }
  }
  return found;
}"""


def past(page, desktop):
    """The address of the last hour with its middle picked, as a link that somebody sends."""
    at = page.evaluate("new Date(Date.now() - 20 * 60000).toISOString().slice(0, 19) + 'Z'")
    return f"{desktop}?range=1h&at={at}"


def assert_in_place(page, state):
    assert page.locator("canvas").count() >= 1, state
    assert page.evaluate(MISPLACED) == [], state


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_every_state_is_whole(desktop, open_page, screen):
    page = open_page(desktop + "?range=1h", **screen)
    see_everything(page)
    assert_in_place(page, "live")
    page.locator("#further summary").click()
    see_everything(page)
    assert_in_place(page, "more charts")
    page.locator("#process-rows button").first.click()
    expect(page.locator("#process-charts canvas")).to_have_count(3)
    see_everything(page)
    assert_in_place(page, "a process")
    for state, address in {
        "a moment": past(page, desktop),
        "paused": f"{desktop}?range=15m&paused",
        "a moment, with a process": page.url + past(page, "").replace("?", "&"),
    }.items():
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        see_everything(page)
        assert_in_place(page, state)
    page.evaluate("scrollTo(0, 0)")
    page.locator("#custom summary").click()
    assert_in_place(page, "the form for a stretch")
    page.locator("#custom summary").click()
    page.locator("#panel-cpu .help summary").click()
    expect(page.locator("#panel-cpu .help code").first).to_be_visible()
    assert_in_place(page, "a help")


@pytest.mark.parametrize("screen", ["desk at 1.25", "desk at 2", "phone", "tablet"])
@pytest.mark.parametrize(
    "query", ["?host=many-cores&range=15m", "?host=rebooted&range=1h", "?host=a-year&range=1y", "?range=30d"]
)
def test_machines_of_every_kind_are_whole(zoo, open_page, screen, query):
    page = open_page(zoo + query, locale="ko-KR", **SCREENS[screen])
    page.locator("#further summary").click()
    see_everything(page)
    assert_in_place(page, query)


# What in the tiles meets something else, or leaves its tile: each text by its letters, not by its box.
COLLIDING = """() => {
  const letters = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect();
  };
  const found = [];
  for (const tile of document.querySelectorAll(".tile")) {
    const around = tile.getBoundingClientRect();
    const texts = [".name", ".value", ".parts"].map((name) => [name, letters(tile.querySelector(name))]);
    const parts = [...texts, ["line", tile.querySelector("svg").getBoundingClientRect()]];
    parts.forEach(([name, box], place) => {
      if (!(box.width > 20 && box.height > 5)) found.push(`${name} is ${box.width} x ${box.height}`);
      const isWithin = box.left >= around.left && box.right <= around.right && box.bottom <= around.bottom;
      if (!isWithin) found.push(`${name} leaves ${tile.textContent}`);
      for (const [other, its] of parts.slice(place + 1)) {
        const isBeside = box.right <= its.left || its.right <= box.left;
        const isAbove = box.bottom <= its.top + 2 || its.bottom <= box.top + 2;
        if (!isBeside && !isAbove) found.push(`${name} meets ${other}: ${tile.textContent}`);
      }
    });
  }
  return found;
}"""
# As long as they get.
LONG_VALUES = """() => {
  for (const tile of document.querySelectorAll(".tile")) tile.querySelector(".value").textContent = "1,023.99 MB/s";
}"""


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("touch", [{}, TOUCH], ids=["mouse", "touch"])
def test_nothing_in_a_tile_lies_over_something_else(desktop, open_page, locale, touch):
    page = open_page(desktop + "?range=1h&paused", locale=locale, **touch)
    for width in (320, 360, 390, 414, 600, 601, 768, 1000, 1001, 1024, 1100, 1200, 1280, 1440, 1920, 2560):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(COLLIDING) == [], width
    page.evaluate(LONG_VALUES)
    for width in (320, 390, 601, 1001, 1200, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(COLLIDING) == [], width


@pytest.mark.parametrize("screen", ["desk at 1.25", "desk at 2", "phone", "tablet"])
def test_a_tooltip_stays_in_the_window(desktop, open_page, screen):
    page = open_page(desktop + "?range=1h", **SCREENS[screen])
    for share in (0.02, 0.5, 0.98):
        page.locator("#panel-cpu").scroll_into_view_if_needed()
        page.mouse.move(*at_share(page, "cpu", share))
        expect(page.locator("#tooltip")).to_be_visible()
        box, width = page.locator("#tooltip").bounding_box(), page.evaluate("innerWidth")
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert_in_place(page, "a tooltip")


def test_a_zoom_while_it_is_open_draws_as_sharp_as_before(desktop, open_page):
    page = open_page(desktop + "?range=1h", **DESK)
    page.locator("#process-rows button").first.click()
    expect(page.locator("#process-charts canvas")).to_have_count(3)
    see_everything(page)
    session = page.context.new_cdp_session(page)
    for ratio in (1.25, 2, 0.75, 3, 1):
        # What a browser does at a zoom: fewer, larger pixels in the same window.
        metrics = {
            "width": round(1440 / ratio),
            "height": round(900 / ratio),
            "deviceScaleFactor": ratio,
            "mobile": False,
        }
        session.send("Emulation.setDeviceMetricsOverride", metrics)
        page.wait_for_function("(ratio) => devicePixelRatio === ratio", arg=ratio)
        see_everything(page)
        assert_in_place(page, f"zoomed to {ratio}")


def test_a_window_that_is_resized_and_a_phone_that_is_turned(desktop, open_page):
    page = open_page(desktop + "?range=1h", **SCREENS["phone"])
    for width, height in ((844, 390), (390, 844), (1024, 768), (320, 640), (360, 640)):
        page.set_viewport_size({"width": width, "height": height})
        see_everything(page)
        assert_in_place(page, f"{width} x {height}")


@pytest.mark.parametrize(
    "screen", ["desk at 1", "desk at 1.25", "desk at 1.5", "desk at 2", "desk at 3", "phone", "tablet"]
)
@pytest.mark.parametrize("model", ["cpusample", "devicesample"])
def test_the_charts_of_the_admin_are_whole(desktop, open_page, signed_in, screen, model):
    options = {"ready": False, "storage_state": signed_in, **SCREENS[screen]}
    page = open_page(f"{desktop}admin/metrics/{model}/", **options)
    expect(page.locator("#sample-chart canvas")).to_be_visible()
    assert page.evaluate(MISPLACED) == []


def test_the_ratio_is_that_of_the_screen(desktop, open_page):
    """Otherwise every test above would look at the same screen."""
    page = open_page(desktop, **SCREENS["large phone"])
    assert re.fullmatch(r"2\.62\d*", str(page.evaluate("devicePixelRatio")))


ROWS_OF_TILES = """() => {
  const tops = [...document.querySelectorAll(".tile")].map((tile) => Math.round(tile.getBoundingClientRect().top));
  return [...new Set(tops)].map((top) => tops.filter((other) => other === top).length);
}"""


def test_no_tile_is_left_over_in_a_row_of_its_own(desktop, open_page):
    """Where five do not fit in one row the first is wide, or there are three and two."""
    page = open_page(desktop + "?range=1h&paused")
    for width in (320, 390, 600, 601, 768, 1000, 1001, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        rows = page.evaluate(ROWS_OF_TILES)
        assert (sum(rows), rows[-1] > 1) == (5, True), (width, rows)
