"""The modules of the page that need no server: each is loaded as it is, in a browser, and its functions are called."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "metrics" / "static" / "metrics" / "js"
PAGE = '<!doctype html><html data-api="/api/v1/" lang="{language}" data-time-zone="{zone}"></html>'
CALL = """async ([module, name, args]) => {
  const found = (await import(`/${module}.js`))[name];
  return typeof found === "function" ? found(...args) : found;
}"""
# 14 March 2026, 15:09:26 in Seoul.
MOMENT = datetime(2026, 3, 14, 6, 9, 26, tzinfo=UTC).timestamp()


class Modules:
    """An empty page of a language and a zone, from which the modules are imported."""

    def __init__(self, browser, language="en", zone="Asia/Seoul"):
        self.context = browser.new_context(timezone_id="America/New_York")
        self.page = self.context.new_page()
        self.page.route("**/*", lambda route: self.answer(route, PAGE.format(language=language, zone=zone)))
        self.page.goto("http://page.test/")

    def answer(self, route, text):
        name = route.request.url.rpartition("/")[2]
        if name.endswith(".js"):
            route.fulfill(path=SCRIPTS / name, content_type="text/javascript")
        else:
            route.fulfill(body=text, content_type="text/html")

    def __call__(self, module, name, *args):
        return self.page.evaluate(CALL, [module, name, args])

    def run(self, script, *args):
        return self.page.evaluate(script, args)


@pytest.fixture(scope="module")
def js(browser):
    made = Modules(browser)
    yield made
    made.context.close()


def at(time, resolution=5, is_tick=True, **values):
    """A point as the page has it: a tick around its moment, a bucket from its start on."""
    start = time - resolution / 2 if is_tick else time
    return {
        "time": time,
        "resolution": resolution,
        "isTick": is_tick,
        "from": start,
        "to": start + resolution,
        **values,
    }


# Formatting --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "bytes", "\N{EN DASH}"),
        (0, "bytes", "0 B"),
        (1023, "bytes", "1,023 B"),
        (1024, "bytes", "1.00 KiB"),
        (1024**3 * 3.727, "bytes", "3.73 GiB"),
        (1024**6, "bytes", "1,024 PiB"),
        (999, "bytes_per_second", "999 B/s"),
        (1000, "bytes_per_second", "1.00 kB/s"),
        (95_000_000, "bytes_per_second", "95.0 MB/s"),
        (-2000, "bytes_per_second", "-2.00 kB/s"),
        (12.34, "percent", "12.3%"),
        (-7.04, "celsius", "-7.0 °C"),
        (0.5, "load", "0.50"),
        (99.6, "per_second", "99.6/s"),
        (100.4, "per_second", "100/s"),
        (3.999, "mhz", "4 MHz"),
        (1.5, "seconds", "1.5 s"),
        (7, "rotations_per_minute", "7 rotations per minute"),
        (7, "", "7"),
    ],
)
def test_a_value_is_read_by_its_unit(js, value, unit, text):
    assert js("formats", "measured", value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (50, "percent", "50%"),
        (2**32, "bytes", "4 GiB"),
        (2_500_000, "bytes_per_second", "2.5 MB/s"),
        (1.5, "load", "1.5"),
    ],
)
def test_an_axis_has_no_more_decimals_than_it_needs(js, value, unit, text):
    assert js("formats", "onAxis", value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 sec"),
        (-3, "0 sec"),
        (59.6, "1 min"),
        (61, "1 min 1 sec"),
        (3600, "1 hr"),
        (90_000, "1 day 1 hr"),
        (86_401, "1 day"),
    ],
)
def test_a_length_of_time_has_its_two_highest_parts(js, seconds, text):
    assert js("formats", "duration", seconds) == text


def test_times_are_those_of_the_program_and_not_of_the_reader(js):
    assert js("formats", "timeLabel", MOMENT, 1) == "15:09:26"
    assert js("formats", "timeLabel", MOMENT, 600) == "15:09"
    assert js("formats", "timeLabel", MOMENT, 86_400) == "Mar 14"
    assert js("formats", "timeLabel", MOMENT, 40 * 86_400) == "Mar 2026"
    assert "15:09:26" in js("formats", "moment", MOMENT)
    assert js("zone", "foreignZone") == "Asia/Seoul"


def test_midnight_is_shown_as_the_day_that_begins(js):
    midnight = datetime(2026, 3, 13, 15, tzinfo=UTC).timestamp()
    assert js("formats", "timeLabel", midnight, 600) == "Mar 14"


def test_a_stretch_within_a_day_says_it_once(js):
    assert js("formats", "stretch", MOMENT, MOMENT + 60).count("Mar 14") == 1
    assert js("formats", "stretch", MOMENT, MOMENT + 86_400).count("Mar 1") == 2


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Europe/Berlin", "Pacific/Chatham", ""])
def test_a_time_that_is_typed_is_a_moment_at_which_clocks_show_it(browser, zone):
    """Also in the hours around a change to summer time and back, of which one comes twice."""
    modules = Modules(browser, zone=zone)
    try:
        for seconds in (
            MOMENT,
            951_782_400,
            *range(1_774_740_600, 1_774_752_000, 1801),
            *range(1_792_881_000, 1_792_896_000, 1801),
        ):
            text = modules("zone", "wallTime", seconds)
            for typed in (text, text[:16]):
                assert modules("zone", "wallTime", modules("zone", "fromWallTime", typed)).startswith(typed), seconds
    finally:
        modules.context.close()


def test_a_zone_that_the_browser_does_not_know_is_the_readers(browser):
    modules = Modules(browser, zone="Nowhere/Atlantis")
    try:
        assert modules("zone", "wallTime", MOMENT) == "2026-03-14T02:09:26"
        assert modules("zone", "foreignZone") == ""
    finally:
        modules.context.close()


def test_words_have_their_values_put_in(js):
    assert js("messages", "interpolate", "%(used)s of %(total)s, %(used)s", {"used": 1, "total": "2"}) == "1 of 2, 1"
    assert js("messages", "gettext", "not translated") == "not translated"


# Steps and addresses -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("span", "points", "interval", "step"),
    [
        (300, 480, 5, None),
        (2400, 480, 5, None),
        (2401, 480, 5, 10),
        (86_400, 480, 5, 300),
        (31_536_000, 480, 5, 86_400),
    ],
)
def test_a_step_is_as_narrow_as_the_drawing_can_show(js, span, points, interval, step):
    assert js("steps", "stepFor", span, points, interval) == step


def test_no_step_is_below_what_is_needed(js):
    nice = js("steps", "NICE")
    for needed in (0.5, *nice, *(step + 0.5 for step in nice), 12 * 86_400):
        step = js("steps", "niceStep", needed)
        assert step >= needed
        assert step in nice or step % 86_400 == 0


def test_an_address_leaves_out_what_is_not_given(js):
    assert js(
        "api", "address", "metrics/cpu", {"start": "2026-03-14T06:09:26.000Z", "step": None, "fields": "a,b"}
    ) == ("/api/v1/metrics/cpu?start=2026-03-14T06:09:26.000Z&fields=a,b")
    assert js("api", "address", "hosts") == "/api/v1/hosts"
    assert js("api", "seconds", js("api", "iso", MOMENT)) == MOMENT


@pytest.mark.parametrize(
    ("moment", "query"),
    [
        ({"at": MOMENT, "width": None}, {"end": "2026-03-14T06:09:26.000Z", "limit": 1}),
        (
            {"at": MOMENT, "width": 60},
            {"start": "2026-03-14T06:09:26.000Z", "end": "2026-03-14T06:10:25.999Z", "step": 60, "limit": 1},
        ),
    ],
)
def test_a_moment_is_asked_for_as_it_was_picked(js, moment, query):
    assert js("series", "momentQuery", moment) == query


# Points and gaps ---------------------------------------------------------------------------------------------------
def test_a_tick_that_is_missing_is_a_gap_and_one_that_is_late_is_none(js):
    late = [at(0), at(5), at(12), at(17)]
    assert js("gaps", "timeline", late, {"start": 0, "end": 17})["gaps"] == []
    missing = [at(0), at(5), at(15), at(20)]
    made = js("gaps", "timeline", missing, {"start": 0, "end": 20})
    assert made["gaps"] == [[7.5, 12.5]]
    assert made["times"] == [0, 5, 7.5, 12.5, 15, 20]
    assert [point is None for point in made["points"]] == [False, False, True, True, False, False]


def test_nothing_at_all_is_one_gap(js):
    assert js("gaps", "timeline", [], {"start": 3, "end": 9})["gaps"] == [[3, 9]]


def test_a_moment_belongs_to_the_point_that_it_lies_in(js):
    made = js("gaps", "timeline", [at(0, 60, False), at(60, 60, False), at(120, 60, False)], {"start": 0, "end": 180})
    assert [js("gaps", "placeAt", made, moment) for moment in (0, 59, 60, 119, 120, 500)] == [0, 0, 1, 1, 2, 2]
    assert js("gaps", "isInGap", [[10, 20]], 15) is True
    assert js("gaps", "isInGap", [[10, 20]], 10) is False


def test_a_bucket_is_drawn_in_the_middle_of_what_is_shown_of_it(js):
    made = js("gaps", "timeline", [at(0, 60, False), at(60, 60, False)], {"start": 30, "end": 80})
    assert made["times"] == [45, 70]


def test_a_mean_goes_by_the_time_that_points_stand_for(js):
    points = [at(0, 10), at(10, 30), None]
    assert js("columns", "mean", [1, 5, None], points) == 4
    assert js("columns", "mean", [None], [None]) is None
    assert js("columns", "reach", [[None, 3], [-2, 1]]) == [-2, 3]
    assert js("columns", "reach", [[5]]) == [0, 5]
    assert js("past", "meanPoint", [at(0, 10, a=1, list=[{"b": 4}]), at(10, 30, a=5, list=[{"b": 8}])])["a"] == 4
    assert js("past", "meanPoint", []) is None


def test_a_small_line_keeps_the_highest_of_each_few(js):
    values = [{"time": n, "resolution": 1, "value": None if n == 3 else n % 4} for n in range(8)]
    assert js("past", "thinned", values, 2) == [
        {"time": 0, "resolution": 4, "value": 2},
        {"time": 4, "resolution": 4, "value": 3},
    ]


def test_families_of_other_widths_are_drawn_at_the_same_moments(js):
    made = js.run(
        """async ([cpu, memory]) => {
      const { columnsOf } = await import("/columns.js");
      const { timeline } = await import("/gaps.js");
      const series = (points) => ({ points, timeline: timeline(points, { start: 0, end: 20 }) });
      const line = (family) => ({ label: family, family, value: (point) => point.value });
      const panel = { fields: { cpu: [], memory: [] }, lines: [line("cpu"), line("memory")] };
      return columnsOf(panel, { cpu: series(cpu), memory: series(memory) }).values;
    }""",
        [at(time, value=time) for time in (0, 5, 10, 15)],
        [at(time, 10, False, value=-time) for time in (0, 10)],
    )
    assert made == [[0, 5, 10, 15], [0, 0, -10, -10]]


# What is in lists --------------------------------------------------------------------------------------------------
def test_a_total_counts_each_byte_once(js):
    counted = {"sda": True, "dm-0": False, "md1": False, "nvme0n1": True}
    point = {"devices": [{"device": name, "rate": 1, "is_counted": said} for name, said in counted.items()]}
    assert js("things", "amount", point, "devices", "device", "rate", None) == 2
    assert js("things", "amount", point, "devices", "device", "rate", "dm-0") == 1
    assert js("things", "amount", point, "devices", "device", "missing", None) is None
    assert js("things", "amount", {}, "devices", "device", "rate", None) is None
    assert js("things", "names", [point, None], "devices", "device") == [
        {"name": name, "isCounted": counted[name]} for name in ("dm-0", "md1", "nvme0n1", "sda")
    ]


def test_a_total_of_maxima_is_the_highest(js):
    point = {"interfaces": [{"interface": "eth0", "rate_max": 5}, {"interface": "eth1", "rate_max": 7}]}
    assert js("things", "amount", point, "interfaces", "interface", "rate_max", None, {"isMaximum": True}) == 7


SORTED = """async ([rows, isAscending]) => {
  const { inOrder } = await import("/processes.js");
  return inOrder(rows, (row) => row.value, isAscending).map((row) => row.id);
}"""


@pytest.mark.parametrize(
    ("values", "ascending", "descending"),
    [([5, None, 0, 7, 0], [2, 3, 5, 1, 4], [4, 1, 3, 5, 2]), (["b", "a", "", "b"], [3, 2, 1, 4], [1, 4, 2, 3])],
)
def test_a_table_is_sorted_both_ways_and_what_is_equal_stays(js, values, ascending, descending):
    rows = [{"id": place + 1, "value": value} for place, value in enumerate(values)]
    assert js.run(SORTED, rows, True) == ascending
    assert js.run(SORTED, rows, False) == descending


# Following the time ------------------------------------------------------------------------------------------------
APPEND = """async ([ticks, missing]) => {
  const { Series } = await import("/series.js");
  const { located } = await import("/gaps.js");
  const tables = [
    { collection: "", key: [], columns: [{ name: "percent" }, { name: "load" }] },
    { collection: "disks", key: ["name"], columns: [{ name: "rate" }] },
  ];
  const series = new Series("metrics/x", false, tables);
  series.want(["percent", "rate"]);
  series.points = [located({ time: 100, resolution: 5, percent: 1, disks: [] }, null)];
  series.loaded = new Set(["percent", "rate"]);
  const stamp = (time) => new Date(time * 1000).toISOString();
  const values = { percent: 2, load: 3, disks: [{ name: "sda", rate: 4, other: 5 }] };
  if (missing) delete values[missing];
  const taken = ticks.map((time) => series.append(values, { timestamp: stamp(time), resolution: 5 }));
  series.show({ start: 0, end: ticks.at(-1) });
  return { taken, times: series.timeline.times, last: series.points.at(-1) };
}"""


def test_the_newest_tick_is_taken_where_it_is_the_next(js):
    made = js.run(APPEND, [100, 105, 105, 110], None)
    assert made["taken"] == [True] * 4
    assert made["times"] == [100, 105, 110]
    assert made["last"]["percent"] == 2
    assert made["last"]["disks"] == [{"name": "sda", "rate": 4}]
    assert "load" not in made["last"]


def test_a_tick_after_one_that_was_missed_has_to_be_asked_for(js):
    made = js.run(APPEND, [110, 105, 95], None)
    assert made["taken"] == [False, True, False]


@pytest.mark.parametrize("missing", ["percent", "disks"])
def test_a_tick_without_what_is_shown_has_to_be_asked_for(js, missing):
    assert js.run(APPEND, [105], missing)["taken"] == [False]


WIDTHS = """async ([spans, hasLists]) => {
  const { Series } = await import("/series.js");
  const asked = [];
  for (const [span, interval] of spans) {
    const series = new Series("metrics/x", hasLists);
    series.loadSteps = (shown, step) => asked.push(step);
    series.load({ start: 0, end: span }, null, interval);
  }
  return asked;
}"""


def test_a_short_stretch_is_loaded_in_ticks_and_then_needs_no_more_questions(js):
    """Of the ranges that have a button: up to twice as many ticks as there would be steps."""
    spans = [[900, 1], [3600, 5], [3600, 1], [21_600, 5]]
    assert js.run(WIDTHS, spans, False) == [None, None, 10, 60]
    assert js.run(WIDTHS, spans, True) == [5, 15, 15, 120]


WAITING = """async () => {
  const { connection, read } = await import("/api.js");
  connection.heardAt = Date.now() / 1000 - 60;
  window.fetch = () => new Promise(() => {});
  const before = Date.now() / 1000;
  read("metrics/current").catch(() => {});
  read("metrics/cpu").catch(() => {});
  return { waiting: connection.waiting, isJustAsked: connection.waitingSince >= before };
}"""


def test_a_server_is_silent_from_when_it_was_asked_and_not_from_when_it_was_last_heard(browser):
    """Or each question after a quiet second would have the page ask whether anybody is there."""
    modules = Modules(browser)
    try:
        assert modules.run(WAITING) == {"waiting": 2, "isJustAsked": True}
    finally:
        modules.context.close()
