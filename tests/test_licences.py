"""The table of licences: made anew without losing what another platform needs."""

from tests.licences import PAGE, START, page_with, required

ROWS = {name: f"| `{name}` | {version} | MIT |\n" for name, version in required().items()}
FIRST, SECOND, *_others = ROWS


def page(*rows):
    return f"# Licences\n\n{START}{''.join(rows)}\nWords after it.\n"


def test_every_required_package_has_a_row():
    text = PAGE.read_text("utf-8")
    assert [name for name, version in required().items() if f"| `{name}` | {version} | " not in text] == []


def test_rows_are_in_the_order_of_the_requirements():
    made = page_with(page(), {SECOND: ROWS[SECOND], FIRST: ROWS[FIRST]})
    assert made == page(ROWS[FIRST], ROWS[SECOND])


def test_a_package_that_only_another_platform_needs_keeps_its_row():
    assert page_with(page(ROWS[FIRST]), {SECOND: ROWS[SECOND]}) == page(ROWS[FIRST], ROWS[SECOND])


def test_a_row_of_another_version_goes():
    old = f"| `{FIRST}` | 0.0.1 | MIT |\n"
    assert page_with(page(old), {SECOND: ROWS[SECOND]}) == page(ROWS[SECOND])


def test_a_package_that_is_not_required_any_more_goes():
    assert page_with(page("| `gone` | 1.0 | MIT |\n"), {FIRST: ROWS[FIRST]}) == page(ROWS[FIRST])
