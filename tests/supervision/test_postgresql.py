"""Two machines on one PostgreSQL: two real `up`, each under a name of its own, and a server that goes away."""

import itertools
import os
import signal
import time
from contextlib import suppress
from functools import partial

import psutil
import psycopg
import pytest

from tests.postgresql import running
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]
NAMES = ("alpha", "beta")
SECRET = {"SYSMON_SECRET_KEY": "one for all machines"}


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def machines(server, tmp_path_factory):
    """Both start at once on an empty database."""
    address = server.create_database("sysmon")
    directory = tmp_path_factory.mktemp("machines")
    both = [Up(directory / name, DATABASE_URL=address, SYSMON_HOSTNAME=name, **SECRET) for name in NAMES]
    for machine in both:
        machine.launch()
    for machine in both:
        machine.await_start()
    yield both
    for machine in both:
        machine.end_for_sure()


@pytest.fixture
def ask(server):
    """Rows of the database that both share."""

    def ask(sql):
        with psycopg.connect(server.url("sysmon")) as connection:
            return connection.execute(sql).fetchall()

    return ask


@pytest.fixture
def ticks(ask):
    """The times of a machine's ticks."""

    def ticks(name):
        sql = f"SELECT t.timestamp FROM metrics_tick t JOIN metrics_host h ON h.id = t.host_id WHERE h.name = '{name}'"
        return sorted(row[0] for row in ask(sql))

    return ticks


def is_healthy(machine):
    return machine.get("/api/v1/health")[0] == 200


def signal_all(processes, number):
    """One that was about to end as it was found is no longer there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def names_of(machine):
    return {host["name"]: host for host in machine.get("/api/v1/hosts")[1]["results"]}


def test_each_records_itself_under_its_own_name(machines, ticks):
    assert eventually(lambda: all(len(ticks(name)) >= 3 for name in NAMES), 20)


def test_none_of_them_complains_of_the_secret_key_that_they_share(machines):
    assert [machine for machine in machines if "secret key" in machine.log.read_text()] == []


def test_each_reads_the_other(machines):
    for machine, other in (machines, machines[::-1]):
        assert eventually(partial(is_healthy, machine), 20)
        name = other.environment["SYSMON_HOSTNAME"]
        status, current = machine.get(f"/api/v1/metrics/current?host={name}")
        assert (status, current["host"]) == (200, name)
        assert set(names_of(machine)) == set(NAMES)


def test_each_has_its_own_rows_in_the_schedule(machines, ask):
    rows = ask("SELECT cluster, COUNT(*) FROM django_q_schedule GROUP BY cluster")
    assert {cluster for cluster, _count in rows} == set(NAMES)
    assert len({count for _cluster, count in rows}) == 1


def test_a_server_that_goes_away_costs_no_tick_and_answers_say_so(machines, server, ticks):
    one = machines[0]
    assert eventually(lambda: len(ticks("alpha")) >= 3, 20)
    server.stop("immediate")
    began = time.time()
    assert eventually(lambda: one.get("/api/v1/health")[0] == 503, 15)
    waiting = eventually(lambda: one.get("/api/v1/health")[1]["checks"]["storing"]["pending_ticks"] >= 8, 25)
    answers = {
        path: one.get(path)[0] for path in ("/api/v1/metrics/current", "/api/v1/metrics/cpu?limit=7", "/metrics")
    }
    status, health = one.get("/api/v1/health")
    pages = {path: one.status(path) for path in ("/admin/", "/admin/login/")}
    server.start()
    ended = time.time()
    assert waiting, one.log.read_text()
    assert (status, health["status"], health["checks"]["database"]["status"]) == (503, "degraded", "failed")
    assert set(answers.values()) == {503}, answers
    assert 500 not in pages.values(), pages
    for name, machine in zip(NAMES, machines, strict=True):
        assert eventually(lambda name=name: ticks(name)[-1] > ended + 1, 40), machine.log.read_text()
        during = [tick for tick in ticks(name) if began - 2 < tick < ended + 1]
        assert {later - earlier for earlier, later in itertools.pairwise(during)} == {1}, machine.log.read_text()
        assert eventually(partial(is_healthy, machine), 20)
        assert "Traceback" not in machine.log.read_text()


def test_a_server_that_hangs_costs_no_tick(machines, server, ticks):
    assert eventually(lambda: all(len(ticks(name)) >= 3 for name in NAMES), 20)
    hanging = server.processes()
    signal_all(hanging, signal.SIGSTOP)
    began = time.time()
    eventually(lambda: time.time() > began + 6, 10)
    signal_all(hanging, signal.SIGCONT)
    ended = time.time()
    for name, machine in zip(NAMES, machines, strict=True):
        assert eventually(lambda name=name: ticks(name)[-1] > ended + 1, 40), machine.log.read_text()
        during = [tick for tick in ticks(name) if began - 2 < tick < ended + 1]
        assert {later - earlier for earlier, later in itertools.pairwise(during)} == {1}, machine.log.read_text()
