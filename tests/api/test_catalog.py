"""GET /api/v1/families, /api/v1/hosts and /api/v1/cost"""

import os

import pytest
from django.test import Client

from metrics.history.catalogue import families, field_names
from tests.conftest import FIRST_TICK


def test_every_family_is_described(api, db):
    body = api.get("/api/v1/families").json()
    assert [family["name"] for family in body["results"]] == families()
    assert body["count"] == len(families())
    assert [family["name"] for family in body["results"] if not family["is_series"]] == ["processes"]


def test_a_field_says_name_unit_kind_and_help(api, db):
    cpu = api.get("/api/v1/families").json()["results"][0]
    assert cpu["tables"][0]["columns"][0] == {
        "name": "percent",
        "title": "CPU usage",
        "unit": "percent",
        "kind": "rate",
        "type": "float",
        "help": "CPU time in use, of all cores together",
        "has_maximum": True,
    }
    assert (cpu["tables"][0]["headline"], cpu["tables"][0]["collection"]) == ("percent", "")


def test_every_field_that_is_described_can_be_asked_for(api, db):
    for family in api.get("/api/v1/families").json()["results"]:
        if family["is_series"]:
            names = [column["name"] for table in family["tables"] for column in table["columns"]]
            assert set(names) <= set(field_names(family["name"]))


def test_a_list_says_how_it_is_called_and_what_tells_its_things_apart(api, db):
    network = next(one for one in api.get("/api/v1/families").json()["results"] if one["name"] == "network")
    assert (network["tables"][0]["collection"], network["tables"][0]["key"]) == ("interfaces", ["interface"])


def test_help_is_in_the_language_of_the_request(api, db):
    cpu = api.get("/api/v1/families", headers={"accept-language": "ko"}).json()["results"][0]
    assert cpu["tables"][0]["columns"][0]["help"] == "모든 코어를 합쳐 사용 중인 CPU 시간"


def test_a_host_has_its_facts_and_its_newest_tick(api, recorded, other_host):
    recorded.tick(cpu={"percent": 1.0})
    body = api.get("/api/v1/hosts").json()
    assert body["count"] == 2
    other, here = body["results"]
    assert (other["name"], other["is_this_machine"], other["newest_tick"]) == ("other-host", False, None)
    assert (here["name"], here["is_this_machine"]) == ("test-host", True)
    assert (here["newest_tick"], here["interval_seconds"]) == ("2026-11-22T17:10:00.000Z", 5)
    assert here["booted_at"] == "2026-11-21T17:10:00.000Z"


def test_a_host_is_recording_while_its_newest_tick_is_new(api, recorded, other_host, at_noon):
    recorded.tick(cpu={"percent": 1.0})
    other_host.tick(FIRST_TICK - 20, cpu={"percent": 1.0})
    hosts = {host["name"]: host["is_recording"] for host in api.get("/api/v1/hosts").json()["results"]}
    assert hosts == {"test-host": True, "other-host": False}


def test_before_the_first_sample_there_are_no_hosts(api, db):
    assert api.get("/api/v1/hosts").json() == {"count": 0, "results": []}


def test_the_cost_is_that_of_every_process_with_our_command_line(api, recorded):
    command = "python manage.py up"
    recorded.tick(
        processes={"total": 3},
        process=[
            {"pid": os.getpid(), "command": command, "cpu_percent": 1.5, "rss_bytes": 2048},
            {"pid": 2, "command": command, "cpu_percent": 0.25, "rss_bytes": 4096},
            {"pid": 3, "command": "another", "cpu_percent": 50.0, "rss_bytes": 1 << 20},
        ],
    )
    assert api.get("/api/v1/cost").json() == {
        "host": "test-host",
        "timestamp": "2026-11-22T17:10:00.000Z",
        "resolution": 5,
        "processes": 2,
        "cpu_percent": 1.75,
        "rss_bytes": 6144,
    }


def test_a_cost_that_was_not_recorded_is_null(api, recorded):
    recorded.tick(FIRST_TICK, processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 1.0}])
    body = api.get("/api/v1/cost").json()
    assert (body["host"], body["cpu_percent"], body["processes"]) == ("test-host", None, None)


def test_without_command_lines_nothing_is_taken_for_ours(api, recorded):
    recorded.tick(
        processes={"total": 2},
        process=[{"pid": pid, "command": None, "cpu_percent": 1.0} for pid in (os.getpid(), 2)],
    )
    assert api.get("/api/v1/cost").json()["processes"] is None


def test_the_cost_of_a_machine_that_is_not_recorded_is_an_error(api, db):
    assert api.get("/api/v1/cost").status_code == 503


@pytest.mark.parametrize("name", ["families", "hosts", "cost"])
def test_access_parameters_and_methods_are_those_of_the_api(api, recorded, settings, name):
    recorded.tick(cpu={})
    assert api.get(f"/api/v1/{name}?x=1").status_code == 400
    assert api.post(f"/api/v1/{name}").status_code == 405
    settings.SYSMON_API_ACCESS = "authenticated"
    assert Client(headers={"host": "localhost"}).get(f"/api/v1/{name}").status_code == 401
