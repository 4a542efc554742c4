"""The admin in a browser: what is folded away is found, and a period is chosen by a form."""

import re

from playwright.sync_api import expect


def test_the_search_of_the_sidebar_finds_what_is_folded_away(desktop, open_page, signed_in):
    page = open_page(desktop + "admin/metrics/host/", ready=False, storage_state=signed_in)
    ticks = page.locator("#nav-sidebar a", has_text=re.compile("^Ticks$"))
    expect(ticks).to_be_hidden()
    page.locator("#nav-filter").fill("ticks")
    expect(ticks).to_be_visible()
    page.locator("#nav-filter").fill("")
    expect(ticks).to_be_hidden()
    page.locator("#nav-sidebar summary").click()
    expect(ticks).to_be_visible()


def test_a_period_is_chosen_by_a_form_and_kept_by_a_search(desktop, open_page, signed_in):
    page = open_page(desktop + "admin/metrics/processsample/", ready=False, storage_state=signed_in)
    times = page.locator("#result_list .field-timestamp a").all_text_contents()
    newest, oldest = times[0].replace(" ", "T"), times[-1].replace(" ", "T")
    page.locator(".period [name=from]").fill(oldest)
    page.locator(".period [name=to]").fill(oldest)
    page.locator(".period [type=submit]").click()
    page.wait_for_url("**from=**")
    found = page.locator("#result_list .field-timestamp a").all_text_contents()
    assert set(found) == {times[-1]} != {newest}
    page.locator("#searchbar").fill("chrome")
    page.locator("#changelist-search [type=submit]").click()
    page.wait_for_url("**q=chrome**")
    assert page.locator("#result_list .field-timestamp a").all_text_contents() == [times[-1]]
    # A browser leaves out seconds that are 0.
    expect(page.locator(".period [name=from]")).to_have_value(re.compile(f"^{oldest.removesuffix(':00')}(:00)?$"))
