"""Below the CPU chart: what happened, where it happened, and one click from its moment."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

DESK, PHONE = ({"width": width, "height": 900} for width in (1440, 390))
MARKS = """() => [...document.querySelectorAll(".events button")].map((mark) => {
  const box = mark.parentElement.getBoundingClientRect();
  const all = document.querySelector(".events").getBoundingClientRect();
  const size = mark.getBoundingClientRect();
  const [share, wide] = [(box.left - all.left) / all.width, box.width / all.width];
  return { title: mark.title, level: mark.className, share, wide, width: size.width, height: size.height };
})"""
ATTACK = "<img src=x onerror=alert(1)>"


def iso(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def answer(route):
    """A gap over the second quarter, a kill in the middle, and a mark that was called like markup."""
    query = parse_qs(urlsplit(route.request.url).query)
    start, end = (datetime.fromisoformat(query[name][0]).timestamp() for name in ("start", "end"))
    at = lambda share: start + share * (end - start)  # noqa: E731
    events = [("gap", "warning", 0.25, 0.5, "Not recorded"), ("oom_kill", "critical", 0.5, None, "java was killed")]
    events.append(("mark", "info", 0.75, None, ATTACK))
    results = [
        {"id": n, "kind": kind, "host": "desktop", "started_at": iso(at(first)), "ended_at": last and iso(at(last)),
         "severity": level, "title": title, "details": {}, "culprits": []}
        for n, (kind, level, first, last, title) in enumerate(events)
    ]  # fmt: skip
    route.fulfill(json={"host": "desktop", "count": len(results), "next": None, "results": results})


@pytest.fixture
def eventful(desktop, open_page):
    def opener(**options):
        page = open_page("about:blank", ready=False, **options)
        page.route("**/api/v1/events?*", answer)
        page.goto(desktop + "?range=1h")
        page.wait_for_selector("html[data-ready]")
        page.locator("#panel-cpu").scroll_into_view_if_needed()
        page.wait_for_selector(".events button")
        return page

    return opener


def test_each_mark_is_where_it_happened_and_says_what(eventful):
    page = eventful(viewport=DESK)
    marks = page.evaluate(MARKS)
    assert [mark["level"] for mark in marks] == ["warning", "critical", "info"]
    assert [mark["share"] for mark in marks] == pytest.approx([0.25, 0.5, 0.75], abs=0.02)
    assert [mark["wide"] for mark in marks] == pytest.approx([0.25, 0.0, 0.0], abs=0.02)
    assert "for 15 min — gap: Not recorded" in marks[0]["title"]
    assert marks[1]["title"].endswith("— out of memory: java was killed")
    assert marks[2]["title"].endswith(f"— mark: {ATTACK}")


def test_a_click_shows_the_moment(eventful):
    page = eventful(viewport=DESK)
    page.locator(".events .critical").click()
    page.wait_for_url("**at=*")


def test_a_finger_meets_it(eventful):
    page = eventful(viewport=PHONE, has_touch=True)
    assert min(min(mark["width"], mark["height"]) for mark in page.evaluate(MARKS)) >= 44


def test_korean_names_the_kind(eventful):
    page = eventful(viewport=DESK, locale="ko-KR")
    assert "메모리 부족" in page.evaluate(MARKS)[1]["title"]


def test_where_nothing_happened_there_is_no_strip(desktop, open_page):
    page = open_page(desktop + "?range=15m", viewport=DESK)
    assert page.locator(".events").is_hidden()
