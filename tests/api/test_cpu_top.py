"""GET /api/v1/metrics/cpu/top"""

import pytest

from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/metrics/cpu/top"


@pytest.fixture
def busy(recorded):
    """Three minutes: `1` is the biggest in the first, nobody in the second is recorded, `2` in the third."""
    for number in (*range(12), *range(24, 36)):
        uses = {1: 60.0 if number < 12 else 10.0, 2: 50.0}
        samples = [{"pid": pid, "cpu_percent": cpu} for pid, cpu in uses.items()]
        recorded.tick(FIRST_TICK + 5 * number, processes={"total": 2}, process=samples)
    return recorded


def test_each_step_names_its_biggest_consumer(api, busy):
    body = api.get(ADDRESS, {"step": "1m"}).json()
    assert {name: value for name, value in body.items() if name != "results"} == {
        "metric": "cpu/top",
        "host": "test-host",
        "count": 2,
        "next": None,
    }
    first, second = body["results"]
    assert isinstance(first.pop("id"), int)
    assert first == {
        "timestamp": "2026-11-22T17:10:00.000Z",
        "resolution": 60,
        "pid": 1,
        "name": "p1",
        "cpu_percent": 60.0,
    }
    assert (second["timestamp"], second["pid"]) == ("2026-11-22T17:12:00.000Z", 2)


def test_the_step_is_auto_without_one(api, busy):
    body = api.get(ADDRESS, {"limit": 4}).json()
    assert (body["next"], {point["resolution"] for point in body["results"]}) == (None, {60})
    body = api.get(ADDRESS).json()
    assert {point["resolution"] for point in body["results"]} == {5}


def test_its_id_leads_to_the_process(api, busy):
    point = api.get(ADDRESS).json()["results"][0]
    assert api.get(f"/api/v1/processes/{point['id']}").json()["pid"] == point["pid"]


def test_start_end_and_order_choose_steps(api, busy):
    query = {"start": "2026-11-22T17:10:55Z", "end": "2026-11-22T17:12:05Z", "step": 5, "order": "desc"}
    assert [point["timestamp"][14:19] for point in api.get(ADDRESS, query).json()["results"]] == [
        *("12:05", "12:00", "10:55"),
    ]


def test_next_leads_to_the_steps_before(api, busy):
    newest = api.get(ADDRESS, {"step": 60, "limit": 1}).json()
    older = api.get(newest["next"]).json()
    assert [page["results"][0]["pid"] for page in (newest, older)] == [2, 1]
    assert older["next"] is None


def test_a_step_in_which_none_used_any_has_no_point(api, recorded):
    recorded.tick(processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 0.0}])
    assert api.get(ADDRESS).json()["results"] == []


def test_an_empty_range_is_empty(api, busy):
    assert api.get(ADDRESS, {"end": "2020-01-01"}).json()["count"] == 0


def test_csv_and_ndjson_have_a_row_for_each_step(api, busy):
    response = api.get(ADDRESS, {"format": "csv", "step": 60})
    lines = response.content.decode().splitlines()
    assert lines[0] == "timestamp,resolution,id,pid,name,cpu_percent"
    assert len(lines) == 3
    assert "sysmon-test-host-cpu-top.csv" in response.headers["Content-Disposition"]
    assert api.get(ADDRESS, {"format": "ndjson", "step": 60}).content.count(b"\n") == 2


def test_another_host_is_not_mixed_in(api, busy, other_host):
    other_host.tick(processes={"total": 1}, process=[{"pid": 9, "cpu_percent": 99.0}])
    assert api.get(ADDRESS, {"host": "other-host"}).json()["results"][0]["pid"] == 9
    assert 9 not in {point["pid"] for point in api.get(ADDRESS).json()["results"]}


def test_before_the_first_sample_it_is_unavailable(api, db):
    assert api.get(ADDRESS).status_code == 503


def test_an_unknown_host_is_404(api, busy):
    assert api.get(ADDRESS, {"host": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"step": "soon"}, "step"),
        ({"order": "up"}, "order"),
        ({"fields": "pid"}, "fields"),
        ({"sort_by": "cpu"}, "sort_by"),
        ({"start": "2026-11-23", "end": "2026-11-22"}, "start"),
    ],
)
def test_a_wrong_parameter_is_named(api, busy, parameters, wrong):
    response = api.get(ADDRESS, parameters)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [wrong]


def test_a_parameter_that_is_given_twice_is_refused(api, busy):
    assert api.get(f"{ADDRESS}?step=5&step=5").status_code == 400
