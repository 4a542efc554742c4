"""A peak, and who it was: the mark, the charts, the table and the call behind "?" speak of the same tick or bucket.

The machine is `planted` of tests.dashboard.fill: a dump of one tick writes 95 MB/s where gnome-shell uses the most CPU.
"""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import NOTHING_WAITS_IN_VIEW
from tests.dashboard.fill import SPIKES

INTERVAL = 30
RANGES = ("15m", "1h", "6h", "24h", "7d", "30d")
# Each shows the dump's tick at its highest.
TALL = ("Disk I/O", "Network", "Memory", "Pressure")


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture(scope="module")
def newest(zoo, browser):
    """The newest tick of the machine."""
    with browser.new_context() as context:
        hosts = context.request.get(f"{zoo}api/v1/hosts").json()["results"]
    return seconds(next(host["newest_tick"] for host in hosts if host["name"] == "planted"))


@pytest.fixture
def open_planted(zoo, open_page):
    """Opens the machine's page."""

    def opener(query, **options):
        page = open_page(f"{zoo}?host=planted&{query}", **options)
        expect(page.locator("#process-rows tr").first).to_be_visible()
        return page

    return opener


def stretch(newest, of):
    """The machine is dead: of the last minutes a slow run shows nothing, so they are asked for by their moments."""
    return f"from={iso(newest - 900)}&to={iso(newest)}" if of == "15m" else f"range={of}"


def show_panel(page, panel):
    """Bring a panel into view, and wait for its data."""
    page.locator(f"#panel-{panel}").scroll_into_view_if_needed()
    expect(page.locator(f"#panel-{panel} canvas")).to_be_visible()


def asked_by(page, act):
    """What an act makes the page ask of the processes, as the parameters of the API; it is shown by then."""

    def is_of_the_past(response):
        return "/metrics/processes?" in response.url and ("at=" in response.url or "start=" in response.url)

    with page.expect_response(is_of_the_past) as found:
        act()
    page.mouse.move(3, 3)
    expect(page.locator("#badge")).to_have_text("History")
    page.wait_for_function(NOTHING_WAITS_IN_VIEW)
    page.wait_for_timeout(300)
    return {name: value for name, [value] in parse_qs(urlsplit(found.value.url).query).items()}


def click_highest(page, title):
    # A card has its buttons once it came into view.
    page.get_by_role("heading", name=title).first.scroll_into_view_if_needed()
    button = page.get_by_role("button", name=f"{title}: The highest moment of what is shown")
    button.scroll_into_view_if_needed()
    expect(page.locator("section", has=button).locator("canvas")).to_be_visible()
    return asked_by(page, button.click)


def expect_dump(page, query, *moments):
    """The table is that of the very tick, and the writer stands first."""
    expect(page.locator("#process-rows tr").first).to_contain_text("pg_dump")
    expect(page.locator("#process-rows tr").first).to_contain_text("95.0 MB/s")
    assert seconds(query["at"]) in moments
    assert query["sort_by"] == "io"


@pytest.mark.parametrize("of", RANGES)
def test_the_highest_of_the_disk_names_who_wrote(open_planted, newest, of):
    page = open_planted(stretch(newest, of))
    # Over a day there are two, and which of them is a little higher is chance.
    expect_dump(page, click_highest(page, "Disk I/O"), *(newest - spike for spike in SPIKES))
    for panel in ("cpu", "disk"):
        show_panel(page, panel)
        expect(page.locator(f"#panel-{panel} .mark")).to_be_visible()
    # What the chart and the tile show is that tick, too, and not the mean of a bucket around it.
    expect(page.locator("#panel-disk .legend b").nth(1)).to_have_text(re.compile(r"^9\d\.\d MB/s"))
    expect(page.locator(".tile", has_text="Disk").first).to_contain_text("MB/s")


