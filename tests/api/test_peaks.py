"""GET /api/v1/metrics/FAMILY/peaks"""

import pytest

from metrics.history.metadata import series_families
from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/metrics/cpu/peaks"


@pytest.fixture
def burst(recorded):
    """Ten minutes in which it is calm but for half a minute."""
    for number in range(120):
        is_high = 60 <= number < 66
        recorded.tick(
            FIRST_TICK + 5 * number,
            cpu={"percent": 90.0 + number / 10 if is_high else 5.0, "load_1": 1.0 + (number == 3)},
            processes={"total": 2},
            process=[
                {"pid": 1, "cpu_percent": 3.0, "rss_bytes": 1024},
                {"pid": 2, "name": "culprit", "cpu_percent": 350.0 if is_high else 1.0, "rss_bytes": 2048},
            ],
        )
    return recorded


def test_the_burst_is_one_episode_with_its_culprit(api, burst):
    body = api.get(ADDRESS).json()
    assert {name: value for name, value in body.items() if name != "results"} == {
        "metric": "cpu/peaks",
        "host": "test-host",
        "field": "percent",
        "unit": "percent",
        "count": 1,
    }
    [episode] = body["results"]
    assert episode.pop("processes")[0]["name"] == "culprit"
    assert episode == {
        "start": "2026-11-22T17:15:00.000Z",
        "end": "2026-11-22T17:15:30.000Z",
        "peak": 96.5,
        "peak_at": "2026-11-22T17:15:25.000Z",
        "resolution": 5,
        "mean": 96.25,
        "worst": None,
    }


def test_a_process_of_an_episode_says_what_it_used_in_it(api, burst):
    process = api.get(ADDRESS).json()["results"][0]["processes"][0]
    assert (process["cpu_percent"], process["cpu_seconds"]) == (350.0, 105.0)
    assert (process["first_seen"], process["last_seen"]) == ("2026-11-22T17:15:00.000Z", "2026-11-22T17:15:25.000Z")
    assert api.get(f"/api/v1/processes/{process['id']}").status_code == 200


def test_field_chooses_what_to_look_at(api, burst):
    body = api.get(ADDRESS, {"field": "load_1"}).json()
    assert (body["field"], body["unit"], body["results"][0]["peak"]) == ("load_1", "", 2.0)
    assert body["results"][0]["start"] == "2026-11-22T17:10:15.000Z"


def test_a_range_leaves_out_what_is_not_in_it(api, burst):
    assert api.get(ADDRESS, {"end": "2026-11-22T17:14:59Z"}).json()["results"] == []


def test_limit_is_how_many_episodes(api, burst):
    burst.tick(FIRST_TICK + 900, cpu={"percent": 50.0})
    assert [episode["peak"] for episode in api.get(ADDRESS).json()["results"]] == [96.5, 50.0]
    assert [episode["peak"] for episode in api.get(ADDRESS, {"limit": 1}).json()["results"]] == [96.5]


@pytest.mark.parametrize("family", series_families())
def test_every_family_has_peaks(api, recorded, family):
    recorded.ticks(1)
    body = api.get(f"/api/v1/metrics/{family}/peaks").json()
    assert (body["metric"], body["results"]) == (f"{family}/peaks", [])


def test_of_several_things_the_highest_counts(api, recorded):
    for number in range(9):
        rates = {"lo": 1.0, "eth0": 9000.0 if number == 4 else 5.0}
        rows = [{"interface": name, "received_bytes_per_second": rate} for name, rate in rates.items()]
        recorded.tick(FIRST_TICK + 5 * number, interface=rows)
    [episode] = api.get("/api/v1/metrics/network/peaks").json()["results"]
    assert (episode["peak"], episode["peak_at"]) == (9000.0, "2026-11-22T17:10:20.000Z")


def test_csv_has_a_row_for_each_process_of_each_episode(api, burst):
    lines = api.get(ADDRESS, {"format": "csv"}).content.decode().splitlines()
    assert lines[0].startswith("start,end,peak,peak_at,resolution,mean,id,pid,name,")
    assert len(lines) == 3
    assert ",culprit," in lines[1]


def test_an_episode_without_processes_is_a_row_too(api, recorded):
    for number in range(5):
        recorded.tick(FIRST_TICK + 5 * number, cpu={"percent": 90.0 if number == 2 else 5.0})
    assert api.get(ADDRESS, {"format": "csv"}).content.decode().count("\n") == 2
    assert api.get(ADDRESS, {"format": "ndjson"}).content.count(b"\n") == 1


def test_commands_are_hidden_where_everybody_may_read(api, burst, settings):
    assert api.get(ADDRESS).json()["results"][0]["processes"][0]["command"] == "p2 --run"
    settings.SYSMON_API_ACCESS = "public"
    assert api.get(ADDRESS).json()["results"][0]["processes"][0]["command"] is None


def test_another_host_is_not_mixed_in(api, burst, other_host):
    other_host.ticks(3)
    assert api.get(ADDRESS, {"host": "other-host"}).json()["results"][0]["peak"] == 2.0
    assert api.get(ADDRESS).json()["count"] == 1


def test_before_the_first_sample_it_is_unavailable(api, db):
    assert api.get(ADDRESS).status_code == 503


def test_an_unknown_host_or_family_is_404(api, burst):
    assert api.get(ADDRESS, {"host": "nobody"}).status_code == 404
    assert api.get("/api/v1/metrics/processes/peaks").status_code == 404
    assert api.get("/api/v1/metrics/weather/peaks").status_code == 404


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"field": "nonsense"}, "field"),
        ({"field": "per_core"}, "field"),
        ({"field": "percent_max"}, "field"),
        ({"step": 5}, "step"),
        ({"order": "asc"}, "order"),
        ({"start": "2026-11-23", "end": "2026-11-22"}, "start"),
        ({"format": "xml"}, "format"),
    ],
)
def test_a_wrong_parameter_is_named(api, burst, parameters, wrong):
    response = api.get(ADDRESS, parameters)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [wrong]


def test_a_field_that_is_not_there_is_named(api, burst):
    assert api.get(ADDRESS, {"field": "nonsense"}).json()["errors"]["field"] == ['"nonsense" is not a valid choice.']


def test_a_parameter_that_is_given_twice_is_refused(api, burst):
    assert api.get(f"{ADDRESS}?limit=5&limit=5").status_code == 400
