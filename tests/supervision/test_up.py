"""`manage.py up`, the real one: it starts, watches, restarts and ends everything."""

import itertools
import os
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.skips import only_on_postgresql, only_on_sqlite
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Up(tmp_path_factory.mktemp("up") / "data")
    running.start()
    yield running
    running.end_for_sure()


@pytest.fixture
def own_up(tmp_path):
    running = Up(tmp_path / "data")
    yield running
    running.end_for_sure()


def goes_on(up, seconds=40):
    """Whether a tick is recorded that did not exist yet."""
    before = max(up.newest_tick(), int(time.time()))
    return eventually(lambda: up.newest_tick() > before, seconds)


@pytest.mark.smoke
def test_it_says_where_it_is(up):
    assert f"sysmon is at http://127.0.0.1:{up.port}/ and samples " in up.log.read_text()


def test_the_web_part_alone_does_not_say_that_it_samples(own_up):
    own_up.start("--only", "web")
    log = own_up.log.read_text()
    assert f"sysmon is at http://127.0.0.1:{own_up.port}/ and shows what is recorded in " in log
    assert "it does not record itself. Ctrl-C ends it." in log
    assert "samples" not in log


def test_it_says_that_the_script_of_the_charts_was_altered(own_up, tmp_path):
    package = tmp_path / "altered" / "youplot"
    (package / "vendor").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("uplot.iife.min.js", "uplot.min.css"):
        (package / "vendor" / name).write_text("altered")
    own_up.environment["PYTHONPATH"] = str(package.parent)
    own_up.start("--only", "web")
    assert own_up.log.read_text().count("is not the file that sysmon was made with, so it is not published") == 2


@only_on_sqlite("about its file")
def test_it_says_in_which_directory_the_samples_are(up):
    log = up.log.read_text()
    assert f"every second into {up.directory}. Ctrl-C ends it." in log
    assert "secret key" not in log


@only_on_postgresql("which other machines may share")
def test_it_says_in_which_database_the_samples_are_and_whose_the_secret_key_is_but_no_password(up):
    address, log = urlsplit(up.environment["DATABASE_URL"]), up.log.read_text()
    assert f"every second into PostgreSQL, {address.path[1:]}. Ctrl-C ends it." in log
    assert "the secret key is this machine's own; others on this PostgreSQL need one SYSMON_SECRET_KEY" in log
    assert (address.password or "(none)") not in log


def test_the_first_sample_does_not_wait_for_the_next_tick(tmp_path):
    slow = Up(tmp_path / "data", SYSMON_INTERVAL="60")
    try:
        slow.start()
        assert eventually(slow.ticks, 10)
        lag_seconds = slow.query("SELECT lag_milliseconds FROM metrics_tick")[0][0] / 1000
        assert slow.newest_tick() % 60 == 0
        assert slow.newest_tick() + lag_seconds == pytest.approx(time.time(), abs=15)
    finally:
        slow.end_for_sure()


@pytest.mark.smoke
def test_it_records_every_second(up):
    assert eventually(lambda: len(up.ticks()) >= 4, 10)
    ticks = up.ticks()[1:]
    assert {later - earlier for earlier, later in itertools.pairwise(ticks)} == {1}


@pytest.mark.smoke
def test_it_answers(up):
    assert eventually(lambda: up.get("/api/v1/health")[0] == 200, 10)
    status, current = up.get("/api/v1/metrics/current")
    assert status == 200
    assert {"cpu", "memory", "disk", "network", "processes"} <= current.keys()


@only_on_sqlite("about its file")
def test_the_file_can_shrink_and_is_in_wal_mode(up):
    assert up.query("PRAGMA auto_vacuum") == [(2,)]
    assert up.query("PRAGMA journal_mode") == [("wal",)]


def test_the_data_directory_is_private(up):
    assert up.directory.stat().st_mode & 0o777 == 0o700


def test_the_schedules_belong_to_this_machines_queue(up):
    rows = up.query("SELECT func, minutes FROM django_q_schedule ORDER BY func")
    assert rows == [("metrics.tasks.prune", 1), ("metrics.tasks.record_window", 1)]


def test_a_second_one_on_the_same_data_directory_is_refused_in_one_line(up):
    second = up.run("up", SYSMON_PORT="1")
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "uses the data directory" in second.stderr


def test_a_taken_port_is_refused_in_one_line(up, tmp_path):
    second = up.run("up", SYSMON_DATA_DIR=str(tmp_path / "other"))
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"port {up.port}" in second.stderr


def test_collect_is_refused_while_it_records(up):
    second = up.run("collect", "--duration", "1")
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1


def test_a_wrong_setting_stops_the_start_in_one_line(up):
    second = up.run("up", SYSMON_INTERVAL="0")
    assert (second.returncode, second.stderr) == (1, "sysmon: SYSMON_INTERVAL=0: must be a whole number from 1 to 60\n")


def test_a_recorder_that_hangs_is_replaced(up):
    up.recorder().suspend()
    assert goes_on(up, seconds=45)


def test_of_several_processes_of_the_web_server_each_is_missed(own_up):
    own_up.environment["SYSMON_WEB_PROCESSES"] = "2"
    own_up.start()
    assert eventually(own_up.ticks, 10)
    server = own_up.web()
    first, second = server.children()
    second.kill()
    assert eventually(lambda: not first.is_running() and not server.is_running(), 10)
    assert eventually(lambda: own_up.get("/api/v1/health")[0] == 200, 20)
    assert len(own_up.web().children()) == 2


def test_half_sent_bodies_do_not_hold_up_the_end(own_up):
    own_up.start()
    stalled = [half_of_a_body(own_up) for _ in range(4)]
    assert own_up.stop() == 0
    for connection in stalled:
        connection.close()


def half_of_a_body(up):
    """A connection over which half of a body was sent."""
    connection = socket.create_connection(("127.0.0.1", up.port), timeout=5)
    connection.sendall(b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
    return connection


def test_health_says_so_while_nothing_is_recorded(own_up):
    own_up.start("--only", "web")
    status, health = own_up.get("/api/v1/health")
    assert (status, health["status"]) == (503, "degraded")


def test_parts_can_run_alone_and_side_by_side(own_up):
    own_up.start("--only", "worker")
    web = Up(own_up.directory, SYSMON_PORT=str(own_up.port))
    web.port = own_up.port
    web.start("--only", "web")
    assert eventually(lambda: own_up.get("/api/v1/health")[0] == 200, 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it_within_ten_seconds_in_the_middle_of_a_window(own_up, number):
    own_up.start()
    assert own_up.recorder()
    assert own_up.stop(number) == 0
    assert own_up.processes() == []
    assert own_up.query("SELECT released_at IS NOT NULL FROM metrics_recorder") == [(1,)]


def test_nothing_survives_a_killed_supervisor_and_a_new_one_starts(own_up):
    own_up.start()
    own_up.process.kill()
    own_up.process.wait(5)
    assert eventually(lambda: not own_up.processes(), 5)
    own_up.start()
    assert goes_on(own_up, seconds=7)
    assert own_up.database.damage() == []


def test_half_sent_bodies_do_not_block_other_requests(up):
    stalled = [half_of_a_body(up) for _ in range(20)]
    try:
        assert up.get("/api/v1/metrics/current")[0] == 200
    finally:
        for connection in stalled:
            connection.close()
