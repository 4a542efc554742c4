"""Below the CPU chart: the names of the biggest consumers can be read, and a block says how much it stands for."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

DESK, PHONE, WIDE = ({"width": width, "height": 900} for width in (1440, 390, 2560))
# So many characters of a long name say what it is.
LEAST_CHARACTERS = 8
BUCKET_PIXELS = 70
NAMES = ["containerd-shim-runc-v2", "node", "postgres: autovacuum", "java", "systemd-journald"]
BLOCKS = """() => [...document.querySelectorAll(".lane li")].map((item) => {
  const button = item.firstElementChild;
  const style = getComputedStyle(button);
  const text = document.createRange();
  text.selectNodeContents(button);
  const room = button.getBoundingClientRect().right - text.getBoundingClientRect().left;
  const letters = button.scrollWidth / button.textContent.length;
  return {
    name: button.textContent, width: item.clientWidth, title: button.title, hidden: style.textIndent !== "0px", room,
    shown: button.scrollWidth <= button.clientWidth ? button.textContent.length : (button.clientWidth - 8) / letters,
    weight: parseFloat(style.getPropertyValue("--weight")), background: style.backgroundImage,
  };
})"""


def answer(percents):
    """Another process in each bucket that is asked for."""

    def fulfil(route):
        query = parse_qs(urlsplit(route.request.url).query)
        start, end = (datetime.fromisoformat(query[name][0]).timestamp() for name in ("start", "end"))
        step = int(query["step"][0])
        times = range(int(start) // step * step, int(end) + 1, step)
        results = [
            {
                "timestamp": datetime.fromtimestamp(at, UTC).isoformat(), "resolution": step, "id": place, "pid": place,
                "name": NAMES[place % len(NAMES)], "cpu_percent": percents[place % len(percents)],
            }
            for place, at in enumerate(times)
        ]  # fmt: skip
        route.fulfill(json={"host": "desktop", "count": len(results), "next": None, "results": results})

    return fulfil


def lane(open_page, desktop, percents, query="?range=1h", **options):
    page = open_page("about:blank", ready=False, **options)
    page.route("**/api/v1/metrics/cpu/top?*", answer(percents))
    page.goto(desktop + query)
    page.wait_for_selector("html[data-ready]")
    page.locator("#panel-cpu").scroll_into_view_if_needed()
    page.wait_for_selector(".lane li")
    return page.evaluate(BLOCKS)


@pytest.mark.parametrize("query", ["?range=5m", "?range=1h"])
@pytest.mark.parametrize("viewport", [DESK, PHONE, WIDE], ids=["desk", "phone", "wide"])
def test_a_name_is_there_to_be_read_or_not_at_all(desktop, open_page, viewport, query):
    blocks = lane(open_page, desktop, [50], query, viewport=viewport)
    cut = [one for one in blocks if not one["hidden"] and one["shown"] < min(LEAST_CHARACTERS, len(one["name"]))]
    assert [(one["name"], one["width"], round(one["shown"])) for one in cut] == []
    assert all(one["name"] in one["title"] for one in blocks)
    assert [(one["name"], one["room"]) for one in blocks if one["hidden"] and one["room"] > 0] == []
    # A whole bucket always has room for a name; what is too narrow is at the ends, or beside a gap.
    assert [one["name"] for one in blocks if one["hidden"] and one["width"] >= BUCKET_PIXELS] == []
    assert not all(one["hidden"] for one in blocks)


def test_a_block_is_filled_by_what_it_stands_for(desktop, open_page):
    """2 % of one core, half a core, and 500 % of the eight that the machine has."""
    blocks = lane(open_page, desktop, [2, 50, 500])
    weights = {one["title"].split("up to ")[1].split(",")[0]: one["weight"] for one in blocks}
    assert weights["2.0%"] < weights["50.0%"] < weights["500.0%"]
    assert weights["2.0%"] < 6
    assert weights["500.0%"] > 75
    assert all(f"{one['weight']}%" in one["background"] for one in blocks)


def test_more_than_the_machine_has_is_a_full_block(desktop, open_page):
    assert {one["weight"] for one in lane(open_page, desktop, [100_000])} == {100}
