"""What happens to the database's file while the real program runs: it is noticed, and recording goes on."""

import contextlib
import os
import shutil
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from tests.skips import only_on_sqlite
from tests.supervision.running import Up, eventually
from tests.supervision.test_faults import holes

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
    only_on_sqlite("about its file"),
]
PAGE_BYTES = 4096
NOTICED_SECONDS = 60


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "data")
    running.add_administrator("ada", "pw")
    running.start()
    assert eventually(lambda: len(running.ticks()) >= 4, 30), running.log.read_text()
    yield running
    running.end_for_sure()


def overwrite_page_of(up, table):
    """The root page of a table, in the file and, so that it is read, not in the log."""
    with contextlib.closing(sqlite3.connect(up.file, timeout=30)) as database:
        [(page,)] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchall()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with up.file.open("r+b") as stream:
        stream.seek((page - 1) * PAGE_BYTES)
        stream.write(b"\xa5" * PAGE_BYTES)


def kinds(up):
    _status, answer = up.get("/api/v1/events?kind=damage,file_replaced")
    return [event["kind"] for event in (answer or {}).get("results", [])]


def file_check(up):
    return (up.get("/api/v1/health")[1] or {}).get("checks", {}).get("file", {})


def assert_recording_goes_on(up, before, kind):
    """In the file that the path names now; health and the history say what happened; who could sign in still can."""
    assert eventually(lambda: kinds(up) == [kind], NOTICED_SECONDS), up.log.read_text()
    newest = up.newest_tick()
    assert eventually(lambda: up.newest_tick() > max(newest, before[-1]), NOTICED_SECONDS), up.log.read_text()
    assert eventually(lambda: up.get("/api/v1/health")[0] == 200, NOTICED_SECONDS), up.get("/api/v1/health")
    check = file_check(up)
    assert (check["kind"], check["status"]) == (kind, "failed")
    assert up.query("SELECT username FROM auth_user") == [("ada",)]
    assert up.database.damage() == []
    assert "Traceback" not in up.log.read_text()


@contextlib.contextmanager
def load(up):
    """Readers that ask as fast as they are answered."""
    over = threading.Event()

    def ask():
        while not over.is_set():
            up.get("/api/v1/metrics/cpu?limit=1000")

    readers = [threading.Thread(target=ask) for _number in range(3)]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        over.set()
        for reader in readers:
            reader.join()


@pytest.mark.parametrize("readers", [contextlib.nullcontext, load], ids=["at_rest", "under_load"])
def test_a_page_that_is_overwritten_costs_no_tick(up, readers):
    with readers(up) if readers is load else readers():
        before = up.ticks()
        overwrite_page_of(up, "metrics_tick")
        assert_recording_goes_on(up, before, "damage")
    [kept] = up.directory.glob("sysmon.sqlite3.damaged-*Z")
    assert kept.stat().st_size > 0
    # What waited is stored: from the first tick of the new file on there is no hole, nor before it.
    ticks = up.ticks()
    assert holes([before[-1], *(tick for tick in ticks if tick > before[-1])]) == []


def test_a_file_that_was_removed_is_made_anew_and_no_tick_after_that_is_lost(up):
    before = up.ticks()
    for ending in ("", "-wal", "-shm"):
        Path(f"{up.file}{ending}").unlink(missing_ok=True)
    assert_recording_goes_on(up, before, "file_replaced")
    known = up.ticks()
    assert holes([before[-1], *known][1:]) == []
    up.stop()
    assert set(known) <= set(up.ticks())


def test_a_file_that_was_replaced_is_gone_on_with(up, tmp_path):
    assert up.run("backup", str(tmp_path / "copy")).returncode == 0
    shutil.copyfile(tmp_path / "copy", up.file.with_name("new"))
    with contextlib.closing(sqlite3.connect(up.file.with_name("new"))) as new:
        known = {row[0] for row in new.execute("SELECT timestamp FROM metrics_tick")}
    before = up.ticks()
    up.file.with_name("new").replace(up.file)
    assert_recording_goes_on(up, before, "file_replaced")
    assert known <= set(up.ticks())


def test_a_log_that_was_removed_costs_no_tick(up):
    before = up.ticks()
    for ending in ("-wal", "-shm"):
        Path(f"{up.file}{ending}").unlink()
    assert_recording_goes_on(up, before, "file_replaced")
    assert set(before) <= set(up.ticks())
    assert holes(up.ticks()[1:]) == []


def test_a_directory_that_was_moved_is_left_alone_and_held_anew(up, tmp_path):
    before = up.ticks()
    moved = up.directory.rename(tmp_path / "moved")
    assert_recording_goes_on(up, before, "file_replaced")
    with contextlib.closing(sqlite3.connect(moved / up.file.name)) as old:
        assert (
            before
            == [row[0] for row in old.execute("SELECT timestamp FROM metrics_tick ORDER BY timestamp")][: len(before)]
        )
    other = up.run("collect")
    assert (other.returncode, other.stderr.count("\n")) == (1, 1), other.stderr
    assert "uses the data directory" in other.stderr


def test_the_third_damage_within_a_day_is_the_last_and_said(up):
    for times in (1, 2):
        overwrite_page_of(up, "metrics_tick")
        assert eventually(lambda times=times: file_check(up).get("times_within_a_day") == times, NOTICED_SECONDS)
        assert eventually(lambda: up.get("/api/v1/health")[0] == 200, NOTICED_SECONDS)
    overwrite_page_of(up, "metrics_tick")
    assert eventually(lambda: "nothing is stored any more" in file_check(up).get("message", ""), NOTICED_SECONDS)
    assert up.get("/api/v1/health")[0] == 503
    assert len(list(up.directory.glob("sysmon.sqlite3.damaged-*Z"))) == 2
    assert "nothing is stored any more" in up.log.read_text()


def test_while_the_recorder_is_suspended_metrics_say_so(up):
    def shown():
        return up.text("/metrics")

    assert eventually(lambda: "\nsysmon_up 1" in shown(), 10)
    recorder = up.recorder()
    recorder.send_signal(signal.SIGSTOP)
    try:
        assert eventually(lambda: "\nsysmon_up 0" in shown(), NOTICED_SECONDS)
        answer = shown()
    finally:
        recorder.send_signal(signal.SIGCONT)
    assert "\nnode_" not in answer
    assert "\nsysmon_tick_age_seconds " in answer
    assert 'sysmon_collector_success{collector="cpu"} 0' in answer
    assert eventually(lambda: "\nsysmon_up 1" in shown() and "\nnode_time_seconds" in shown(), NOTICED_SECONDS)
