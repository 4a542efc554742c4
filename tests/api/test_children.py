"""CPU of ended children, wherever processes are ranked by their CPU."""

import pytest

from metrics.models import NewestProcesses, Process, ProcessSample, ProcessTotals
from metrics.recording.culprits import culprits_of_tick
from metrics.recording.silences import notable
from metrics.retention.rollup import roll_up
from tests.conftest import FIRST_TICK

PROCESSES, TOP, PEAKS = "/api/v1/metrics/processes", "/api/v1/metrics/cpu/top", "/api/v1/metrics/cpu/peaks"


@pytest.fixture
def shell(recorded):
    """Half an hour beside a loop of short programs: `busy` used 40 %, the loop 1 % and its children 80 %."""
    loop = {"pid": 1, "name": "loop", "cpu_percent": 1.0, "children_cpu_percent": 80.0}
    busy = {"pid": 2, "name": "busy", "cpu_percent": 40.0, "children_cpu_percent": 0.0}
    for number in range(360):
        is_at_work = 60 <= number < 120
        recorded.tick(
            FIRST_TICK + 5 * number,
            cpu={"percent": 99.0 if is_at_work else 5.0},
            processes={"total": 2, "cpu_percent": 41.0, "children_cpu_percent": 80.0 if is_at_work else 0.0},
            process=[busy, loop] if is_at_work else [busy | {"cpu_percent": 2.0}],
        )
    return recorded


def cpu(process):
    return process["name"], process["cpu_percent"], process["children_cpu_percent"]


AT_WORK = FIRST_TICK + 300
RANGE = {"start": AT_WORK, "end": AT_WORK + 299}


@pytest.mark.parametrize("is_newest", [True, False])
def test_a_moment_is_ranked_by_the_sum(api, recorded, is_newest):
    busy = {"pid": 2, "name": "busy", "cpu_percent": 40.0, "children_cpu_percent": 0.0}
    loop = {"pid": 1, "name": "loop", "cpu_percent": None, "children_cpu_percent": 80.0}
    recorded.tick(processes={"total": 2}, process=[busy, loop])
    if not is_newest:
        recorded.tick(FIRST_TICK + 5, processes={"total": 0}, process=[])
    body = api.get(PROCESSES, {"at": FIRST_TICK}).json()
    assert [cpu(process) for process in body["results"]] == [("loop", None, 80.0), ("busy", 40.0, 0.0)]


def test_a_range_is_ranked_by_the_sum_and_its_seconds_are_those_of_both(api, shell):
    results = api.get(PROCESSES, RANGE).json()["results"]
    assert [(*cpu(process), process["cpu_seconds"]) for process in results] == [
        ("loop", 1.0, 80.0, 243.0),
        ("busy", 40.0, 0.0, 120.0),
    ]


def test_a_roll_up_keeps_the_means_of_both_and_ranks_by_their_sum(api, shell):
    roll_up(shell.host)
    for model in (ProcessSample, ProcessTotals):
        model.objects.filter(tier__lt=900).delete()
    results = api.get(PROCESSES, {"start": FIRST_TICK - 600, "end": FIRST_TICK + 1800}).json()["results"]
    assert [process["name"] for process in results] == ["loop", "busy"]
    loop = results[0]
    assert loop["children_cpu_percent"] == pytest.approx(80 / 6, abs=0.01)
    assert loop["cpu_seconds"] == pytest.approx(243, abs=0.5)


def test_all_others_of_a_roll_up_used_what_of_the_machine_neither_rows_nor_their_children_did(shell):
    shell.host.logical_cores = 2
    shell.host.save()
    roll_up(shell.host)
    [others] = ProcessSample.objects.filter(tier=60, timestamp=AT_WORK, process__pid=0)
    assert others.cpu_percent == pytest.approx(2 * 99.0 - 41.0 - 80.0)
    assert others.children_cpu_percent == 0


def test_the_lane_and_the_peaks_name_who_started_the_children(api, shell):
    [step] = api.get(TOP, RANGE | {"step": 300}).json()["results"]
    assert (step["name"], step["cpu_percent"]) == ("loop", 81.0)
    [peak] = api.get(PEAKS, {"limit": 1}).json()["results"]
    assert peak["processes"][0]["name"] == "loop"


def test_the_line_of_a_process_has_both(api, shell):
    pk = Process.objects.get(name="loop").pk
    point = api.get(f"/api/v1/processes/{pk}", {"limit": 1}).json()["results"][0]
    assert (point["cpu_percent"], point["children_cpu_percent"]) == (1.0, 80.0)


def test_an_event_names_who_started_the_children(recorded):
    idle = [{"pid": pid, "cpu_percent": pid / 10, "rss_bytes": 2048 * pid} for pid in range(10, 20)]
    recorded.tick(processes={"total": 11}, process=[*idle, {"pid": 1, "name": "make", "children_cpu_percent": 190.0}])
    culprits = culprits_of_tick(recorded.host, FIRST_TICK)
    [make] = [culprit for culprit in culprits if culprit.name == "make"]
    assert (make.cpu_percent, make.children_cpu_percent) == (None, 190.0)
    assert notable(culprits, None, 2) == "make used 190.0 % of CPU"


def test_the_newest_tick_of_a_version_that_knew_of_no_children_is_ranked(api, recorded):
    recorded.tick(processes={"total": 2}, process=[{"pid": 1, "cpu_percent": 5.0}, {"pid": 2, "cpu_percent": 9.0}])
    newest = NewestProcesses.objects.get()
    newest.rows = newest.rows.replace("children_cpu_percent", "unknown")
    newest.save()
    body = api.get(PROCESSES).json()
    assert [cpu(process) for process in body["results"]] == [("p2", 9.0, None), ("p1", 5.0, None)]
    assert [culprit.name for culprit in culprits_of_tick(recorded.host, FIRST_TICK)] == ["p1", "p2"]
