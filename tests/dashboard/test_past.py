"""The past, the phone, the other language and the other zone: what is shown stays what was asked for."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import at_share, settled

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
GIB = 1024**3


def query_of(page):
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).query).items()}


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


def iso(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def past(hours_ago=5.0, hours=1.0):
    """A stretch of the past as an address has it."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours_ago)
    return f"from={iso(start)}&to={iso(start + timedelta(hours=hours))}"


def test_the_other_language_shows_the_same_host_stretch_and_moment(zoo, open_page):
    query = f"?host=planted&{past()}&at={iso(datetime.now(UTC) - timedelta(hours=4.5))}&width=60&order=io&filter=gnome"
    page = open_page(zoo + query)
    before = query_of(page)
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("#badge")).to_have_text("과거")
    assert query_of(page) == before
    expect(page.locator("#process-filter")).to_have_value("gnome")


def test_a_range_in_the_past_stays_around_the_moment(zoo, open_page):
    at = datetime.now(UTC) - timedelta(hours=4.5)
    page = open_page(f"{zoo}?host=planted&{past()}&at={iso(at)}")
    settled(page)
    page.locator("[data-range='6h']").click()
    settled(page)
    expect(page.locator("#badge")).to_have_text("History")
    assert query_of(page)["at"] == iso(at)
    expect(page.locator("[data-range='6h']")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#panel-cpu .mark")).to_be_visible()


def test_a_range_in_the_past_stays_around_the_middle_of_a_stretch(zoo, open_page):
    page = open_page(f"{zoo}?host=planted&{past(hours_ago=9)}")
    before = query_of(page)
    page.get_by_role("button", name="Last 15 minutes, in the past around what is shown").click()
    settled(page)
    expect(page.locator("#badge")).to_have_text("History")
    after = query_of(page)
    assert seconds(after["to"]) - seconds(after["from"]) == 900
    assert seconds(after["to"]) + seconds(after["from"]) == seconds(before["to"]) + seconds(before["from"])
    expect(page.locator("[data-range='15m']")).to_have_attribute("aria-pressed", "true")


def test_a_range_of_now_stays_live(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.get_by_role("button", name="Last 1 hour").click()
    expect(page).to_have_url(re.compile(r"\?range=1h$"))
    expect(page.locator("#badge")).to_have_text("Live")


def test_nothing_leads_into_the_future(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    forward = page.get_by_role("button", name="Forward by half of what is shown")
    expect(forward).to_be_disabled()
    for name in ("Zoom out", "Back by half of what is shown"):
        page.get_by_role("button", name=name).click()
        settled(page)
    expect(forward).to_be_enabled()
    for _ in range(4):
        if forward.is_enabled():
            forward.click()
            settled(page)
    assert seconds(query_of(page)["to"]) <= datetime.now(UTC).timestamp() + 1
    expect(forward).to_be_disabled()


def test_live_the_small_lines_are_of_the_last_minutes_whatever_the_charts_show(desktop, open_page):
    lines = []
    for of in ("5m", "15m", "24h", "30d"):
        page = open_page(f"{desktop}?range={of}")
        settled(page)
        lines.append(page.locator(".tile path").first.get_attribute("d"))
    for line in lines:
        places = [float(place) for place in re.findall(r"[ML]([\d.]+) ", line)]
        assert len(places) > 50
        ticks = [(after - before) / (100 / 59) for before, after in pairwise(places)]
        assert all(tick > 0.9 and abs(tick - round(tick)) < 0.1 for tick in ticks), (
            "points of one width, by their times"
        )


def test_after_a_look_at_the_past_nothing_is_missing_in_the_small_lines(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    settled(page)
    page.mouse.click(*at_share(page, "cpu", 0.5))
    expect(page.locator("#badge")).to_have_text("History")
    page.wait_for_timeout(11_000)  # two ticks that the page does not follow
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator("#badge")).to_have_text("Live")
    settled(page)
    fresh = open_page(desktop + "?range=15m")
    settled(fresh)
    pieces = [one.locator(".tile path").first.get_attribute("d").count("M") for one in (page, fresh)]
    assert pieces[0] == pieces[1]


def touch(page, *points):
    """A finger: down at the first point, over the others, up."""
    finger = page.context.new_cdp_session(page)
    first, *others = [{"x": x, "y": y} for x, y in points]
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [first]})
    for point in others:
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        page.wait_for_timeout(20)
    return lambda: finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("panel", ["cpu", "cores", "memory"])
def test_when_a_finger_is_lifted_the_tooltip_goes(zoo, open_page, panel):
    page = open_page(f"{zoo}?host=planted&range=1h", **PHONE)
    page.locator(f"#panel-{panel}").scroll_into_view_if_needed()
    settled(page)
    x, y = at_share(page, panel, 0.3)
    lift = touch(page, (x, y), *((x + step, y) for step in range(8, 100, 8)))
    expect(page.locator("#tooltip")).to_be_visible()
    lift()
    expect(page.locator("#badge")).to_have_text("History")
    settled(page)
    expect(page.locator("#tooltip")).to_be_hidden()
    expect(page.locator(f"#panel-{panel} .crosshair")).to_be_hidden()


def test_on_a_desk_it_goes_after_a_drag_too(zoo, open_page):
    page = open_page(f"{zoo}?host=planted&range=1h")
    x, y = at_share(page, "cpu", 0.3)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=5)
    expect(page.locator("#tooltip")).to_be_visible()
    page.mouse.up()
    settled(page)
    expect(page.locator("#tooltip")).to_be_hidden()


