"""Rates and shares: never negative, never absurd, unknown where they cannot be known."""

from hypothesis import given
from hypothesis import strategies as st

from metrics.recording.rates import rate, share, shares

counters = st.one_of(st.none(), st.booleans(), st.integers(0, 2**64), st.floats(0, 1e12), st.text(max_size=2))
spans = st.floats(0.05, 3600)


def test_a_rate_is_growth_by_time():
    assert rate(150, 100, 5) == 10.0


def test_a_counter_that_fell_gives_no_rate():
    assert rate(99, 100, 5) is None


def test_an_unknown_counter_gives_no_rate():
    assert rate(None, 100, 5) is None
    assert rate(100, None, 5) is None


def test_no_time_gives_no_rate():
    assert rate(150, 100, 0) is None


def test_a_rate_stays_below_its_limit():
    assert rate(6.0, 0.0, 5, factor=100, limit=100) == 100


def test_a_share_is_growth_by_growth():
    assert share(3.0, 1.0, 10.0, 2.0) == 25.0


def test_a_share_of_nothing_is_unknown():
    assert share(3.0, 1.0, 10.0, 10.0) is None


def test_a_part_that_fell_a_little_is_zero_while_the_whole_grew():
    assert share(0.99, 1.0, 10.0, 2.0) == 0.0


def test_a_reset_of_the_whole_gives_no_share():
    assert share(0.5, 1.0, 1.0, 2.0) is None


def test_shares_go_core_by_core():
    assert shares([1.0, 4.0], [0.0, 2.0], [4.0, 4.0], [0.0, 0.0]) == [25.0, 50.0]


def test_a_core_that_was_added_is_unknown_and_costs_no_other():
    assert shares([1.0, 2.0], [0.0], [4.0, 4.0], [0.0]) == [25.0, None]
    assert shares([1.0], [0.0, 2.0], [4.0], [0.0, 0.0]) == [25.0]


def test_a_core_that_is_off_is_unknown_and_costs_no_other():
    assert shares([1.0, None, 3.0], [0.0, 1.0, 2.0], [4.0, None, 4.0], [0.0] * 3) == [25.0, None, 25.0]
    assert shares([1.0, 5.0], [0.0, None], [4.0, 9.0], [0.0, None]) == [25.0, None]


@given(new=counters, old=counters, seconds=spans)
def test_a_rate_is_never_negative(new, old, seconds):
    value = rate(new, old, seconds)
    assert value is None or value >= 0


@given(new=counters, old=counters, over=counters, over_before=counters)
def test_a_share_is_between_0_and_100(new, old, over, over_before):
    value = share(new, old, over, over_before)
    assert value is None or 0 <= value <= 100
