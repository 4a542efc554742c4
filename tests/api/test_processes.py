"""GET /api/v1/metrics/processes"""

import pytest

from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/metrics/processes"


@pytest.fixture
def busy(recorded):
    """Two ticks: at the first `1` is the busiest, at the second `2`."""
    recorded.tick(
        FIRST_TICK,
        processes={"total": 200},
        process=[
            {"pid": 1, "cpu_percent": 90.0, "rss_bytes": 1_048_576, "read_bytes_per_second": 1.0, "status": "running"},
            {"pid": 2, "cpu_percent": 10.0, "rss_bytes": 2_097_152, "write_bytes_per_second": 9.0, "threads": 4},
        ],
    )
    recorded.tick(
        FIRST_TICK + 5,
        processes={"total": 210},
        process=[
            {"pid": 2, "cpu_percent": 50.0, "rss_bytes": 4_194_304, "status": "sleeping"},
            {"pid": 3, "cpu_percent": 20.0, "rss_bytes": 1_048_576},
        ],
    )
    return recorded


def pids(body):
    return [process["pid"] for process in body["results"]]


def test_it_ranks_the_newest_tick_by_cpu(api, busy):
    body = api.get(ADDRESS).json()
    assert {name: body[name] for name in body if name != "results"} == {
        "metric": "processes",
        "host": "test-host",
        "timestamp": "2026-11-22T17:10:05.000Z",
        "resolution": 5,
        "sort_by": "cpu",
        "total": 210,
        "count": 2,
        "worst": None,
    }
    assert pids(body) == [2, 3]


def test_a_process_has_every_field(api, busy):
    process = api.get(ADDRESS, {"limit": 1}).json()["results"][0]
    assert isinstance(process.pop("id"), int)
    assert process == {
        "pid": 2,
        "name": "p2",
        "username": "root",
        "status": "sleeping",
        "cpu_percent": 50.0,
        "children_cpu_percent": None,
        "memory_percent": None,
        "rss_bytes": 4_194_304,
        "read_bytes_per_second": None,
        "write_bytes_per_second": None,
        "threads": None,
        "started_at": "2026-11-21T17:10:10.000Z",
        "command": "p2 --run",
    }


def test_at_goes_back_to_the_tick_before(api, busy):
    body = api.get(ADDRESS, {"at": "2026-11-22T17:10:04.9Z"}).json()
    assert (body["timestamp"], body["total"], pids(body)) == ("2026-11-22T17:10:00.000Z", 200, [1, 2])


def test_at_finds_no_tick_that_is_older_than_its_resolution(api, busy):
    assert api.get(ADDRESS, {"at": "2026-11-22T17:10:10Z"}).json()["count"] == 2
    body = api.get(ADDRESS, {"at": "2026-11-22T17:10:10.001Z"}).json()
    assert (body["timestamp"], body["total"], body["count"], body["results"]) == (None, None, 0, [])


def test_at_before_the_first_tick_is_empty(api, busy):
    response = api.get(ADDRESS, {"at": "2020-01-01"})
    assert (response.status_code, response.json()["results"]) == (200, [])


@pytest.mark.parametrize(("sort_by", "expected"), [("cpu", [1, 2]), ("memory", [2, 1]), ("io", [2, 1])])
def test_sort_by_chooses_the_order(api, busy, sort_by, expected):
    body = api.get(ADDRESS, {"at": "2026-11-22T17:10:00Z", "sort_by": sort_by}).json()
    assert (body["sort_by"], pids(body)) == (sort_by, expected)


def test_a_range_ranks_by_the_mean(api, busy):
    body = api.get(ADDRESS, {"start": "2026-11-22"}).json()
    assert (body["timestamp"], body["resolution"], body["total"]) == ("2026-11-22T17:10:00.000Z", 10, 210)
    assert [(process["pid"], process["cpu_percent"]) for process in body["results"]] == [
        (1, 45.0),
        (2, 30.0),
        (3, 10.0),
    ]


