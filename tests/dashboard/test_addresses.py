"""Every kind of address, opened fresh in windows of several heights: each panel shows what it shows when one goes there
from the live page."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import SCROLL, ink, see_everything, settled
from tests.supervision.running import eventually

HEIGHTS = (450, 900, 2600)
NO_VALUE = "\N{EN DASH}"

# What the page shows, panel by panel: its picture, its legend, whether it is there at all, its lane; tiles and table.
SHOWN = """() => Object.fromEntries([
  ...[...document.querySelectorAll(".grid > .card, #process-charts > .card")].map((card) => [card.id, {
    // A card that is hidden, as it has nothing to show, shows neither.
    picture: card.checkVisibility() ? card.querySelector("canvas")?.toDataURL() ?? null : null,
    legend: card.checkVisibility() ? card.querySelector(".legend").innerText : null,
    isThere: card.checkVisibility(),
    isBusy: card.hasAttribute("aria-busy"),
    lane: [...card.querySelectorAll(".lane li")].map((item) => [item.style.left, item.innerText]),
    bars: [...card.querySelectorAll(".volumes li")].map((item) => item.innerText),
  }]),
  ["tiles", document.querySelector("#tiles").innerText],
  ["shown", document.querySelector(".shown").innerText],
  ["process", document.querySelector("#process-title").innerText],
  ["table", document.querySelector("#process-rows").innerText],
])"""


def ago(minutes):
    return f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def shown(page):
    see_everything(page)
    page.mouse.move(0, 0)
    return page.evaluate(SHOWN)


def go_there(page, query):
    """As the browser's back button does: the page stays, and its state becomes that of the address."""
    page.evaluate(
        "(query) => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }", query
    )


def differences(one, other):
    return sorted(
        f"{panel}: {name}"
        for panel in one
        for name in (one[panel] if isinstance(one[panel], dict) else ["text"])
        if (one[panel][name] if name != "text" else one[panel])
        != (other.get(panel, {}).get(name) if name != "text" else other.get(panel))
    )


@pytest.fixture(scope="module")
def addresses(desktop, browser):
    """Queries of every kind, each about a past that no longer changes."""
    page = browser.new_context().new_page()
    rows = page.request.get(f"{desktop}api/v1/metrics/processes?limit=1").json()["results"]
    page.context.close()
    span = f"from={ago(75)}&to={ago(15)}"
    return {
        "a moment": f"?range=1h&at={ago(35)}",
        "a moment of a stretch": f"?{span}&at={ago(30)}",
        "a stretch": f"?{span}",
        "a short stretch": f"?from={ago(22)}&to={ago(17)}",
        "a stretch in which nothing was recorded": "?from=2026-01-02T03:04:05Z&to=2026-01-02T04:04:05Z",
        "a process": f"?{span}&process={rows[0]['id']}",
        "a process at a moment, of one disk": f"?range=1h&at={ago(35)}&process={rows[0]['id']}&only.disk=sda",
        "a paused moment": f"?range=15m&at={ago(35)}&paused",
        "a host by its name": f"?host=desktop&{span}",
    }


KINDS = (
    "a moment", "a moment of a stretch", "a stretch", "a short stretch", "a stretch in which nothing was recorded",
    "a process", "a process at a moment, of one disk", "a paused moment", "a host by its name",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "height"), [*product(KINDS, HEIGHTS[-1:]), *product(KINDS[:3], HEIGHTS[:-1])])
def test_opened_fresh_it_shows_what_it_shows_when_one_goes_there(desktop, open_page, addresses, kind, height):
    viewport = {"width": 1440, "height": height}
    fresh = open_page(desktop + addresses[kind], viewport=viewport)
    opened = shown(fresh)
    gone = open_page(desktop + "?range=15m", viewport=viewport)
    see_everything(gone)
    go_there(gone, addresses[kind])
    expect(gone.locator("#badge")).to_have_text("History")
    assert eventually(lambda: differences(opened, shown(gone)) == [], 5), differences(opened, shown(gone))
    assert not any(panel["isBusy"] for panel in opened.values() if isinstance(panel, dict))
    if "nothing" not in kind:
        assert ink(fresh, "cores") > 10_000
        assert ink(fresh, "pressure") > 1_000
        assert opened["panel-cpu"]["lane"]


def test_a_chart_that_leaves_the_view_before_its_moment_is_asked_for_shows_it_when_it_is_back(
    desktop, open_page, addresses
):
    whole = shown(open_page(desktop + addresses["a moment of a stretch"], viewport={"width": 1440, "height": 2600}))
    page = open_page(desktop + "?range=15m")
    see_everything(page)
    chart = page.locator("#panel-connections")
    chart.evaluate("(card) => card.scrollIntoView({ block: 'center' })")
    settled(page)
    held, released = [], []
    page.route(
        re.compile(r"metrics/disk\?.*total_bytes"), lambda route: route.fallback() if released else held.append(route)
    )
    go_there(page, addresses["a moment of a stretch"])
    assert eventually(lambda: page.wait_for_timeout(50) or held, 5)
    for name in ("network", "connections", "errors", "pressure"):
        expect(page.locator(f"#panel-{name}:not([aria-busy])")).to_be_visible()
    page.evaluate(SCROLL, 0)
    released.append(True)
    for route in held:
        route.continue_()
    settled(page)
    chart.evaluate("(card) => card.scrollIntoView({ block: 'center' })")
    legend = whole["panel-connections"]["legend"]
    assert eventually(lambda: page.wait_for_timeout(50) or chart.locator(".legend").inner_text() == legend, 5)


