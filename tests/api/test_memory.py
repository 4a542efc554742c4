"""GET /api/v1/metrics/memory"""

ADDRESS = "/api/v1/metrics/memory"


def test_bytes_are_integers_and_what_is_unknown_is_null(api, recorded):
    recorded.tick(memory={"total_bytes": 8_000_000_000, "used_bytes": 3, "percent": 57.14, "swap_percent": 0})
    [point] = api.get(ADDRESS).json()["results"]
    assert (point["total_bytes"], point["used_bytes"]) == (8_000_000_000, 3)
    assert isinstance(point["total_bytes"], int)
    assert (point["percent"], point["swap_percent"], point["pressure_full_percent"]) == (57.14, 0.0, None)


def test_a_step_keeps_the_last_total_and_means_the_rest(api, recorded):
    recorded.tick(1_795_367_400, memory={"total_bytes": 100, "used_bytes": 10})
    recorded.tick(1_795_367_405, memory={"total_bytes": 200, "used_bytes": 21})
    [point] = api.get(ADDRESS, {"step": 60, "fields": "total_bytes,used_bytes,free_bytes"}).json()["results"]
    assert point == {
        "timestamp": "2026-11-22T17:10:00.000Z",
        "resolution": 60,
        "total_bytes": 200,
        "used_bytes": 16,
        "used_bytes_max": 21,
        "used_bytes_min": 10,
        "free_bytes": None,
        "free_bytes_max": None,
        "free_bytes_min": None,
    }
