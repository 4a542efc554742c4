"""Walking all pages gives every point exactly once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import FIRST_TICK

CPU, NETWORK = "/api/v1/metrics/cpu", "/api/v1/metrics/network"
OFFSETS = [0, 1, 2, 5, 6, 7, 8, 30, 31, 32, 60, 61, 120, 121, 122, 123, 300, 301, 360, 3600]


@pytest.fixture
def gappy(recorded):
    """Twenty ticks with gaps of all sizes; the interval was 1 s first and 2 s later."""
    for number, offset in enumerate(OFFSETS):
        timestamp = FIRST_TICK + offset
        interfaces = [{"interface": name} for name in ("eth0", "lo")[: 1 + number % 2]]
        recorded.tick(timestamp, 1 if number < 10 else 2, cpu={"percent": number}, interface=interfaces)
    return recorded


def walk(api, address, query):
    pages, response = [], api.get(address, query).json()
    while True:
        assert response["count"] == len(response["results"]) > 0
        pages.append(response["results"])
        if response["next"] is None:
            return pages
        assert len(pages) < 100
        response = api.get(response["next"]).json()


def times(points):
    return [point["timestamp"] for point in points]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 25),
    step=st.sampled_from([None, "1", "2", "3", "7s", "1m", "1h", "auto"]),
    order=st.sampled_from(["asc", "desc"]),
    address=st.sampled_from([CPU, NETWORK]),
    first=st.integers(0, 19),
)
def test_every_point_is_on_one_page(api, gappy, limit, step, order, address, first):
    query = {"order": order, **({"step": step} if step else {})}
    if first:
        query["start"] = (
            f"2026-11-22T17:10:{OFFSETS[first] % 60:02}Z" if OFFSETS[first] < 60 else "2026-11-22T17:10:00Z"
        )
    if step == "auto":
        assert len(walk(api, address, {**query, "limit": limit})) == 1
        return
    whole = api.get(address, {**query, "limit": 1000}).json()
    assert whole["next"] is None
    pages = walk(api, address, {**query, "limit": limit})
    assert all(len(page) == limit for page in pages[:-1])
    in_order = pages if order == "desc" else pages[::-1]
    assert [point for page in in_order for point in page] == whole["results"]
    assert sorted(times(whole["results"]), reverse=order == "desc") == times(whole["results"])


def test_the_last_page_says_so_when_the_limit_fits_exactly(api, gappy):
    assert [len(page) for page in walk(api, CPU, {"limit": 10})] == [10, 10]


def test_the_next_page_keeps_the_step_that_was_rounded_up(api, gappy):
    body = api.get(CPU, {"step": 3, "limit": 2}).json()
    assert "step=4" in body["next"]


def test_new_ticks_do_not_shift_the_pages(api, recorded):
    recorded.ticks(4)
    first = api.get(CPU, {"limit": 2}).json()
    recorded.ticks(2, start=FIRST_TICK + 20)
    second = api.get(first["next"]).json()
    assert [point["percent"] for point in second["results"] + first["results"]] == [0.0, 1.0, 2.0, 3.0]