def test_a_process_of_a_range_says_what_it_used_and_when_it_was_seen(api, busy):
    process = api.get(ADDRESS, {"start": "2026-11-22", "limit": 2}).json()["results"][1]
    assert process["pid"] == 2
    assert {
        name: process[name]
        for name in ("cpu_seconds", "rss_bytes", "rss_bytes_max", "first_seen", "last_seen", "status", "threads")
    } == {
        "cpu_seconds": 3.0,
        "rss_bytes": 3_145_728,
        "rss_bytes_max": 4_194_304,
        "first_seen": "2026-11-22T17:10:00.000Z",
        "last_seen": "2026-11-22T17:10:05.000Z",
        "status": "sleeping",
        "threads": 2,
    }


def test_the_newest_tick_has_more_than_what_is_kept_of_older_ones(api, recorded):
    quiet = [{"pid": pid, "cpu_percent": 1.0, "rss_bytes": pid * 1024, "is_kept": pid > 90} for pid in range(1, 101)]
    recorded.tick(FIRST_TICK, processes={"total": 100}, process=quiet)
    for newest in ({}, {"at": "2026-11-22T17:10:04Z"}):
        assert pids(api.get(ADDRESS, {"limit": 100, **newest}).json()) == list(range(100, 0, -1))
    assert pids(api.get(ADDRESS, {"limit": 3, "sort_by": "memory"}).json()) == [100, 99, 98]
    recorded.tick(FIRST_TICK + 5, processes={"total": 1}, process=[{"pid": 1, "cpu_percent": 1.0}])
    assert pids(api.get(ADDRESS, {"limit": 100}).json()) == [1]
    older = api.get(ADDRESS, {"limit": 100, "at": "2026-11-22T17:10:04Z"}).json()
    assert pids(older) == list(range(100, 90, -1))


@pytest.mark.parametrize("sort_by", ["cpu", "memory", "io"])
def test_the_newest_tick_is_told_as_it_will_be_when_it_is_an_older_one(api, busy, sort_by):
    asked = {"at": "2026-11-22T17:10:05Z", "sort_by": sort_by}
    newest = api.get(ADDRESS, asked).json()
    assert newest["count"] == 2
    busy.tick(FIRST_TICK + 10, processes={"total": 1}, process=[{"pid": 9}])
    assert api.get(ADDRESS, asked).json() == newest


def test_an_empty_range_is_empty(api, busy):
    body = api.get(ADDRESS, {"end": "2020-01-01"}).json()
    assert (body["timestamp"], body["resolution"], body["count"]) == (None, None, 0)


def test_a_pid_that_is_used_again_is_another_process(api, busy):
    busy.tick(FIRST_TICK + 10, processes={"total": 1}, process=[{"pid": 2, "start_seconds": 99.0, "cpu_percent": 1.0}])
    body = api.get(ADDRESS, {"start": "2026-11-22"}).json()
    twins = [process for process in body["results"] if process["pid"] == 2]
    assert len({process["id"] for process in twins}) == 2
    assert {process["started_at"] for process in twins} == {"2026-11-21T17:10:10.000Z", "2026-11-21T17:11:39.000Z"}


@pytest.mark.parametrize("extra", [{}, {"start": "2026-11-22"}])
def test_a_hundred_processes_take_few_queries(api, recorded, django_assert_max_num_queries, extra):
    recorded.tick(processes={"total": 120}, process=[{"pid": pid, "cpu_percent": pid} for pid in range(1, 121)])
    with django_assert_max_num_queries(6):
        body = api.get(ADDRESS, {"limit": 100, **extra}).json()
    assert body["count"] == 100
    assert pids(body)[0] == 120


def test_csv_has_a_row_for_each_process(api, busy):
    lines = api.get(ADDRESS, {"format": "csv", "at": "2026-11-22T17:10:00Z"}).content.decode().splitlines()
    assert lines[0].startswith("timestamp,resolution,id,pid,name,username,status,cpu_percent,")
    assert lines[1].startswith("2026-11-22T17:10:00.000Z,5,")
    assert len(lines) == 3


