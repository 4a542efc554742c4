"""What a wrong clock wrote, in 2099 or in 1970: it is stored, shown to whoever asks for it, and nowhere the newest."""

import json
import time
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from metrics.history import present
from metrics.models import CpuSample, ForwardCursor, Process
from metrics.retention.rollup import roll_up
from metrics.status.forwarding import read_forwarding
from tests.admin.conftest import list_path, text_of
from tests.conftest import FIRST_TICK

AHEAD, STRAY = 4_070_908_800, 100  # 2099-01-01, and a board without a battery in its second minute
NEWEST = FIRST_TICK + 55
PRESENT = [FIRST_TICK + 5 * n for n in range(12)]


def families(percent):
    return {
        "cpu": {"percent": percent},
        "memory": {"percent": percent},
        "disk": {"pressure_some_percent": percent},
        "partition": [{"device": "/dev/sda1", "mountpoint": "/", "percent": percent}],
        "interface": [{"interface": "eth0", "received_bytes_per_second": percent}],
        "processes": {"total": 1},
        "process": [{"pid": 1, "cpu_percent": percent}],
    }


@pytest.fixture
def three_clocks(recorded, monkeypatch):
    """Ticks of 1970, of the present and of 2099, stored in that order and rolled up; now is right after the present."""
    monkeypatch.setattr(time, "time", lambda: NEWEST + 2.0)
    for number in range(3):
        recorded.tick(STRAY + 5 * number, **families(30.0))
    for number, timestamp in enumerate(PRESENT):
        recorded.tick(timestamp, **families(10.0 + number))
    for number in range(4):
        recorded.tick(AHEAD + 5 * number, **families(90.0))
    roll_up(recorded.host)
    return recorded.host


def moments(answer):
    """Every time in an answer, however deep, but for when things began and for the addresses of pages."""
    if isinstance(answer, dict):
        return [m for name, value in answer.items() if name not in {"started_at", "booted_at"} for m in moments(value)]
    if isinstance(answer, list):
        return [moment for value in answer for moment in moments(value)]
    return [answer] if isinstance(answer, str) and answer[:2] in {"19", "20"} and "T" in answer else []


SERIES = [f"metrics/{family}" for family in ("cpu", "memory", "disk", "network")]
ENDPOINTS = [
    "metrics/current",
    *(f"{path}{query}" for path in SERIES for query in ("", "?limit=1", "?order=desc", "?step=auto", "?step=60")),
    *(f"{path}/peaks" for path in SERIES),
    "metrics/cpu/top",
    "metrics/cpu/top?step=60&limit=2",
    "metrics/processes",
    "metrics/processes?end=2026-12-01",
    "metrics/processes?start=2026-01-01",
    "processes/PROCESS",
    "processes/PROCESS?step=auto",
    "hosts",
]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_no_answer_reaches_into_the_time_of_a_wrong_clock(three_clocks, api, path):
    path = path.replace("PROCESS", str(Process.objects.values_list("pk", flat=True).first()))
    answer = api.get(f"/api/v1/{path}").json()
    found = moments(answer)
    assert found, answer
    assert {moment[:4] for moment in found} == {"2026"}, answer


@pytest.mark.parametrize(
    "path", ["metrics/current", "metrics/cpu?limit=1", "metrics/processes", "metrics/cpu?limit=1&step=5"]
)
def test_the_newest_is_that_of_now(three_clocks, api, path):
    answer = api.get(f"/api/v1/{path}").json()
    timestamp = answer.get("timestamp") or answer["results"][0]["timestamp"]
    assert timestamp == "2026-11-22T17:10:55.000Z"


@pytest.mark.parametrize("family", ["cpu", "memory", "disk", "network"])
def test_an_automatic_step_is_that_of_the_present(three_clocks, api, family):
    results = api.get(f"/api/v1/metrics/{family}?step=auto&limit=100").json()["results"]
    assert [point["resolution"] for point in results] == [5] * 12


@pytest.mark.parametrize(("limit", "pages"), [(5, [5, 5, 2]), (12, [12]), (100, [12])])
@pytest.mark.parametrize("step", ["", "&step=5"])
def test_the_last_page_of_the_present_is_the_last_one(three_clocks, api, limit, pages, step):
    address, found = f"/api/v1/metrics/cpu?limit={limit}{step}", []
    while address:
        answer = api.get(address).json()
        found.append(answer["count"])
        address = answer["next"]
    assert found == pages


@pytest.mark.parametrize("path", [*SERIES, "metrics/cpu/top", "metrics/processes"])
@pytest.mark.parametrize(
    ("query", "year"),
    [
        ("start=2098-01-01", "2099"),
        ("start=2098-01-01&end=2100-01-01", "2099"),
        ("end=1971-01-01", "1970"),
        ("start=1970-01-01&end=1970-01-02", "1970"),
    ],
)
def test_whoever_asks_for_such_a_time_sees_it(three_clocks, api, path, query, year):
    answer = api.get(f"/api/v1/{path}?{query}").json()
    # Of processes the start of the range: their own times are never before they were started.
    found = moments(answer["results"]) if "timestamp" not in answer else [answer["timestamp"]]
    assert {moment[:4] for moment in found} == {year}


