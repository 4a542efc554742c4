"""What a total of disks or interfaces counts: each byte once, by what the kernel says of them."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import expect

THINGS = Path(__file__).resolve().parents[2] / "metrics/static/metrics/js/things.js"
AMOUNT = """async ([module, newest, things, options]) => {
  const { amount, learn } = await import(module);
  if (newest) learn({ host: "a", network: { interfaces: newest } });
  return amount({ interfaces: things }, "interfaces", "interface", "rate", options?.only, options);
}"""


def thing(name, rate, is_counted=None):
    return {"interface": name, "rate": rate, "is_counted": is_counted}


BOND = [thing("eth0", 50, True), thing("eth1", 40, True), thing("bond0", 90, False), thing("lo", 500, False)]
OLD_BOND = [thing(one["interface"], one["rate"]) for one in BOND]
AMOUNTS = {
    "what is counted is added up": (None, BOND, {}, 90),
    "of maxima the highest is taken": (None, BOND, {"isMaximum": True}, 50),
    "one of them may be what is not counted": (None, BOND, {"only": "bond0"}, 90),
    "what was recorded before is counted as today": (BOND, OLD_BOND, {}, 90),
    "where nobody says the highest is the least that it can be": (None, OLD_BOND[:3], {}, 90),
    "of what is not known loopback is none": (None, [thing("en0", 7), thing("utun0", 6), thing("lo", 9, False)], {}, 7),
    "what is gone today counts by what is known of the rest": (BOND[:1], OLD_BOND[:2], {}, 50),
    "what has no value is left out": (None, [thing("eth0", None, True), thing("eth1", 3, True)], {}, 3),
    "nothing is no number": (None, [], {}, None),
    "nothing that counts is no number": (None, [thing("lo", 5, False)], {}, None),
}  # fmt: skip


@pytest.mark.parametrize("case", AMOUNTS)
def test_a_total_counts_each_byte_once(browser, case):
    newest, things, options, expected = AMOUNTS[case]
    module = f"data:text/javascript;base64,{base64.b64encode(THINGS.read_bytes()).decode()}"
    page = browser.new_page()
    try:
        assert page.evaluate(AMOUNT, [module, newest, things, options]) == expected
    finally:
        page.close()


def test_what_is_not_counted_can_be_chosen(desktop, open_page):
    page = open_page(desktop)
    chooser = page.get_by_role("combobox", name="Network of")
    expect(chooser.locator("optgroup")).to_have_attribute("label", "Not in the total")
    assert chooser.locator("option").all_text_contents() == ["All interfaces", "eth0", "wlan0", "lo"]
    chooser.select_option("lo")
    expect(chooser).to_have_value("lo")
