"""What is not kept by its own name is said on the page, so that nobody looks for it in vain."""

import pytest
from playwright.sync_api import expect

EXCLUDED = {
    "what": "interfaces",
    "reason": "excluded",
    "setting": "SYSMON_EXCLUDE_INTERFACES",
    "count": 200,
    "names": [f"veth{n}" for n in range(100)],
}
SUMMED = {"what": "mounts", "reason": "summed", "setting": "", "count": 2, "names": ["/a<b>", "/c"]}
ENGLISH = (
    "Network interfaces that are not stored, by SYSMON_EXCLUDE_INTERFACES: 200",
    "Mounts that are stored in the sum of the others only: 2",
    "and 100 more",
    "All others, in one sum",
)
KOREAN = (
    "SYSMON_EXCLUDE_INTERFACES 설정으로 저장하지 않는 네트워크 인터페이스: 200개",
    "나머지 합계에만 포함된 마운트: 2개",
    "외 100개",
    "나머지 합계",
)


def leave_out(route):
    """The hosts of the server, and what each has left out."""
    answer = route.fetch().json()
    results = [{**host, "left_out": [EXCLUDED, SUMMED]} for host in answer["results"]]
    route.fulfill(json={**answer, "results": results})


def sum_up(route):
    """The series of the server, with a sum of others that is in the total and one that is not."""
    answer = route.fetch().json()
    sums = [("others/counted", True), ("others/uncounted", False)]
    for point in answer["results"]:
        like = point["interfaces"][0]
        point["interfaces"] += [{**like, "interface": name, "is_counted": flag} for name, flag in sums]
    route.fulfill(json=answer)


@pytest.mark.parametrize(("locale", "words"), [("en-US", ENGLISH), ("ko-KR", KOREAN)], ids=["English", "Korean"])
def test_what_is_left_out_is_listed_below_the_charts(desktop, open_page, locale, words):
    page = open_page("about:blank", ready=False, locale=locale)
    page.route("**/api/v1/hosts*", leave_out)
    page.route("**/api/v1/metrics/network?*", sum_up)
    page.goto(desktop)
    page.wait_for_selector("html[data-ready]")
    excluded, summed, more, others = words
    lines = page.locator("#left-out summary")
    expect(lines).to_have_text([excluded, summed])
    lines.first.click()
    expect(page.locator("#left-out p").first).to_contain_text("veth0, veth1, veth2, ")
    expect(page.locator("#left-out p").first).to_contain_text(more)
    lines.last.click()
    expect(page.locator("#left-out p").last).to_have_text("/a<b>, /c")
    chooser = page.locator("#panel-network .chooser")
    expect(chooser.locator("option[value='others/counted']")).to_have_text(others)
    expect(chooser.locator("optgroup option[value='others/uncounted']")).to_have_text(others)


def test_nothing_is_shown_where_nothing_is_left_out(desktop, open_page):
    page = open_page(desktop)
    expect(page.locator("#left-out")).to_be_hidden()