@pytest.mark.parametrize("query", ["range=1h", "past", "moment"])
@pytest.mark.parametrize("width", [360, 390, 430])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_on_a_phone_the_name_of_a_process_is_seen(zoo, open_page, query, width, locale):
    queries = {"past": past(), "moment": f"{past()}&at={iso(datetime.now(UTC) - timedelta(hours=4.5))}"}
    options = {**PHONE, "viewport": {"width": width, "height": 844}, "locale": locale}
    page = open_page(f"{zoo}?host=planted&{queries.get(query, query)}", **options)
    settled(page)
    name = page.locator("#process-rows td.of-name button").first
    expect(name).to_have_text("gnome-shell")
    name.scroll_into_view_if_needed()
    box = name.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.locator(".scroll").evaluate("(node) => node.scrollLeft") == 0


def test_turning_the_phone_moves_the_names(zoo, open_page):
    page = open_page(f"{zoo}?host=planted&range=1h", **PHONE)
    settled(page)
    expect(page.locator("#process-head th").first).to_have_text("Name")
    page.set_viewport_size({"width": 844, "height": 390})
    expect(page.locator("#process-head th").first).to_have_text("CPU")
    expect(page.locator("#process-rows tr").first.locator("td").first).to_contain_text("%")


def test_the_filter_searches_what_is_not_loaded(zoo, open_page):
    page = open_page(f"{zoo}?host=crowded&range=15m")
    expect(page.locator("#process-rows tr")).to_have_count(50)
    expect(page.locator("#process-rows tr", has_text="bash")).to_have_count(0)
    page.locator("#process-filter").fill("BASH")
    expect(page.locator("#process-rows tr")).to_have_count(1)
    expect(page.locator("#process-rows tr")).to_contain_text("bash")
    expect(page).to_have_url(re.compile("filter=BASH"))
    page.reload()
    expect(page.locator("#process-filter")).to_have_value("BASH")
    expect(page.locator("#process-rows tr")).to_have_count(1)


def test_the_filter_searches_the_past_too(zoo, open_page):
    page = open_page(f"{zoo}?host=planted&{past(hours_ago=21, hours=3)}")
    page.locator("#process-filter").fill("pg_d")
    expect(page.locator("#process-rows tr")).to_have_count(1)
    expect(page.locator("#process-rows tr")).to_contain_text("pg_dump")


def test_a_filter_that_finds_nothing_says_so(zoo, open_page):
    page = open_page(f"{zoo}?host=crowded&range=15m")
    page.locator("#process-filter").fill("<b>nothing")
    expect(page.locator("#process-none")).to_have_text(
        "Among the processes that are stored, none matches “<b>nothing”."
    )
    page.locator("#process-filter").fill("")
    expect(page.locator("#process-none")).to_be_hidden()
    expect(page.locator("#process-rows tr")).to_have_count(50)


def test_the_number_of_processes_is_not_called_running(zoo, open_page):
    page = open_page(f"{zoo}?host=planted&range=1h")
    expect(page.locator("#process-when")).to_have_text("now, 212 in all")
    # Early in the hour: the machine has been silent since it was made up.
    page.mouse.click(*at_share(page, "cpu", 0.2))
    expect(page.locator("#process-when")).to_have_text(re.compile("^at .*, 212 in all$"))


def answer_with(series):
    """Serves made-up points for the families of `series`: family -> what a point has at its age in ticks of 5 s."""

    def answer(route):
        family = re.search(r"/metrics/(\w+)\?", route.request.url)[1]
        now = datetime.now(UTC).timestamp() // 5 * 5
        results = [
            {
                "timestamp": datetime.fromtimestamp(now - 5 * age, UTC).isoformat(),
                "resolution": 5,
                **series[family](age),
            }
            for age in range(100, -1, -1)
        ]
        route.fulfill(json={"metric": family, "host": "desktop", "count": 101, "next": None, "results": results})

    return answer


def memory_of_two_sizes(age):
    total = (32 if age > 40 else 8) * GIB
    return {
        "total_bytes": total, "used_bytes": total * 3 // 4, "cached_bytes": total // 8, "buffers_bytes": 0,
        "swap_total_bytes": 4 * GIB, "swap_used_bytes": 0, "percent": 75.0, "pressure_some_percent": 0.0,
    }  # fmt: skip


