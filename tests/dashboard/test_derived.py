"""Charts that nobody laid out: what the families' own field data make of them."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.dashboard.conftest import ink

BATTERY = {
    "name": "battery",
    "is_series": True,
    "tables": [
        {
            "kind": "battery",
            "title": "battery sample",
            "collection": "",
            "key": [],
            "headline": "percent",
            "columns": [
                {
                    "name": name,
                    "title": name,
                    "unit": unit,
                    "kind": kind,
                    "type": "float",
                    "help": text,
                    "has_maximum": kind == "gauge",
                }
                for name, unit, kind, text in (
                    ("percent", "percent", "gauge", "Charge of the battery"),
                    ("temperature_celsius", "celsius", "gauge", "How warm it is"),
                    ("capacity_bytes", "bytes", "total", "Of no use in a chart"),
                )
            ],
        }
    ],
}


def add_family(route):
    """The families of the server, and one more."""
    answer = route.fetch().json()
    route.fulfill(json={**answer, "count": answer["count"] + 1, "results": [*answer["results"], BATTERY]})


def answer_series(route):
    """A battery that runs down, a point every 5 s."""
    now = datetime.now(UTC)
    results = [
        {
            "timestamp": (now - timedelta(seconds=5 * age)).isoformat(), "resolution": 5, "percent": 40 + age / 10,
            "temperature_celsius": 31.5,
        }
        for age in range(120, 0, -1)
    ]  # fmt: skip
    route.fulfill(json={"metric": "battery", "host": "desktop", "count": 120, "next": None, "results": results})


def test_a_new_family_shows_up_without_an_edit(desktop, open_page):
    page = open_page("about:blank", ready=False)
    page.route("**/api/v1/families", add_family)
    page.route("**/api/v1/metrics/battery?*", answer_series)
    page.goto(desktop + "?range=15m")
    panel = page.locator("#panel-battery-percent")
    panel.scroll_into_view_if_needed()
    expect(panel.locator("h2")).to_have_text("battery sample")
    expect(panel.locator(".legend")).to_contain_text("40.1%")
    assert ink(page, "battery-percent") > 500
    expect(page.locator("#panel-battery-temperature_celsius .legend")).to_contain_text("31.5 °C")
    assert page.locator("#panel-battery-capacity_bytes").count() == 0
    panel.locator(".help summary").click()
    expect(panel.locator(".help")).to_contain_text("Charge of the battery.")
    expect(panel.locator(".help code")).to_contain_text("GET /api/v1/metrics/battery?")


def test_everything_else_has_a_chart_too(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.get_by_text("More charts").click()
    page.locator("#panel-cpu-frequency_mhz").scroll_into_view_if_needed()
    expect(page.locator("#panel-cpu-frequency_mhz")).to_contain_text("MHz")
    page.locator("#panel-disk-device-busy_percent").scroll_into_view_if_needed()
    expect(page.locator("#panel-disk-device-busy_percent .legend")).to_contain_text("nvme0n1")


def test_a_chart_is_called_by_a_few_words_and_explained_by_a_sentence(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.get_by_text("More charts").click()
    page.wait_for_selector("#further h2")
    titles = page.locator("#further h2").all_text_contents()
    assert len(titles) > 15
    assert [title for title in titles if len(title.split()) > 3] == []
    assert "Context switches" in titles
    page.locator("#panel-cpu-context_switches_per_second .help summary").click()
    expect(page.locator("#panel-cpu-context_switches_per_second .help")).to_contain_text(
        "Switches from one thread to another."
    )
