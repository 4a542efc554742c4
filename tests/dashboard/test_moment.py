"""A moment, a stretch of time and a process: by click, by keys, by the address."""

import re

from playwright.sync_api import expect

from tests.dashboard.conftest import at_burst, ink, settled


def pick_burst(page):
    page.mouse.click(*at_burst(page))
    expect(page.locator("#badge")).to_have_text("History")


def test_a_click_names_the_process_of_the_moment(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    pick_burst(page)
    expect(page.locator("#process-rows tr").first).to_contain_text("ffmpeg")
    expect(page).to_have_url(re.compile(r"at=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"))
    expect(page.locator("#panel-memory .mark")).to_be_visible()
    assert float(page.locator(".tile .value").first.text_content().rstrip("%")) > 60


def test_the_address_shows_the_same_moment_to_somebody_else(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    pick_burst(page)
    settled(page)
    other = open_page(page.url)
    expect(other.locator("#badge")).to_have_text("History")
    expect(other.locator("#process-rows tr").first).to_contain_text("ffmpeg")
    assert other.locator("#shown").text_content() == page.locator("#shown").text_content()


def test_a_range_with_a_moment_shows_what_was_around_it(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    pick_burst(page)
    at = re.search(r"at=([^&]+)", page.url)[1]
    other = open_page(f"{desktop}?range=15m&at={at}")
    expect(other.locator("#process-rows tr").first).to_contain_text("ffmpeg")
    expect(other.locator("#panel-cpu .mark")).to_be_visible()


def test_legends_and_tiles_show_the_moment_and_not_now(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    user = page.locator("#panel-cpu .legend b").first
    before = user.text_content()
    pick_burst(page)
    expect(user).not_to_have_text(before)
    assert float(user.text_content().rstrip("%")) > 50


def test_back_to_live(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    pick_burst(page)
    page.get_by_role("button", name="Back to live").click()
    expect(page.locator("#badge")).to_have_text("Live")
    expect(page.locator("#panel-cpu .mark")).to_be_hidden()
    expect(page.locator("#process-when")).to_contain_text("now")


def test_the_browsers_back_button_goes_back(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    pick_burst(page)
    page.go_back()
    expect(page.locator("#badge")).to_have_text("Live")


def test_dragging_over_a_stretch_zooms_every_chart_and_ranks_its_processes(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    x, y = at_burst(page, "memory")
    page.mouse.move(x - 50, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.move(x + 50, y, steps=4)
    page.mouse.up()
    expect(page.locator("#badge")).to_have_text("History")
    expect(page.locator("#process-head")).to_contain_text("CPU time")
    expect(page.locator("#process-head")).to_contain_text("Peak memory")
    expect(page.locator("#process-head")).to_contain_text("Written")
    expect(page.locator("#process-rows tr").first).to_contain_text("ffmpeg")
    expect(page).to_have_url(re.compile("from=.*&to="))
    page.mouse.move(3, 3)
    expect(page.locator("#panel-cpu .legend b").first).to_contain_text("⌀")


def test_the_highest_moment_is_one_click_away(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    page.get_by_role("button", name="CPU usage: The highest moment of what is shown").click()
    expect(page.locator("#process-rows tr").first).to_contain_text("ffmpeg")


def test_a_process_has_lines_of_its_own(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    pick_burst(page)
    page.locator("#process-rows").get_by_role("button", name="ffmpeg").click()
    expect(page.locator("#process-title")).to_have_text("ffmpeg (PID 48213)")
    expect(page.locator("#process-facts")).to_contain_text("first seen")
    expect(page).to_have_url(re.compile(r"process=\d+"))
    assert ink(page, "process-cpu") > 300
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#process-detail")).to_be_hidden()


def test_the_cpu_of_a_process_is_that_of_its_ended_children_too(desktop, open_page):
    def with_children(route):
        answer = route.fetch().json()
        for row in answer["results"]:
            is_loop = row["name"] == "chrome"
            row |= {"cpu_percent": 1.5 if is_loop else 2.0, "children_cpu_percent": 80.25 if is_loop else 0.0}
        route.fulfill(json=answer)

    page = open_page(desktop + "?range=1h")
    page.route("**/metrics/processes?*", with_children)
    page.reload()
    first = page.locator("#process-rows tr").first
    expect(first).to_contain_text("chrome")
    expect(first.locator(".of-cpu")).to_have_text("81.8%")
    expect(first.locator(".of-cpu")).to_have_attribute("title", "80.3% of it by child processes that ended")


def test_the_lane_names_the_biggest_consumer_of_each_bucket(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    expect(page.locator(".lane button", has_text="ffmpeg")).to_be_visible()
    assert page.locator(".lane button", has_text="chrome").count() > 0


def test_the_buttons_move_and_zoom(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    for name in ("Back by half of what is shown", "Zoom out", "Zoom in", "Forward by half of what is shown"):
        before = page.locator("#shown").text_content()
        page.get_by_role("button", name=name).click()
        expect(page.locator("#shown")).not_to_have_text(before)
    page.get_by_role("button", name="Now").click()
    expect(page.locator("#badge")).to_have_text("Live")


def test_a_stretch_of_ones_own(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    page.locator("#custom summary").click()
    expect(page.locator("#custom-from")).to_have_value(re.compile("^20"))
    page.locator("#custom-from").fill("2026-01-02T03:04:05")
    page.locator("#custom-to").fill("2026-01-02T03:14:05")
    page.locator("#custom-form button").click()
    expect(page).to_have_url(re.compile("from=2026-01-01T18:04:05Z&to=2026-01-01T18:14:05Z"))
    expect(page.locator("#process-none")).to_have_text("Nothing was recorded then.")


def test_one_cursor_over_all_charts_with_values_and_units(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    page.mouse.move(*at_burst(page))
    expect(page.locator("#tooltip")).to_contain_text("user")
    expect(page.locator("#tooltip")).to_contain_text("%")
    for panel in ("cpu", "cores", "memory", "load"):
        expect(page.locator(f"#panel-{panel} .crosshair")).to_be_visible()


def test_the_labels_of_the_heat_map_keep_their_colour_when_it_is_drawn_again(desktop, open_page):
    page = open_page(desktop + "?from=2026-01-02T03:04:05Z&to=2026-01-02T04:04:05Z")
    page.get_by_role("button", name="Now").click()
    page.get_by_role("button", name="Last 1 hour").click()
    expect(page.locator("#badge")).to_have_text("Live")
    settled(page)
    page.get_by_role("button", name="CPU usage: The highest moment of what is shown").click()
    settled(page)
    blue = """() => {
      const canvas = document.querySelector("#panel-cores canvas");
      const scale = canvas.width / canvas.getBoundingClientRect().width;
      const { data } = canvas.getContext("2d").getImageData(0, 0, 55 * scale, canvas.height);
      let count = 0;
      for (let place = 0; place < data.length; place += 4) {
        count += data[place + 3] > 100 && data[place + 2] - data[place] > 60;
      }
      return count;
    }"""
    assert page.evaluate(blue) == 0


def test_a_gap_says_that_nothing_was_recorded(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    gap = page.locator("#panel-cpu .gaps i").first.bounding_box()
    middle = gap["x"] + gap["width"] / 2, gap["y"] + 50
    page.mouse.move(*middle)
    expect(page.locator("#tooltip")).to_contain_text("Nothing was recorded then.")
    page.mouse.click(*middle)
    expect(page.locator("#process-none")).to_have_text("Nothing was recorded then.")


def test_the_keyboard_is_enough(desktop, open_page):
    page = open_page(desktop + "?range=1h")
    plot = page.locator("#panel-cpu .plot")
    plot.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#announcement")).to_contain_text("user")
    page.keyboard.press("Enter")
    expect(page.locator("#badge")).to_have_text("History")
    expect(page).to_have_url(re.compile("at="))
    plot.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#badge")).to_have_text("Live")
    page.locator("#process-head button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#process-head th").first).to_have_attribute("aria-sort", "ascending")


def test_one_disk_can_be_looked_at(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.locator("#panel-disk select").select_option("sda")
    expect(page).to_have_url(re.compile("only.disk=sda"))
    both = open_page(desktop + "?range=15m").locator("#panel-disk .legend b").first.text_content()
    expect(page.locator("#panel-disk .legend b").first).not_to_have_text(both)


def test_the_help_says_where_the_data_come_from(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.locator("#panel-cpu .help summary").click()
    expect(page.locator("#panel-cpu .help")).to_contain_text("The share of the time")
    expect(page.locator("#panel-cpu .help code")).to_contain_text("GET /api/v1/metrics/cpu?start=")
    answer = page.request.get(desktop.rstrip("/") + page.locator("#panel-cpu .help a").first.get_attribute("href"))
    assert answer.headers["content-type"].startswith("text/csv")


def test_processes_can_be_filtered_and_sorted(desktop, open_page):
    page = open_page(desktop + "?range=15m")
    page.locator("#process-filter").fill("postgres")
    expect(page.locator("#process-rows tr")).to_have_count(1)
    page.locator("#process-filter").fill("")
    page.locator("#process-head").get_by_role("button", name="Memory").click()
    expect(page.locator("#process-rows tr").first).to_contain_text("chrome")
    expect(page.locator("#process-head th").nth(1)).to_have_attribute("aria-sort", "descending")