def swapped_out(age):
    return {**memory_of_two_sizes(0), "swap_total_bytes": 64 * GIB, "swap_used_bytes": 40 * GIB}


def axis_of(page, panel):
    """The lowest and the highest value of a panel's axis, as its chart reads a place back."""
    expect(page.locator(f"#panel-{panel} canvas")).to_be_visible()
    return page.evaluate("(panel) => window.rangeOf(panel)", panel)


WATCH_CHARTS = """
addEventListener("DOMContentLoaded", () => {
  const Made = uPlot;
  const made = [];
  window.uPlot = function (...given) { const plot = new Made(...given); made.push(plot); return plot; };
  Object.assign(window.uPlot, Made);
  window.rangeOf = (panel) => {
    const plot = made.findLast((one) => one.root.closest(`#panel-${panel}`));
    return [plot.scales.y.min, plot.scales.y.max];
  };
});
"""


@pytest.mark.parametrize(
    ("made", "least_top"), [(memory_of_two_sizes, 32 * GIB), (swapped_out, 40 * GIB)], ids=["RAM taken out", "swap"]
)
def test_the_memory_axis_holds_what_there_was(desktop, open_page, made, least_top):
    page = open_page("about:blank", ready=False)
    page.add_init_script(WATCH_CHARTS)
    page.route("**/api/v1/metrics/memory?*", answer_with({"memory": made}))
    page.goto(desktop + "?range=5m")
    page.wait_for_selector("html[data-ready]")
    page.locator("#panel-memory").scroll_into_view_if_needed()
    settled(page)
    low, top = axis_of(page, "memory")
    assert low == 0
    assert least_top <= top < 1.2 * least_top


def sensors(unit, **values):
    """A family of one table with these fields."""
    columns = [
        {"name": name, "unit": unit, "kind": "gauge", "type": "float", "help": name, "has_maximum": True}
        for name in values
    ]
    table = {"kind": "sensor", "title": "sensor", "collection": "", "key": [], "headline": "", "columns": columns}
    return {"name": "sensor", "is_series": True, "tables": [table]}


@pytest.mark.parametrize(
    ("unit", "values"),
    [
        ("celsius", {"outside": -7.0, "inside": 21.0}),
        ("celsius", {"outside": -7.0}),
        ("bytes", {"balance": -3.0 * GIB, "other": 1.0 * GIB}),
        ("percent", {"deviation": -12.5}),
    ],
)
def test_an_axis_goes_as_low_as_its_values(desktop, open_page, unit, values):
    family = sensors(unit, **values)

    def add(route):
        answer = route.fetch().json()
        route.fulfill(json={**answer, "results": [*answer["results"], family]})

    page = open_page("about:blank", ready=False)
    page.add_init_script(WATCH_CHARTS)
    page.route("**/api/v1/families", add)
    page.route("**/api/v1/metrics/sensor?*", answer_with({"sensor": lambda _age: values}))
    page.goto(desktop + "?range=5m")
    page.wait_for_selector("html[data-ready]")
    panel = f"sensor-{next(iter(values))}"
    page.locator(f"#panel-{panel}").scroll_into_view_if_needed()
    settled(page)
    low, top = axis_of(page, panel)
    assert 1.3 * min(values.values()) < low < min(values.values())
    assert top >= max(0, *values.values())


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Asia/Seoul"])
def test_every_time_is_in_the_zone_of_the_program(desktop, open_page, zone):
    query = "?from=2026-01-02T03:04:05Z&to=2026-01-02T04:04:05Z"
    page = open_page(desktop + query, timezone_id=zone)
    expect(page.locator("#shown")).to_contain_text(re.compile("12:04:05 . 13:04:05"))
    if zone == "Asia/Seoul":
        expect(page.locator("#shown")).not_to_contain_text("Asia")
    else:
        expect(page.locator("#shown")).to_contain_text("Asia/Seoul")
    page.locator("#custom summary").click()
    expect(page.locator("#custom-from")).to_have_value("2026-01-02T12:04:05")
    page.locator("#custom-from").fill("2026-01-02T12:34:05")
    page.locator("#custom-form button").click()
    expect(page).to_have_url(re.compile("from=2026-01-02T03:34:05Z"))


def test_the_chart_above_a_list_of_the_admin_has_the_times_of_the_list(desktop, open_page, signed_in):
    page = open_page(
        desktop + "admin/metrics/cpusample/", ready=False, storage_state=signed_in, timezone_id="America/New_York"
    )
    newest = page.locator("#result_list tbody tr").first.locator(".field-timestamp").text_content()
    expect(page.locator("#sample-chart figcaption")).to_contain_text(newest.split()[1])