def test_so_it_does_in_the_past(open_planted, newest):
    moment = newest - SPIKES[1]
    for span in (600, 7200, 40_000):
        start, end = (iso(moment + side * span / 2) for side in (-1, 1))
        page = open_planted(f"from={start}&to={end}")
        expect_dump(page, click_highest(page, "Disk I/O"), moment)


def iso(moment):
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("title", TALL)
@pytest.mark.parametrize("of", ["15m", "24h"])
def test_every_chart_leads_to_its_own_highest_tick(open_planted, newest, title, of):
    page = open_planted(stretch(newest, of))
    assert seconds(click_highest(page, title)["at"]) in {newest - spike for spike in SPIKES}


def test_one_chosen_disk_has_its_own_highest_moment(open_planted, newest):
    page = open_planted("range=24h&only.disk=sda")
    expect_dump(page, click_highest(page, "Disk I/O"), *(newest - spike for spike in SPIKES))


@pytest.mark.parametrize("query", ["range=24h", (80_000, 3000), (46_000, 2000)], ids=["live", "a day", "half a day"])
def test_a_click_takes_the_bucket_under_the_cursor(open_planted, newest, query):
    stretch_of = lambda start, end: f"from={iso(newest - start)}&to={iso(newest - end)}"  # noqa: E731
    page = open_planted(query if isinstance(query, str) else stretch_of(*query))
    shares = (0.31, 0.777, 0.555, 0.9, 0.42, 0.65)
    for panel, share in zip(("disk", "cpu", "cores", "network", "memory", "load"), shares, strict=True):
        show_panel(page, panel)
        box = page.locator(f"#panel-{panel} .overlay").bounding_box()
        x, y = box["x"] + box["width"] * share, box["y"] + 40
        first, last, step = drawn(page, panel)
        asked = asked_by(page, lambda x=x, y=y: page.mouse.click(x, y))
        under = first + (last - first) * share
        start, end = seconds(asked["start"]), seconds(asked["end"])
        assert start - 1 <= under <= end + 1
        width = round(end - start)
        assert width == step, "another bucket than one of the chart's own"
        assert start % width == 0
        mark = page.locator(f"#panel-{panel} .mark").bounding_box()
        assert mark["x"] - 1 <= x <= mark["x"] + mark["width"] + 1
        assert mark["width"] == pytest.approx(2 + box["width"] * width / (last - first), abs=1)
        # The call behind "?" and the address that is sent to somebody are of the same bucket.
        page.locator(f"#panel-{panel} .help summary").click()
        moment = page.locator(f"#panel-{panel} .help code").last
        expect(moment).to_contain_text(f"start={iso(start)[:-1]}.000Z")
        expect(moment).to_contain_text(f"step={width}")
        close_help(page, panel)
        assert f"at={iso(start)}&width={width}" in page.url


def close_help(page, panel):
    page.locator(f"#panel-{panel} .help").evaluate("(help) => { help.open = false; }")


def drawn(page, panel):
    """From when to when a chart goes, and how wide its points are: as the call behind its "?" says."""
    page.locator(f"#panel-{panel} .help summary").click()
    query = parse_qs(urlsplit(page.locator(f"#panel-{panel} .help code").first.text_content()).query)
    close_help(page, panel)
    return seconds(query["start"][0]), seconds(query["end"][0]), int(query.get("step", [INTERVAL])[0])


@pytest.mark.parametrize("panel", ["cpu", "cores", "disk"])
def test_a_click_on_ticks_takes_the_nearest_one(open_planted, newest, panel):
    page = open_planted(stretch(newest, "15m"))
    show_panel(page, panel)
    box = page.locator(f"#panel-{panel} .overlay").bounding_box()
    for share in (0.402, 0.618):
        first, last, _step = drawn(page, panel)
        x = box["x"] + box["width"] * share
        at = seconds(asked_by(page, lambda x=x: page.mouse.click(x, box["y"] + 40))["at"])
        under = first + (last - first) * share
        assert at % INTERVAL == 0
        assert abs(at - under) <= INTERVAL / 2 + 1
        mark = page.locator(f"#panel-{panel} .mark").bounding_box()
        assert mark["x"] - 1 <= x <= mark["x"] + mark["width"] + 1


