"""Moments in an address."""

import pytest


@pytest.mark.parametrize("address", ["cpu", "processes"])
@pytest.mark.parametrize("value", ["9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00"])
def test_the_api_takes_them(api, recorded, address, value):
    recorded.ticks(1)
    for name in ("start", "end"):
        assert api.get(f"/api/v1/metrics/{address}", {name: value}).status_code == 200


def test_a_plus_that_was_not_escaped_works_in_an_address(api, recorded):
    recorded.ticks(3)
    response = api.get("/api/v1/metrics/cpu?start=2026-11-23T02:10:05+09:00")
    assert [point["timestamp"][17:19] for point in response.json()["results"]] == ["05", "10"]
