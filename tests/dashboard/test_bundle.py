"""One file for a script and its modules, and what a slow line makes of the first load."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from metrics.dashboard.bundle import join_script, join_style

OWN = Path(__file__).resolve().parents[2] / "metrics" / "static" / "metrics"
MODULES = sorted(path for path in (OWN / "js").glob("*.js") if path.name != "theme.js")
FAST_3G = {"offline": False, "latency": 562, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
SLOW_3G = {"offline": False, "latency": 2000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
FIRST_CHART = """() => {
  const look = () => {
    const canvas = document.querySelector("#panel-cpu canvas");
    const { data } = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    let count = 0;
    for (let place = 3; place < data.length; place += 4) count += data[place] > 0;
    if (count > 3000) window.firstChart = performance.now() / 1000;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_module_can_be_joined_with_those_that_it_imports(module):
    text = join_script(module)
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    assert text.rstrip().endswith("})();")


def test_each_module_is_there_once_and_after_what_it_imports():
    text = join_script(OWN / "js" / "main.js")
    made = re.findall(r'^modules\["([\w-]+\.js)"\] = ', text, re.MULTILINE)
    assert len(made) == len(set(made)) > 30
    for place, part in enumerate(re.split(r'^modules\["[\w-]+\.js"\] = ', text, flags=re.MULTILINE)[1:]):
        wanted = re.findall(r'= modules\["([\w-]+\.js)"\];', part)
        assert set(wanted) <= set(made[:place])


@pytest.mark.parametrize(
    "line",
    ['import * as all from "./b.js";', "export default 1;", "export { one };", 'const b = () => import("./b.js");'],
)
def test_a_form_that_it_does_not_know_is_an_error(tmp_path, line):
    (tmp_path / "b.js").write_text("export const one = 1;\n")
    (tmp_path / "a.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"a\.js has a form that cannot be joined"):
        join_script(tmp_path / "a.js")


def test_comments_on_lines_of_their_own_are_left_out_and_code_beside_one_stays(tmp_path):
    (tmp_path / "a.js").write_text(
        "// What it is.\n/**\n * More of it.\n */\nexport const a = () => {\n  /** @type {any} */ const b = 1; // one\n"
        '  /** @type {any} */\n  // why\n  return "//" + b;\n};\n'
    )
    text = join_script(tmp_path / "a.js")
    assert 'const a = () => {\n  /** @type {any} */ const b = 1; // one\n  return "//" + b;\n};' in text
    assert not re.search("What it is|More of it|why", text)


def test_a_circle_is_an_error(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = 1;\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = 1;\n')
    with pytest.raises(ValueError, match=r"import each other: a\.js > b\.js > a\.js"):
        join_script(tmp_path / "a.js")


def test_a_style_sheet_holds_what_it_imports():
    text = join_style(OWN / "dashboard.css")
    assert "@import" not in text
    assert (OWN / "colors.css").read_text() in text


def is_what_came_meanwhile(address):
    """New points have no end, and a slow machine may ask for some; the ticks of the tiles' lines have no step."""
    is_drawn_in_ticks = "metrics/cpu?" in address or "metrics/memory?" in address
    return "start=" in address and ("end=" not in address or ("step=" not in address and not is_drawn_in_ticks))


def test_the_page_loads_a_script_once_and_asks_the_api_for_nothing_twice(desktop, open_page):
    addresses = []
    page = open_page("about:blank", ready=False)
    page.on("request", lambda request: addresses.append(request.url.removeprefix(desktop)))
    page.goto(desktop + "?range=1h")
    page.wait_for_selector("html[data-ready]")
    asked = [re.sub(r"\?.*", "", address) for address in addresses if not is_what_came_meanwhile(address)]
    scripts = [path.rpartition("/")[2] for path in asked if path.endswith(".js")]
    assert sorted(scripts) == ["main.js", "theme.js", "uPlot.iife.min.js"]
    before = asked[: asked.index("api/v1/metrics/cpu")]
    assert len(before) <= 8, before
    for path in (
        "api/v1/families",
        "api/v1/hosts",
        *(f"api/v1/metrics/{name}" for name in ("cpu", "memory", "disk", "network", "cpu/top")),
    ):
        assert asked.count(path) == 1, path


@pytest.mark.parametrize(("line", "seconds"), [(FAST_3G, 3), (SLOW_3G, 10)], ids=["fast 3G", "slow 3G"])
def test_the_first_chart_of_a_month_is_soon_there(zoo, open_page, line, seconds):
    took = []
    for _attempt in range(3):
        page = open_page("about:blank", ready=False)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", line)
        page.add_init_script(f"({FIRST_CHART})()")
        page.goto(zoo + "?host=a-year&range=30d", wait_until="commit")
        page.wait_for_function("() => window.firstChart", timeout=60_000)
        took.append(page.evaluate("window.firstChart"))
        if took[-1] < seconds:
            break
    assert min(took) < seconds, took


def test_while_developing_the_modules_are_loaded_one_by_one_and_work_too(desktop, open_page):
    """What is joined and what is not are the same program."""
    page = open_page("about:blank", ready=False)
    address = re.compile(r"/static/\w+/metrics/(js/main\.js|dashboard\.css)$")
    page.route(address, lambda route: route.fulfill(path=OWN / route.request.url.partition("/metrics/")[2]))
    page.goto(desktop + "?range=1h")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#badge")).to_have_text("Live")