def test_a_moment_ahead_has_its_processes(three_clocks, api):
    answer = api.get("/api/v1/metrics/processes?at=2099-01-01T00:00:07").json()
    assert answer["timestamp"] == "2099-01-01T00:00:05.000Z"


def test_whoever_asks_for_all_of_it_gets_all_of_it(three_clocks, api):
    results = api.get("/api/v1/metrics/cpu?start=1970-01-01&end=2100-01-01").json()["results"]
    assert len(results) == 3 + 12 + 4


def test_roll_ups_of_the_present_are_not_hidden_by_a_tick_of_1970(recorded, api, monkeypatch):
    """The raw tier does not tell of everything since 1970 because it has a row of then."""
    monkeypatch.setattr(time, "time", lambda: NEWEST + 2.0)
    before = [FIRST_TICK - 3600 + 60 * n for n in range(30)]
    CpuSample.objects.bulk_create(
        CpuSample(host=recorded.host, tier=60, timestamp=at, resolution=60, points=12, covered_seconds=60)
        for at in before
    )
    recorded.ticks(3)
    assert len(api.get("/api/v1/metrics/cpu").json()["results"]) == 33
    recorded.tick(STRAY, cpu={"percent": 1.0})
    assert len(api.get("/api/v1/metrics/cpu").json()["results"]) == 33
    assert len(api.get("/api/v1/metrics/cpu?end=2026-11-22T16:20").json()["results"]) == 11


def test_a_board_that_is_still_in_1970_shows_what_it_records(recorded, api, monkeypatch):
    recorded.ticks(3)
    monkeypatch.setattr(time, "time", lambda: STRAY + 12.0)
    for number in range(3):
        recorded.tick(STRAY + 5 * number, cpu={"percent": 1.0})
    assert api.get("/api/v1/metrics/current").json()["timestamp"] == "1970-01-01T00:01:50.000Z"
    assert {m[:4] for m in moments(api.get("/api/v1/metrics/cpu").json()["results"])} == {"1970"}


def test_a_machine_that_was_off_for_a_year_has_one_history(recorded, api):
    recorded.tick(FIRST_TICK - 365 * 86_400, cpu={"percent": 1.0})
    recorded.ticks(2)
    assert len(api.get("/api/v1/metrics/cpu").json()["results"]) == 3


def test_nothing_but_ticks_ahead_is_no_history_and_no_error(recorded, api, at_noon):
    recorded.tick(AHEAD, **families(1.0))
    assert api.get("/api/v1/metrics/current").status_code == 503
    answer = api.get("/api/v1/metrics/cpu")
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_what_was_made_json_once_is_asked_for_as_well(three_clocks, api):
    """The second time the points come from the cache."""
    first, second = (api.get("/api/v1/metrics/cpu?limit=3").content for _time in range(2))
    assert first == second
    assert b"2026-11-22T17:10:55" in first


def test_the_steps_of_the_newest_minutes_are_whole_while_something_lies_ahead(three_clocks, api):
    """The roll-ups have not come as far as 2099: what is newer than they are is read from the raw ticks."""
    [*_, newest] = api.get("/api/v1/metrics/cpu?step=60").json()["results"]
    assert newest["percent"] == pytest.approx(15.5)


def test_exporters_show_the_tick_of_now(three_clocks, api):
    text = api.get("/metrics").content.decode()
    [line] = [line for line in text.splitlines() if line.startswith("node_time_seconds ")]
    assert int(float(line.split()[1])) == NEWEST


def test_the_terminal_shows_the_tick_of_now(three_clocks, capsys):
    call_command("top", as_json=True)
    assert json.loads(capsys.readouterr().out)["timestamp"] == "2026-11-22T17:10:55.000Z"


def test_a_destination_is_not_sent_what_lies_ahead(three_clocks, settings):
    from metrics.history.ticks import ticks_after

    assert [tick.timestamp for tick in ticks_after(three_clocks, 0, 100)][-1] == NEWEST
    settings.SYSMON_FORWARD_URL = [SimpleNamespace(name="far")]
    ForwardCursor.objects.create(host=three_clocks, destination="far", newest=AHEAD, last_tick=10**6)
    [state] = read_forwarding(three_clocks)
    assert (state["newest_tick"], state["lag_seconds"]) == (None, 0.0)


@pytest.mark.parametrize("last", ["", "?last=hour"])
def test_the_admin_lists_the_newest_of_now_first_and_what_lies_ahead_by_itself(three_clocks, admin_client, last):
    text = text_of(admin_client.get(f"{list_path(CpuSample)}{last}"))
    assert "2026-11-22" in text
    assert "2099-01-01" not in text
    ahead = text_of(admin_client.get(f"{list_path(CpuSample)}?last=ahead"))
    assert "2099-01-01" in ahead
    assert "2026-11-22" not in ahead


def test_the_admin_shows_a_tick_ahead_to_whoever_asks_for_it(three_clocks, admin_client):
    assert "2099-01-01" in text_of(admin_client.get(f"{list_path(CpuSample)}?tick={AHEAD}"))
    assert "2099-01-01" in text_of(admin_client.get(f"{list_path(CpuSample)}?from=2098-01-01"))


def test_a_history_without_strays_costs_one_question(recorded, django_assert_num_queries):
    recorded.ticks(3)
    with django_assert_num_queries(1):
        assert present.history_begins(recorded.host.pk, NEWEST) is None
