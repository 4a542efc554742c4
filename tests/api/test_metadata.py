"""GET /api/v1/families, /api/v1/hosts and /api/v1/cost"""

import os
import subprocess
import sys

import psutil
import pytest
from django.test import Client

from metrics.history.metadata import families, field_names
from metrics.models import CollectorState
from metrics.status.cost import memory_bytes
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


def test_a_host_says_what_of_it_is_not_seen(api, recorded):
    recorded.tick(cpu={"percent": 1.0}, processes={"total": 3})
    CollectorState.objects.filter(family="processes").update(message="only 3 processes are seen")
    [host] = api.get("/api/v1/hosts").json()["results"]
    expected = [{"family": "processes", "status": "ok", "message": "only 3 processes are seen"}]
    assert host["warnings"] == expected == api.get("/api/v1/health").json()["warnings"]


def test_before_the_first_sample_there_are_no_hosts(api, db):
    assert api.get("/api/v1/hosts").json() == {"count": 0, "results": []}


def test_the_cost_is_that_of_this_program_and_not_of_another_instance(api, recorded):
    command = "python manage.py up"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        recorded.tick(
            processes={"total": 4},
            process=[
                {"pid": os.getpid(), "command": command, "cpu_percent": 1.5, "rss_bytes": 2048},
                {"pid": child.pid, "command": "another", "cpu_percent": 0.25, "rss_bytes": 4096},
                {"pid": 999_999, "command": command, "cpu_percent": 20.0, "rss_bytes": 1 << 20},
                {"pid": 1, "command": command, "cpu_percent": 50.0, "rss_bytes": 1 << 20},
            ],
        )
        body = api.get("/api/v1/cost").json()
    finally:
        child.communicate(b"\n")
    assert body.pop("memory_bytes") > 1 << 20
    assert body == {
        "host": "test-host",
        "timestamp": "2026-11-22T17:10:00.000Z",
        "resolution": 5,
        "processes": 2,
        "cpu_percent": 1.75,
        "rss_bytes": 6144,
    }


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="only Linux tells shared pages apart")
def test_memory_that_is_shared_is_counted_once():
    held = bytearray(os.urandom(48 << 20))
    before = memory_bytes([psutil.Process()])
    read, write = os.pipe()
    children = [fork_that_waits(read, write) for _number in range(2)]
    try:
        together = memory_bytes([psutil.Process(), *map(psutil.Process, children)])
    finally:
        os.close(write)
        os.close(read)
        for pid in children:
            os.waitpid(pid, 0)
    assert len(held) == 48 << 20
    assert together < before + len(held), "three processes hold these pages together"


def fork_that_waits(read, write):
    """A process that shares all memory, and ends when the pipe is closed here."""
    if pid := os.fork():
        return pid
    os.close(write)
    os.read(read, 1)
    os._exit(0)


def test_a_system_that_tells_no_shares_tells_no_memory():
    class Elsewhere:
        def memory_full_info(self):
            return object()

    assert memory_bytes([Elsewhere()]) is None


def test_a_cost_that_was_not_recorded_is_null(api, recorded):
    recorded.tick(FIRST_TICK, processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 1.0}])
    body = api.get("/api/v1/cost").json()
    assert (body["host"], body["cpu_percent"], body["processes"]) == ("test-host", None, None)


def test_the_cost_is_known_where_command_lines_are_not_stored(api, recorded):
    recorded.tick(
        processes={"total": 2},
        process=[{"pid": pid, "command": None, "cpu_percent": 1.0} for pid in (os.getpid(), 999_999)],
    )
    assert api.get("/api/v1/cost").json()["processes"] == 1


def test_the_cost_of_a_machine_that_is_not_recorded_is_an_error(api, db):
    assert api.get("/api/v1/cost").status_code == 503


@pytest.mark.parametrize("name", ["families", "hosts", "cost"])
def test_access_parameters_and_methods_are_those_of_the_api(api, recorded, settings, name):
    recorded.tick(cpu={})
    assert api.get(f"/api/v1/{name}?x=1").status_code == 400
    assert api.post(f"/api/v1/{name}").status_code == 405
    settings.SYSMON_API_ACCESS = "authenticated"
    assert Client(headers={"host": "localhost"}).get(f"/api/v1/{name}").status_code == 401
