"""GET /api/v1/metrics/current"""

from metrics.history.metadata import families, series_families
from metrics.models.samples import sample_models
from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/metrics/current"
WHOLE_TICK = {
    "cpu": {"percent": 12.5, "per_core": [12.5]},
    "memory": {"total_bytes": 100},
    "disk": {"pressure_some_percent": 0.5},
    "partition": [{"device": "/dev/sda1", "mountpoint": "/", "fstype": "ext4"}],
    "device": [{"device": "sda"}],
    "interface": [{"interface": "lo", "is_up": True}],
    "processes": {"total": 3, "running": 1, "threads": 9},
    "process": [{"pid": 1, "cpu_percent": 1.0}, {"pid": 2, "cpu_percent": 2.0}],
}


def test_it_gives_every_family_at_the_newest_tick(api, recorded):
    recorded.tick(cpu={"percent": 1.0})
    recorded.tick(FIRST_TICK + 5, **WHOLE_TICK)
    body = api.get(ADDRESS).json()
    assert list(body) == ["host", "timestamp", "resolution", *series_families(), "processes"]
    assert (body["host"], body["timestamp"], body["resolution"]) == ("test-host", "2026-11-22T17:10:05.000Z", 5)
    assert (body["cpu"]["percent"], body["cpu"]["per_core"]) == (12.5, [12.5])
    assert body["disk"]["partitions"][0]["mountpoint"] == "/"
    assert body["network"]["interfaces"][0]["is_up"] is True
    assert (body["processes"]["total"], body["processes"]["count"]) == (3, 2)
    assert [process["pid"] for process in body["processes"]["results"]] == [2, 1]


def test_a_family_without_a_sample_at_that_tick_is_null(api, recorded):
    recorded.tick(**WHOLE_TICK)
    recorded.tick(FIRST_TICK + 5, cpu={"percent": 1.0}, disk={})
    body = api.get(ADDRESS).json()
    assert (body["memory"], body["network"], body["processes"]) == (None, None, None)
    assert body["disk"] == {
        "pressure_some_percent": None,
        "pressure_full_percent": None,
        "partitions": [],
        "devices": [],
    }


def test_a_tick_at_which_everything_failed_is_all_null(api, recorded):
    recorded.tick()
    body = api.get(ADDRESS).json()
    assert {family: body[family] for family in families()} == dict.fromkeys(families())


def test_host_chooses_another_machine(api, recorded, other_host):
    other_host.tick(cpu={"percent": 5.0})
    assert api.get(ADDRESS, {"host": "other-host"}).json()["cpu"]["percent"] == 5.0


def test_it_takes_few_queries(api, recorded, django_assert_max_num_queries):
    recorded.tick(**WHOLE_TICK)
    tables = list(sample_models())
    with django_assert_max_num_queries(3 + len(tables)):
        api.get(ADDRESS)


def test_before_the_first_sample_it_is_unavailable(api, recorded):
    response = api.get(ADDRESS)
    assert (response.status_code, response.json()["detail"]) == (503, "No sample has been recorded yet.")


def test_it_has_no_csv(api, recorded):
    recorded.tick(**WHOLE_TICK)
    assert "format" in api.get(ADDRESS, {"format": "csv"}).json()["errors"]
    assert api.get(ADDRESS, headers={"accept": "text/csv"}).status_code == 406


def test_a_limit_is_no_parameter_here(api, recorded):
    assert api.get(ADDRESS, {"limit": 5}).json()["errors"] == {"limit": ["There is no such parameter."]}