def test_charts_of_other_widths_show_exactly_the_bucket_that_was_picked(open_planted, zoo):
    page = open_planted("range=24h")
    box = page.locator("#panel-disk .overlay")
    show_panel(page, "disk")
    place = box.bounding_box()
    asked = asked_by(page, lambda: page.mouse.click(place["x"] + place["width"] * 0.6, place["y"] + 40))
    start, end = asked["start"], asked["end"]
    step = round(seconds(end) - seconds(start))
    [point] = page.request.get(f"{zoo}api/v1/metrics/cpu?host=planted&start={start}&end={end}&step={step}").json()[
        "results"
    ]
    expect(page.locator("#panel-cpu .legend b").first).to_have_text(f"{point['user_percent']:.1f}%")
    expect(page.locator(".tile .value").first).to_have_text(f"{point['percent']:.1f}%")


def test_the_address_brings_somebody_else_to_the_same_moment(open_planted, newest, open_page):
    page = open_planted("range=7d")
    click_highest(page, "Disk I/O")
    other = open_page(page.url)
    expect(other.locator("#process-rows tr").first).to_contain_text("pg_dump")
    expect(other.locator("#process-when")).to_have_text(page.locator("#process-when").text_content())
    assert other.locator("#panel-cpu .legend").text_content() == page.locator("#panel-cpu .legend").text_content()


def test_a_spike_is_drawn_where_a_click_finds_it(open_planted, newest):
    """The top of what is drawn lies in the bucket that it stands for."""
    page = open_planted("range=6h")
    show_panel(page, "disk")
    x = page.evaluate("""() => {
      const canvas = document.querySelector("#panel-disk canvas");
      const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const overlay = document.querySelector("#panel-disk .overlay").getBoundingClientRect();
      const box = canvas.getBoundingClientRect();
      const scale = width / box.width;
      let [lowest, found] = [0, 0];
      for (let x = overlay.left - box.left + 1; x < overlay.right - box.left; x += 1 / scale) {
        const column = x * scale;
        for (let row = height - 26 * scale; row > lowest; row -= 1) {
          const place = 4 * (Math.round(row) * width + Math.round(column));
          const [red, green, blue, alpha] = data.slice(place, place + 4);
          if (alpha > 120 && red - blue > 60) { [lowest, found] = [row, column]; break; }
        }
      }
      return box.left + found / scale;
    }""")
    box = page.locator("#panel-disk .overlay").bounding_box()
    asked = asked_by(page, lambda: page.mouse.click(x, box["y"] + 40))
    assert seconds(asked["start"]) <= newest - SPIKES[0] < seconds(asked["end"])


def test_the_keyboard_picks_the_bucket_that_it_reads_out(open_planted):
    page = open_planted("range=24h")
    plot = page.locator("#panel-disk .plot")
    show_panel(page, "disk")
    plot.focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#announcement")).to_contain_text("read")
    said = page.locator("#announcement").text_content().partition(": ")[0]
    asked = asked_by(page, lambda: page.keyboard.press("Enter"))
    expect(page.locator("#process-when")).to_contain_text(said)
    assert "start" in asked


def test_of_a_year_the_highest_is_the_narrowest_bucket_that_is_left(zoo, open_page):
    page = open_page(f"{zoo}?host=a-year&range=1y")
    click_highest(page, "CPU usage")
    expect(page).to_have_url(re.compile("width=900(&|$)"))


def test_the_walk_from_yesterday_to_a_name(open_planted, newest):
    """Open, a day, the disk's highest moment: the name stands in the first row."""
    page = open_planted(f"from={iso(newest - 86_400)}&to={iso(newest - 43_200)}")
    expect_dump(page, click_highest(page, "Disk I/O"), newest - SPIKES[1])