@pytest.mark.parametrize("height", HEIGHTS)
def test_reloaded_far_down_it_draws_everything(desktop, open_page, addresses, height):
    page = open_page(desktop + addresses["a stretch"], viewport={"width": 1440, "height": height})
    before = shown(page)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    settled(page)
    assert eventually(lambda: differences(before, shown(page)) == [], 5), differences(before, shown(page))


@pytest.mark.parametrize("height", HEIGHTS)
@pytest.mark.parametrize(
    "query", ["?range=1h&paused", "?range=15m&paused&host=many-cores", "?range=1y&paused&host=a-year"]
)
def test_opened_paused_it_shows_the_newest(desktop, zoo, open_page, query, height):
    page = open_page((zoo if "host" in query else desktop) + query, viewport={"width": 1440, "height": height})
    opened = shown(page)
    expect(page.locator("#badge")).to_have_text("Paused")
    assert NO_VALUE not in opened["tiles"].split("\n")
    assert ink(page, "cores") > 10_000 or "1y" in query
    assert not any(panel["isBusy"] for panel in opened.values() if isinstance(panel, dict))
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Pause").click()
    again = shown(page)
    names = [name for name, panel in opened.items() if isinstance(panel, dict)]
    assert [again[name]["isThere"] for name in names] == [opened[name]["isThere"] for name in names]


TILES = """() => {
  const tiles = [...document.querySelectorAll(".tile")];
  const line = (tile) => tile.querySelector("path").getAttribute("d");
  return [document.querySelector("#shown").textContent, ...tiles.map((tile) => [tile.innerText, line(tile)])];
}"""


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the last first"])
@pytest.mark.parametrize("kind", ["a moment", "a moment of a stretch", "a stretch"])
def test_what_comes_into_view_while_it_loads_leaves_the_tiles_whole(desktop, open_page, addresses, kind, order):
    whole = open_page(desktop + addresses[kind])
    settled(whole)
    page = open_page("about:blank", ready=False, viewport={"width": 1440, "height": 400})
    held, released = [], []
    pattern = re.compile(r"metrics/(cpu|memory|disk|network)\?")
    page.route(pattern, lambda route: route.fallback() if released else held.append(route))
    page.goto(desktop + addresses[kind])
    assert eventually(lambda: page.wait_for_timeout(50) or len(held) >= 4, 10)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    # Charts that need more of the CPU's fields than the tiles.
    assert eventually(lambda: page.wait_for_timeout(50) or len(held) >= 5, 10)
    released.append(True)
    for route in held[::order]:
        route.continue_()
        page.wait_for_timeout(100)
    page.wait_for_selector("html[data-ready]")
    settled(page)
    tiles = page.evaluate(TILES)
    assert tiles == whole.evaluate(TILES)
    assert all(line and "nothing recorded" not in text for text, line in tiles[1:])


def test_in_korean_too(desktop, open_page, addresses):
    page = open_page(desktop + addresses["a moment of a stretch"], locale="ko-KR")
    shown(page)
    assert ink(page, "cores") > 10_000
    assert ink(page, "pressure") > 1_000


def test_more_charts_of_the_past_are_drawn_when_they_are_opened(desktop, open_page, addresses):
    page = open_page(desktop + addresses["a stretch"])
    settled(page)
    page.locator("#further summary").click()
    opened = shown(page)
    further = page.evaluate("[...document.querySelectorAll('#further-grid .card')].map((card) => card.id)")
    there = [name for name in further if opened[name]["isThere"]]
    assert len(there) > 10
    assert [name for name in there if not opened[name]["picture"] or opened[name]["isBusy"]] == []


def test_a_panel_that_was_empty_comes_back_with_its_data(desktop, open_page, addresses):
    """Hidden, it is never in view; so it must not wait for that."""
    page = open_page("about:blank", ready=False)
    page.route(re.compile(r"metrics/\w+\?.*pressure"), without_pressure)
    page.goto(desktop + addresses["a short stretch"])
    page.wait_for_selector("html[data-ready]")
    see_everything(page)
    expect(page.locator("#panel-pressure")).to_be_hidden()
    page.unroute(re.compile(r"metrics/\w+\?.*pressure"), without_pressure)
    go_there(page, addresses["a stretch"])
    see_everything(page)
    expect(page.locator("#panel-pressure")).to_be_visible()
    assert ink(page, "pressure") > 1_000


def without_pressure(route):
    """As a kernel answers that does not know what waits."""
    answer = route.fetch().json()
    for point in answer["results"]:
        point.update({name: None for name in point if name.startswith("pressure")})
    route.fulfill(json=answer)
