"""A real browser, real servers on made-up machines, and a gate that lets no request leave this machine."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.fill import PASSWORD
from tests.skips import missing, needs
from tests.supervision.running import PROJECT, Up

SCREENSHOTS = PROJECT / "docs" / "screenshots"
MAX_SCREENSHOT_BYTES = 200_000
HERE = ("http://127.0.0.1:", "data:", "blob:")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

Opener = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, as the system has it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        missing("needs playwright, which requirements-dev.txt lists")
    path = needs("chromium", "chromium-browser", "google-chrome")
    # Playwright's event loop runs in this thread, and Django would refuse the database to it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except Error as error:
            missing(f"needs a browser that starts: {error}")
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Opener]:
    """Opens an address in a window of its own; what leaves the machine, or goes wrong on the page, fails the test."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def opener(
        address: str, *, expected: tuple[str, ...] = (), ready: bool = True, clock: bool = False, **options: Any
    ) -> Any:
        def note(text: str) -> None:
            if not any(part in text for part in expected):
                wrong.append(text)

        options = {
            "viewport": {"width": 1440, "height": 900},
            "locale": "en-US",
            "timezone_id": "Asia/Seoul",
            **options,
        }
        context = browser.new_context(**options)
        contexts.append(context)
        context.route("**/*", lambda route: stay_here(route, wrong))
        page = context.new_page()
        page.set_default_timeout(20_000)
        if clock:  # goes on as usual, and can be put forward
            page.clock.install()
        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        page.goto(address)
        if ready:
            page.wait_for_selector("html[data-ready]")
        return page

    yield opener
    for context in contexts:
        context.close()
    assert wrong == []


def stay_here(route: Any, wrong: list[str]) -> None:
    """Let a request through that stays on this machine; note and stop every other."""
    if route.request.url.startswith(HERE):
        route.continue_()
    else:
        wrong.append(f"left the machine: {route.request.url}")
        route.abort()


class FilledServer:
    """The web part of the program, on a directory that tests.dashboard.fill has filled."""

    def __init__(self, directory: Path, name: str, interval: int) -> None:
        settings = {
            "SYSMON_HOSTNAME": name, "SYSMON_INTERVAL": str(interval), "SYSMON_TIME_ZONE": "Asia/Seoul",
            "DJANGO_SETTINGS_MODULE": "sysmon_project.settings",
        }  # fmt: skip
        self.up = Up(directory, **settings)
        self.filler: subprocess.Popen[str] | None = None

    def start(self, what: str) -> str:
        """Fill, serve, and give the address."""
        command = [sys.executable, "-m", "tests.dashboard.fill", what]
        self.filler = subprocess.Popen(command, cwd=PROJECT, env=self.up.environment, stdout=subprocess.PIPE, text=True)
        assert self.filler.stdout is not None
        assert self.filler.stdout.readline() == "filled\n"
        self.up.start("--only", "web")
        return f"http://127.0.0.1:{self.up.port}/"

    def close(self) -> None:
        """End both."""
        if self.filler is not None:
            self.filler.terminate()
            self.filler.wait()
        if self.up.process is not None:
            self.up.stop()
        self.up.end_for_sure()


@pytest.fixture(scope="session")
def desktop(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a machine that is alive; its last hours have a gap, and a burst of one process."""
    with closing(FilledServer(tmp_path_factory.mktemp("desktop") / "data", "desktop", 5)) as server:
        yield server.start("desktop")


@pytest.fixture(scope="session")
def signed_in(browser: Any, desktop: str) -> Any:
    """What a browser keeps of a session of the administrator: attempts to sign in are throttled, so there is one."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(desktop + "admin/login/")
    page.locator("#id_username").fill("root")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.wait_for_selector("#user-tools")
    yield context.storage_state()
    context.close()


@pytest.fixture(scope="session")
def zoo(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of several machines, told apart by `?host=`; none of them is alive."""
    with closing(FilledServer(tmp_path_factory.mktemp("zoo") / "data", "single-core", 10)) as server:
        yield server.start("zoo")


@pytest.fixture
def shoot(tmp_path: Path) -> Callable[..., None]:
    """Takes a picture; those of the documentation are renewed where SYSMON_TEST_SCREENSHOTS=1."""

    def take(page: Any, name: str, **options: Any) -> None:
        keeps = os.environ.get("SYSMON_TEST_SCREENSHOTS") == "1"
        folder = SCREENSHOTS if keeps else tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        page.screenshot(path=path, animations="disabled", **options)
        assert path.stat().st_size < MAX_SCREENSHOT_BYTES

    return take


def settled(page: Any) -> None:
    """Wait until what was asked for is drawn."""
    page.wait_for_load_state("networkidle")


# And wait until the page has been told what came into view.
SCROLL = """async (share) => {
  scrollTo(0, share * document.documentElement.scrollHeight);
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
}"""
NOTHING_WAITS_IN_VIEW = """() => {
  const boxes = [...document.querySelectorAll("[aria-busy]")].map((card) => card.getBoundingClientRect());
  return !boxes.some((box) => box.top < innerHeight && box.bottom > 0);
}"""


def see_everything(page: Any) -> None:
    """Scroll through all of the page, so that every chart has been in view."""
    settled(page)
    for step in range(12):
        page.evaluate(SCROLL, step / 11)
        page.wait_for_function(NOTHING_WAITS_IN_VIEW)
    settled(page)


DRAWN = """async (panel) => {
  if (!document.querySelector(`#panel-${panel}:not([aria-busy]) canvas`)) return false;
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  return true;
}"""


def ink(page: Any, panel: str) -> int:
    """How many pixels of a panel's canvas are drawn on, once its data are there and a frame has shown them."""
    page.wait_for_function(DRAWN, arg=panel)
    return page.evaluate(
        """(panel) => {
          const canvas = document.querySelector(`#panel-${panel} canvas`);
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let place = 3; place < data.length; place += 4) if (data[place] > 0) count += 1;
          return count;
        }""",
        panel,
    )


def last(context: Any, address: str, host: str, seconds: int) -> str:
    """The query of a host's newest stretch of so many seconds.

    A machine of the zoo is dead, and a slow run outlives its last 15 minutes.
    """
    hosts = context.request.get(f"{address}api/v1/hosts").json()["results"]
    newest = datetime.fromisoformat(next(one["newest_tick"] for one in hosts if one["name"] == host))
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (newest - timedelta(seconds=seconds), newest))
    return f"?host={host}&from={start}&to={end}"


def at_share(page: Any, panel: str, share: float) -> tuple[float, float]:
    """A place in a panel's chart, by its share of the time that is shown."""
    box = page.locator(f"#panel-{panel} .overlay").bounding_box()
    return box["x"] + box["width"] * share, box["y"] + 50


def at_burst(page: Any, panel: str = "cpu") -> tuple[float, float]:
    """The place of the burst in a chart of the last hour; the machine lives on, so that it wanders to the left."""
    api = f"{page.url.partition('?')[0]}api/v1/"
    peak = page.request.get(f"{api}metrics/cpu/peaks?limit=1").json()["results"][0]["peak_at"]
    newest = page.request.get(f"{api}hosts").json()["results"][0]["newest_tick"]
    age = datetime.fromisoformat(newest) - datetime.fromisoformat(peak)
    return at_share(page, panel, 1 - age.total_seconds() / 3600)
