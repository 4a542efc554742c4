"""`migrate`, and then nothing but django-q2's `qcluster`: every tick is recorded, and it ends when it is told to."""

import itertools
import os
import signal
import time

import psutil
import pytest

from tests.other_project.project import AS_THE_HINTS_SAY, OtherProject
from tests.supervision.running import eventually

pytestmark = pytest.mark.live

TASKS = """
def sell(what):
    return f"sold {what}"
"""
SELL = """
from django_q.tasks import async_task
print(json.dumps(async_task("shop.tasks.sell", "tea", hook=None)))
"""
# The first run begins at once, the second one when django-q2 looks at its schedules for the first time.
HAND_OVER_SECONDS = 45


@pytest.fixture(params=["as it is", "as the hints say"])
def project(request, tmp_path):
    hints = AS_THE_HINTS_SAY if request.param == "as the hints say" else ""
    made = OtherProject(tmp_path / "project", settings=hints, on_server=True)
    (made.directory / "shop" / "tasks.py").write_text(TASKS)
    migrated = made.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    yield made
    made.end()


def gaps(ticks):
    return [(before, after) for before, after in itertools.pairwise(ticks) if after - before != 1]


def recorder(project):
    return project.database.query("SELECT pid FROM metrics_recorder")[0][0]


def test_every_tick_is_recorded_across_hand_overs_and_others_tasks_run(project):
    project.start("qcluster")
    ticks = project.await_ticks(5)
    first = recorder(project)
    sold = project.ask(SELL)
    assert eventually(lambda: recorder(project) != first, HAND_OVER_SECONDS), project.log("qcluster")
    ticks = project.await_ticks(5)
    assert gaps(ticks) == []
    found = eventually(lambda: project.database.query("SELECT id, func, success FROM django_q_task"), 10)
    assert [row[:2] for row in found] == [(sold, "shop.tasks.sell")]


def test_a_recorder_that_is_killed_is_replaced_at_once(project):
    project.start("qcluster")
    project.await_ticks(3)
    killed = recorder(project)
    psutil.Process(killed).kill()
    began = time.monotonic()
    ticks = project.await_ticks(3)
    assert time.monotonic() - began < 15
    assert recorder(project) != killed
    assert all(after - before <= 6 for before, after in gaps(ticks))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_ends_within_ten_seconds_in_the_middle_of_a_run(project, number):
    cluster = project.start("qcluster")
    project.await_ticks(3)
    processes = psutil.Process(cluster.pid).children(recursive=True)
    if number == signal.SIGINT:
        os.killpg(cluster.pid, number)
    else:
        cluster.send_signal(number)
    assert cluster.wait(timeout=10) == 0, project.log("qcluster")
    assert [process for process in processes if process.is_running()] == []
    [(released,)] = project.database.query("SELECT released_at FROM metrics_recorder")
    assert released


def test_a_cluster_whose_sentinel_was_killed_says_so(project):
    cluster = project.start("qcluster")
    project.await_ticks(1)
    [sentinel] = psutil.Process(cluster.pid).children()
    sentinel.kill()
    assert cluster.wait(timeout=10) == 1
    assert "the cluster's own process was killed" in project.log("qcluster")
