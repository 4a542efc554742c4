"""Faults of the disk and of the file: the real program stays up or ends with one line, and nothing stored is lost."""

import contextlib
import itertools
import os
import sqlite3
import subprocess
import sys

import pytest
from filelock import FileLock

from tests.skips import missing, needs, only_on_sqlite
from tests.supervision import hung_mount as hung_mount_program
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]
about_the_file = only_on_sqlite("about its file")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of eight megabytes."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(directory)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("needs the right to mount a tmpfs")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "data")
    yield running
    running.end_for_sure()


@pytest.fixture
def unprivileged():
    """How to start a program that keeps to the permissions of files, also where the tests run as root."""
    if os.geteuid():
        return []
    return [needs("setpriv"), "--bounding-set", "-dac_override,-dac_read_search"]


def storing(up):
    return (up.get("/api/v1/health")[1] or {}).get("checks", {}).get("storing", {})


def holes(ticks):
    return [(earlier, later) for earlier, later in itertools.pairwise(ticks) if later - earlier != 1]


def assert_that_ticks_waited(up, before, reason):
    """While the fault lasts: health names it, and what is stored can be read."""
    assert eventually(lambda: storing(up).get("pending_ticks", 0) >= 3, 15), up.log.read_text()
    assert (storing(up)["status"], reason in storing(up)["message"]) == ("failed", True)
    status, answer = up.get("/api/v1/metrics/cpu?limit=1000")
    assert (status, answer["count"] >= len(before)) == (200, True)


def assert_that_nothing_is_missing(up, before):
    assert eventually(lambda: storing(up) == {"status": "ok", "pending_ticks": 0}, 15), up.log.read_text()
    assert set(before) <= set(up.ticks())
    assert holes(up.ticks()[1:]) == []
    assert up.database.damage() == []
    assert "Traceback" not in up.log.read_text()


@about_the_file
def test_while_the_disk_is_full_ticks_wait_and_reads_go_on(small_disk):
    up = Up(small_disk / "data")
    up.log = small_disk.parent / "up.log"
    filler = small_disk / "filler"
    try:
        up.start()
        assert eventually(lambda: len(up.ticks()) >= 2, 10)
        before = up.ticks()
        fill(filler)
        assert_that_ticks_waited(up, before, "full")
        filler.unlink()
        assert_that_nothing_is_missing(up, before)
    finally:
        up.end_for_sure()


def fill(file, except_bytes=0):
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass
    os.truncate(file, max(0, file.stat().st_size - except_bytes))


@about_the_file
@pytest.mark.parametrize("free_bytes", [0, 65_536])
def test_a_start_on_a_disk_that_is_full_is_one_line(small_disk, free_bytes):
    up = Up(small_disk / "data")
    fill(small_disk / "filler", free_bytes)
    done = up.run("up")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "No space left" in done.stderr or "full" in done.stderr


def test_while_another_program_locks_the_database_ticks_wait_and_reads_go_on(up):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 2, 10)
    before = up.ticks()
    with up.database.no_tick_can_be_stored():
        assert_that_ticks_waited(up, before, "lock")
        # A program that connects only now can read too.
        assert up.run("top", "--json").returncode == 0
    assert_that_nothing_is_missing(up, before)


def test_ticks_that_wait_are_stored_when_it_is_ended(up):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 2, 10)
    with up.database.no_tick_can_be_stored():
        assert eventually(lambda: storing(up).get("pending_ticks", 0) >= 2, 15)
        up.process.terminate()
    assert up.process.wait(10) == 0
    assert holes(up.ticks()[1:]) == []


@about_the_file
def test_a_file_that_may_only_be_read_is_read_until_it_may_be_written(up, unprivileged):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 2, 10)
    up.stop()
    before = up.ticks()
    up.file.chmod(0o444)
    up.start(prefix=unprivileged)
    assert eventually(lambda: "readonly" in storing(up).get("message", ""), 10)
    assert up.get("/api/v1/metrics/cpu")[0] == 200
    up.file.chmod(0o644)
    assert eventually(lambda: up.newest_tick() > before[-1], 10)
    assert "Traceback" not in up.log.read_text()
    assert up.log.read_text().count("readonly") == 1


@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_data_directory_without_permission_is_one_line(up, unprivileged, mode):
    up.directory.mkdir(mode=0o700)
    up.directory.chmod(mode)
    done = up.run("up", prefix=unprivileged)
    up.directory.chmod(0o700)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert str(up.directory) in done.stderr


@about_the_file
@pytest.mark.parametrize(("at", "length"), [(0, 100), (4096 * 2, 4096 * 8)])
def test_a_damaged_file_is_set_aside_and_recording_begins_anew(up, at, length):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 2, 10)
    up.stop()
    with contextlib.closing(sqlite3.connect(up.file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with up.file.open("r+b") as stream:
        stream.seek(at)
        stream.write(b"\xa5" * length)
    damaged = up.file.read_bytes()
    log_before = len(up.log.read_text())
    up.start()
    assert eventually(up.ticks, 10)
    [kept] = up.directory.glob("sysmon.sqlite3.damaged-*Z")
    assert kept.read_bytes() == damaged
    lines = [line for line in up.log.read_text()[log_before:].splitlines() if "is damaged" in line]
    assert len(lines) == 1
    assert str(kept) in lines[0]


@about_the_file
def test_a_damaged_file_that_another_part_uses_is_left_alone(up):
    up.directory.mkdir(mode=0o700)
    up.file.write_text("this is not SQLite" * 100)
    up.file.chmod(0o600)
    with FileLock(up.directory / "worker.lock", mode=0o600):
        web = up.run("up", "--only", "web")
    assert (web.returncode, web.stderr.count("\n")) == (1, 1)
    assert "is damaged" in web.stderr
    assert "uses the data directory" in web.stderr
    assert up.file.read_text().startswith("this is not SQLite")


@pytest.fixture
def block_device(tmp_path):
    """A disk of a megabyte."""
    image = tmp_path / "image"
    image.write_bytes(bytes(1 << 20))
    done = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True, check=False)
    if done.returncode:
        missing("needs the right to attach a loop device")
    yield done.stdout.strip()
    subprocess.run(["losetup", "--detach", done.stdout.strip()], check=True)


@pytest.fixture
def hung_mount(block_device, tmp_path):
    """How to start a program that sees a mount which does not answer; nobody else does."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        missing("needs /dev/fuse")
    directory = tmp_path / "hung"
    directory.mkdir()
    return [needs("unshare"), "--mount", sys.executable, hung_mount_program.__file__, block_device, str(directory)]


def test_a_mount_that_hangs_costs_itself_alone(up, hung_mount):
    up.start(prefix=hung_mount)
    assert eventually(lambda: len(up.ticks()) >= 6, 15), up.log.read_text()
    status, health = up.get("/api/v1/health")
    outcomes = {family: check["status"] for family, check in health["checks"]["families"].items()}
    assert (status, set(outcomes.values())) == (200, {"ok"})
    [warning] = health["warnings"]
    assert f"{hung_mount[-1]}: no answer for" in warning["message"]
    used = {row["mountpoint"]: row["used_bytes"] for row in up.get("/api/v1/metrics/current")[1]["disk"]["partitions"]}
    assert used["/"] > 0
    assert used[hung_mount[-1]] is None
    assert holes(up.ticks()[1:]) == []
    [server] = [process for process in up.processes() if hung_mount_program.__file__ in process.cmdline()]
    server.kill()
    assert eventually(lambda: "no answer" not in str(up.get("/api/v1/health")[1]["warnings"]), 10)
    assert "collector disk failed" not in up.log.read_text()