def test_csv_of_a_range_has_the_columns_of_a_range(api, busy):
    head = api.get(ADDRESS, {"format": "csv", "end": "2020-01-01"}).content.decode().splitlines()
    assert head[0].endswith(",command,cpu_seconds,rss_bytes_max,first_seen,last_seen")
    assert len(head) == 1


def test_ticks_without_processes_give_an_empty_answer(api, recorded):
    recorded.ticks(1)
    body = api.get(ADDRESS).json()
    assert (body["timestamp"], body["results"]) == (None, [])


def test_before_the_first_sample_it_is_unavailable(api, db):
    assert api.get(ADDRESS).status_code == 503


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"sort_by": "name"}, "sort_by"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-11-22", "start": "2026-11-22"}, "at"),
        ({"at": "2026-11-22", "end": "2026-11-22"}, "at"),
        ({"start": "2026-11-23", "end": "2026-11-22"}, "start"),
        ({"step": 5}, "step"),
        ({"order": "asc"}, "order"),
    ],
)
def test_a_wrong_parameter_is_named(api, busy, parameters, wrong):
    response = api.get(ADDRESS, parameters)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [wrong]


@pytest.fixture
def crowd(recorded):
    """Two ticks of processes whose names, users and command lines tell them apart; the busiest come first."""
    processes = [
        {"pid": 4100 + n, "name": f"worker-{n}", "command": f"worker --number {n}", "cpu_percent": 90.0 - n}
        for n in range(20)
    ]
    odd = [
        {"pid": 77, "name": "bash", "username": "jin", "command": "-bash", "cpu_percent": 0.1},
        {"pid": 78, "name": "100%_cpu\\", "username": None, "command": None, "cpu_percent": 0.2},
        {"pid": 79, "name": "파이썬", "username": "Élodie", "command": "python --token=***", "cpu_percent": 0.3},
    ]
    for number in range(2):
        recorded.tick(FIRST_TICK + 5 * number, processes={"total": 300}, process=[*processes, *odd])
    return recorded


MOMENTS = {
    "newest": {},
    "tick": {"at": "2026-11-22T17:10:00Z"},
    "range": {"start": "2026-11-22T17:10:00Z", "end": "2026-11-22T17:10:10Z"},
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("bash", [77]),
        ("BASH", [77]),
        ("jin", [77]),
        ("77", [77]),
        ("%", [78]),
        ("100%_", [78]),
        ("_", [78]),
        ("\\", [78]),
        ("파이", [79]),
        ("Élo", [79]),
        ("token=", [79]),
        ("number 1", [4101, 4110, 4111, 4112, 4113, 4114, 4115, 4116, 4117, 4118, 4119]),
        ("nothing", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_search_finds_all_that_is_kept_whatever_the_limit(api, crowd, moment, search, expected):
    body = api.get(ADDRESS, {**MOMENTS[moment], "search": search, "limit": 20}).json()
    assert pids(body) == expected
    assert (body["count"], body["total"]) == (len(expected), 300)
    assert pids(api.get(ADDRESS, {**MOMENTS[moment], "search": search, "limit": 1}).json()) == expected[:1]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_search_tells_nobody_what_stands_in_a_command_line_that_he_may_not_see(api, crowd, settings, moment):
    settings.SYSMON_API_ACCESS = "public"
    body = api.get(ADDRESS, {**MOMENTS[moment], "search": "number"}).json()
    assert (pids(body), body["total"]) == ([], 300)
    assert pids(api.get(ADDRESS, {**MOMENTS[moment], "search": "bash"}).json()) == [77]


@pytest.mark.parametrize("search", ["", " ", "x" * 101, "a\x00b"])
def test_a_search_that_cannot_be_is_named(api, crowd, search):
    response = api.get(ADDRESS, {"search": search})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["search"]
