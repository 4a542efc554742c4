"""GET /api/v1/metrics/cpu, and what every time series has in common."""

from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/metrics/cpu"


def test_it_gives_the_points_in_ascending_order(api, recorded):
    recorded.ticks(3)
    body = api.get(ADDRESS).json()
    assert {name: body[name] for name in ("metric", "host", "count", "next")} == {
        "metric": "cpu",
        "host": "test-host",
        "count": 3,
        "next": None,
    }
    assert [point["timestamp"] for point in body["results"]] == [
        "2026-11-22T17:10:00.000Z",
        "2026-11-22T17:10:05.000Z",
        "2026-11-22T17:10:10.000Z",
    ]
    assert [point["percent"] for point in body["results"]] == [0.0, 1.0, 2.0]


def test_a_point_has_every_field_and_its_resolution(api, recorded):
    recorded.tick(cpu={"percent": 12.5, "per_core": [25.0, 0.0], "load_1": 0.57, "context_switches_per_second": 40.5})
    [point] = api.get(ADDRESS).json()["results"]
    assert point == {
        "timestamp": "2026-11-22T17:10:00.000Z",
        "resolution": 5,
        "percent": 12.5,
        "per_core": [25.0, 0.0],
        "user_percent": None,
        "system_percent": None,
        "idle_percent": None,
        "iowait_percent": None,
        "steal_percent": None,
        "load_1": 0.57,
        "load_5": None,
        "load_15": None,
        "frequency_mhz": None,
        "context_switches_per_second": 40.5,
        "interrupts_per_second": None,
        "pressure_some_percent": None,
    }


def test_without_a_range_it_gives_the_newest_hundred_points(api, recorded):
    times = recorded.ticks(103)
    body = api.get(ADDRESS).json()
    assert body["count"] == 100
    assert body["results"][-1]["percent"] == 1.0  # the 103rd: 102 % 101
    assert body["results"][0]["percent"] == 3.0
    assert len(times) == 103


def test_start_and_end_are_inclusive(api, recorded):
    recorded.ticks(5)
    body = api.get(ADDRESS, {"start": "2026-11-22T17:10:05Z", "end": "2026-11-22T17:10:15Z"}).json()
    assert [point["percent"] for point in body["results"]] == [1.0, 2.0, 3.0]


def test_limit_keeps_the_newest_points(api, recorded):
    recorded.ticks(5)
    assert [point["percent"] for point in api.get(ADDRESS, {"limit": 2}).json()["results"]] == [3.0, 4.0]


def test_order_desc_gives_the_newest_point_first(api, recorded):
    recorded.ticks(3)
    body = api.get(ADDRESS, {"limit": 2, "order": "desc"}).json()
    assert [point["percent"] for point in body["results"]] == [2.0, 1.0]


def test_fields_keeps_only_those(api, recorded):
    recorded.ticks(1)
    [point] = api.get(ADDRESS, {"fields": "load_1,percent"}).json()["results"]
    assert list(point) == ["timestamp", "resolution", "percent", "load_1"]


def test_step_gives_mean_and_maximum_of_each_bucket(api, recorded):
    recorded.ticks(13)
    body = api.get(ADDRESS, {"step": "30s", "fields": "percent"}).json()
    assert body["results"] == [
        {"timestamp": "2026-11-22T17:10:00.000Z", "resolution": 30, "percent": 2.5, "percent_max": 5.0},
        {"timestamp": "2026-11-22T17:10:30.000Z", "resolution": 30, "percent": 8.5, "percent_max": 11.0},
        {"timestamp": "2026-11-22T17:11:00.000Z", "resolution": 30, "percent": 12.0, "percent_max": 12.0},
    ]


def test_step_is_rounded_up_to_a_multiple_of_the_resolution(api, recorded):
    recorded.ticks(4)
    body = api.get(ADDRESS, {"step": 7, "fields": "percent"}).json()
    assert [point["resolution"] for point in body["results"]] == [10, 10]


def test_step_takes_units(api, recorded):
    recorded.ticks(1)
    for step, seconds in (("30", 30), ("30s", 30), ("5m", 300), ("1h", 3600), ("1d", 86_400)):
        assert api.get(ADDRESS, {"step": step}).json()["results"][0]["resolution"] == seconds


def test_step_auto_fits_the_range_into_the_limit(api, recorded):
    recorded.ticks(24)
    body = api.get(ADDRESS, {"step": "auto", "limit": 4, "fields": "percent"}).json()
    assert body["next"] is None
    assert [point["resolution"] for point in body["results"]] == [30] * 4


def test_next_is_the_address_of_the_older_points(api, recorded):
    recorded.ticks(5)
    first = api.get(ADDRESS, {"limit": 2, "fields": "percent"}).json()
    assert first["next"].startswith(
        "http://localhost/api/v1/metrics/cpu?limit=2&fields=percent&end=2026-11-22T17:10:14"
    )
    second = api.get(first["next"]).json()
    assert [point["percent"] for point in second["results"]] == [1.0, 2.0]
    third = api.get(second["next"]).json()
    assert ([point["percent"] for point in third["results"]], third["next"]) == ([0.0], None)


def test_host_chooses_another_machine(api, recorded, other_host):
    recorded.ticks(1)
    other_host.tick(FIRST_TICK, cpu={"percent": 77})
    body = api.get(ADDRESS, {"host": "other-host"}).json()
    assert (body["host"], body["results"][0]["percent"]) == ("other-host", 77.0)


def test_a_gap_stays_a_gap(api, recorded):
    recorded.ticks(2)
    recorded.ticks(1, start=FIRST_TICK + 60)
    body = api.get(ADDRESS, {"step": 10, "fields": "percent"}).json()
    assert [point["timestamp"][14:19] for point in body["results"]] == ["10:00", "11:00"]


def test_a_range_without_samples_is_empty(api, recorded):
    recorded.ticks(1)
    body = api.get(ADDRESS, {"end": "2020-01-01"}).json()
    assert (body["count"], body["next"], body["results"]) == (0, None, [])


def test_it_takes_few_queries(api, recorded, django_assert_max_num_queries):
    recorded.ticks(20)
    # One of them asks whether there is anything as old as 1970.
    with django_assert_max_num_queries(4):
        api.get(ADDRESS)
    with django_assert_max_num_queries(10):
        api.get(ADDRESS, {"step": 10})


def test_before_the_first_sample_it_is_unavailable(api, db):
    response = api.get(ADDRESS)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert response.json() == {"detail": "No sample has been recorded yet.", "errors": {}}


def test_a_host_without_a_tick_is_unavailable_too(api, recorded):
    assert api.get(ADDRESS).status_code == 503


def test_an_unknown_host_is_not_found(api, recorded):
    response = api.get(ADDRESS, {"host": "nobody"})
    assert response.status_code == 404
    assert response.json()["detail"] == "Nothing was recorded for this host."


def test_a_device_is_no_parameter_here(api, recorded):
    assert api.get(ADDRESS, {"device": "sda"}).json()["errors"] == {"device": ["There is no such parameter."]}
