"""What the page costs the browser that shows it: the work of its main thread for each tick that it follows, against
that of loading the page, in the same window."""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.figures import Figure, tell
from benchmarks.past import fill
from benchmarks.servers import sysmon

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FOLLOWED_TICKS = 20
# The browser draws its own frame in a window too.
OWN_WINDOW = b"--top-chrome-webui"


def figures() -> Iterator[Figure]:
    """At the default interval and at the shortest, with the last 15 minutes shown."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        sys.exit("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        for interval in (5, 1):
            with playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"]) as browser:
                yield followed(browser.new_page(viewport={"width": 1440, "height": 900}), interval)


def followed(page: Page, interval: int) -> Figure:
    """How much of the work of its first load each tick costs the page."""
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as name:
        directory = Path(name)
        with sysmon(directory, interval) as server:
            time.sleep(4 * interval)
            fill(directory, interval)
            page.goto(server.address.removesuffix("api/v1/") + "?range=15m")
            page.wait_for_selector("html[data-ready]")
            page.wait_for_load_state("networkidle")
            loaded = worked_seconds(page)
            page.wait_for_timeout(1000 * interval * FOLLOWED_TICKS)
            tick = (worked_seconds(page) - loaded) / FOLLOWED_TICKS
    detail = f"{1000 * tick / interval:.1f} ms a second; the first load {1000 * loaded:.0f} ms"
    return Figure("page", f"a tick every {interval} s", tick / loaded, "times", 0.1, detail=detail)


def worked_seconds(page: Page) -> float:
    """How long the main threads of all windows of the page's browser worked: by the kernel's account, since the
    browser's own counts the time too in which a thread waits for a core."""
    browser = page.context.browser
    assert browser is not None
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    windows = [Path(f"/proc/{one['id']}") for one in processes if one["type"] == "renderer"]
    accounts = [
        window / "task" / window.name / "schedstat" for window in windows if OWN_WINDOW not in window_command(window)
    ]
    return sum(int(account.read_text().split()[0]) for account in accounts) / 1e9


def window_command(process: Path) -> bytes:
    """The command line of a process."""
    return (process / "cmdline").read_bytes()


if __name__ == "__main__":
    tell(figures())
