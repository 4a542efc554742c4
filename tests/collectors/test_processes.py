import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from metrics.collectors import linux as linux_files
from metrics.collectors import processes, procfs
from metrics.collectors.processes import ProcessesCollector, ProcfsSweep, PsutilSweep, summary
from tests.collectors.test_procfs import IO, STAT

linux = pytest.mark.skipif(not psutil.LINUX, reason="/proc is Linux's")

UPTIME = 1000.0
TICKS = os.sysconf("SC_CLK_TCK") if psutil.LINUX else 100
STATUS = "Name:\tx\nUid:\t{0}\t{0}\t{0}\t{0}\n"


class FrozenProc:
    """A /proc directory with what processes the test puts into it, on a machine that is up for 1000 s."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sweep = ProcfsSweep()

    def start(
        self,
        pid: int = 2201,
        comm: bytes = b"node",
        cmdline: bytes = b"node\0server.js\0",
        *,
        started: float = 10.0,
        stack: int = 140001,
        state: bytes = b"S",
        uid: int = 0,
    ) -> None:
        process = self.directory / str(pid)
        process.mkdir(exist_ok=True)
        stat = STAT.replace(b"(node) S", b"(" + comm + b") " + state)
        stat = stat.replace(b" 2405 ", b" %d " % (started * TICKS)).replace(b" 140001 ", b" %d " % stack)
        (process / "stat").write_bytes(stat)
        (process / "io").write_bytes(IO)
        (process / "cmdline").write_bytes(cmdline)
        (process / "status").write_text(STATUS.format(uid))

    def end(self, pid: int = 2201) -> None:
        shutil.rmtree(self.directory / str(pid))

    def rows(self) -> dict[Any, dict[str, Any]]:
        return {row["pid"]: row for row in self.sweep.rows()}


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrozenProc:
    monkeypatch.setattr(procfs, "PROC_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(linux_files, "PROC", tmp_path)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: UPTIME)
    (tmp_path / "self").mkdir()
    memory_bytes = 2943 * os.sysconf("SC_PAGE_SIZE") * 4
    (tmp_path / "meminfo").write_text(f"ShadowCallStack:10373888 kB\nMemTotal: {memory_bytes // 1024} kB\n")
    return FrozenProc(tmp_path)


@linux
def test_a_process_is_one_row(proc: FrozenProc) -> None:
    proc.start()
    assert proc.sweep.rows() == [
        {
            "pid": 2201,
            "start_seconds": 10.0,
            "name": "node",
            "username": "root",
            "command": "node server.js",
            "status": "sleeping",
            "parent_pid": 1,
            "cpu_seconds": (66 + 321) / TICKS,
            "children_cpu_seconds": 1003 / TICKS,
            "memory_percent": 25.0,
            "rss_bytes": 2943 * os.sysconf("SC_PAGE_SIZE"),
            "threads": 11,
            "read_bytes": 4096,
            "write_bytes": 8192,
        }
    ]


@linux
def test_secrets_never_leave_the_collector(proc: FrozenProc) -> None:
    proc.start(cmdline=b"psql\0--password\0s3cret\0")
    assert proc.rows()[2201]["command"] == "psql --password ***"


@linux
def test_what_a_process_is_is_read_once(proc: FrozenProc) -> None:
    proc.start()
    proc.rows()
    (proc.directory / "2201" / "cmdline").write_bytes(b"other\0")
    assert proc.rows()[2201]["command"] == "node server.js"


@linux
def test_a_process_that_execs_is_read_again(proc: FrozenProc) -> None:
    proc.start(comm=b"sh", cmdline=b"sh\0run.sh\0")
    proc.rows()
    proc.start(comm=b"node", cmdline=b"node\0server.js\0")
    assert (proc.rows()[2201]["name"], proc.rows()[2201]["command"]) == ("node", "node server.js")


@linux
def test_a_process_that_execs_the_same_program_is_read_again(proc: FrozenProc) -> None:
    proc.start(cmdline=b"node\0one.js\0")
    proc.rows()
    proc.start(cmdline=b"node\0two.js\0", stack=150001)
    assert proc.rows()[2201]["command"] == "node two.js"


@linux
def test_a_young_process_is_read_again_until_it_has_settled(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.start(cmdline=b"node\0", started=UPTIME - 0.5)
    proc.rows()
    proc.start(cmdline=b"node: master\0", started=UPTIME - 0.5)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: UPTIME + 5)
    assert proc.rows()[2201]["command"] == "node: master"
    proc.start(cmdline=b"node: late title\0", started=UPTIME - 0.5)
    assert proc.rows()[2201]["command"] == "node: master"


@linux
def test_a_pid_that_is_used_again_is_another_process(proc: FrozenProc) -> None:
    proc.start()
    proc.rows()
    proc.start(cmdline=b"node\0other.js\0", started=500.0)
    assert (proc.rows()[2201]["start_seconds"], proc.rows()[2201]["command"]) == (500.0, "node other.js")


@linux
def test_a_zombie_keeps_the_command_that_it_had(proc: FrozenProc) -> None:
    proc.start()
    proc.rows()
    proc.start(cmdline=b"", state=b"Z", stack=0)
    assert (proc.rows()[2201]["command"], proc.rows()[2201]["status"]) == ("node server.js", "zombie")


@linux
def test_a_zombie_that_was_never_seen_alive_has_no_command(proc: FrozenProc) -> None:
    proc.start(cmdline=b"", state=b"Z", stack=0)
    assert (proc.rows()[2201]["name"], proc.rows()[2201]["command"]) == ("node", "")


@linux
def test_processes_that_are_gone_are_forgotten(proc: FrozenProc) -> None:
    proc.start(1)
    proc.start(2)
    proc.rows()
    proc.end(2)
    assert list(proc.rows()) == [1]
    assert list(proc.sweep._facts) == ["1"]


@linux
@pytest.mark.parametrize("lost", ["stat", "cmdline", "status"])
def test_a_process_that_vanishes_meanwhile_has_no_row(proc: FrozenProc, lost: str) -> None:
    proc.start(1)
    proc.start(2)
    (proc.directory / "2" / lost).unlink()
    assert list(proc.rows()) == [1]


@linux
@pytest.mark.parametrize("stat", [b"", b"\n", STAT[:60], STAT[:-1], b"1 node S\n", b"1 (node) S 1 x\n"])
def test_a_stat_that_cannot_be_read_has_no_row_and_is_named(proc: FrozenProc, stat: bytes) -> None:
    proc.start(1)
    proc.start(2)
    (proc.directory / "1" / "stat").write_bytes(stat)
    collector = ProcessesCollector()
    assert [row["pid"] for row in collector.read()["process"]] == [2]
    assert collector.warning.startswith("left out 1 of the processes, which cannot be read")


@linux
def test_a_stat_of_44_fields_is_a_process(proc: FrozenProc) -> None:
    proc.start(1)
    (proc.directory / "1" / "stat").write_bytes(b" ".join(STAT.split()[:44]) + b"\n")
    assert proc.rows()[1]["rss_bytes"] == 2943 * os.sysconf("SC_PAGE_SIZE")
    assert str(proc.sweep.omissions) == ""


@linux
def test_without_the_size_of_the_memory_a_process_has_no_share_of_it(proc: FrozenProc) -> None:
    proc.start(1)
    (proc.directory / "meminfo").write_text("MemTotal: many kB\n")
    assert (proc.rows()[1]["memory_percent"], proc.rows()[1]["threads"]) == (None, 11)


class Refusing:
    """Refuses some files of /proc/PID, as the kernel does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ends: str) -> None:
        self.ends, self._open = ends, os.open
        monkeypatch.setattr(os, "open", self)

    def __call__(self, path: str, flags: int) -> int:
        if str(path).endswith(self.ends):
            raise PermissionError(13, "Permission denied", path)
        return self._open(path, flags)


@linux
@pytest.mark.parametrize(("denied", "is_said"), [(2, False), (3, True), (40, True)])
def test_io_that_may_not_be_read_is_said(
    proc: FrozenProc, monkeypatch: pytest.MonkeyPatch, denied: int, is_said: bool
) -> None:
    for pid in range(100, 140):
        proc.start(pid)
    Refusing(monkeypatch, *[f"/{pid}/io" for pid in range(100, 100 + denied)])
    proc.rows()
    remark = f"the I/O of {denied} of 40 processes cannot be read: it takes root"
    assert str(proc.sweep.omissions) == (remark if is_said else "")


@linux
def test_processes_that_hide_all_of_themselves_are_counted(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid in range(100, 104):
        proc.start(pid)
    Refusing(monkeypatch, "/101/stat", "/102/stat")
    assert list(proc.rows()) in ([100, 103], [103, 100])
    assert str(proc.sweep.omissions).startswith("left out 2 of the processes, which cannot be read")


SEEN = "only 3 processes with 33 of the machine's 500 threads are seen"
MOUNT = "22 1 0:21 / /proc rw,relatime - proc proc rw"


@linux
@pytest.mark.parametrize(
    ("mountinfo", "namespace", "reason"),
    [
        (f"{MOUNT},hidepid=2", "pid:[4026531836]", ": /proc is mounted with hidepid=2; run as root, or in the group"),
        (f"{MOUNT},gid=4,hidepid=invisible", "pid:[9]", ": /proc is mounted with hidepid=invisible"),
        (f"{MOUNT},hidepid=off", "pid:[9]", ": this container has processes of its own; share the host's (pid: host)"),
        (MOUNT, "pid:[9]", ": this container has processes of its own"),
        (MOUNT, "pid:[4026531836]", ""),
        ("", "pid:[4026531836]", ""),
    ],
)
def test_how_much_of_the_machine_is_seen_is_said_with_what_hides_the_rest(
    proc: FrozenProc, mountinfo: str, namespace: str, reason: str
) -> None:
    for pid in (1, 2, 3):
        proc.start(pid)
    (proc.directory / "loadavg").write_text("0.50 0.25 0.10 2/500 2201\n")
    (proc.directory / "self" / "mountinfo").write_text(mountinfo.replace(" /proc ", f" {proc.directory} "))
    (proc.directory / "self" / "ns").mkdir()
    (proc.directory / "self" / "ns" / "pid").symlink_to(namespace)
    proc.rows()
    assert str(proc.sweep.omissions).startswith(SEEN + reason)
    assert bool(reason) or str(proc.sweep.omissions) == SEEN


@linux
@pytest.mark.parametrize("loadavg", ["", "0.5 0.5 0.5 2/40 7", "0.5 0.5 0.5 2/x 7", "0.5", "0.5 0.5 0.5 2/33 7"])
def test_where_all_is_seen_or_nobody_knows_nothing_is_said(proc: FrozenProc, loadavg: str) -> None:
    for pid in (1, 2, 3):
        proc.start(pid)
    (proc.directory / "loadavg").write_text(loadavg)
    proc.rows()
    assert str(proc.sweep.omissions) == ""


@linux
def test_values_of_another_user_are_none(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_some(path: str, flags: int) -> int:
        if path.endswith(("/io", "/cmdline", "/status")):
            raise PermissionError(path)
        return open_file(path, flags)

    open_file = os.open
    proc.start()
    monkeypatch.setattr(os, "open", refuse_some)
    row = proc.rows()[2201]
    assert [row[name] for name in ("username", "command", "read_bytes", "write_bytes")] == [None] * 4
    assert row["name"] == "node"


@linux
def test_hostile_names_and_commands_become_valid_text(proc: FrozenProc) -> None:
    proc.start(comm=b") R \xff\n", cmdline=b"\xff\x1b[31m\0<script>\0=cmd()\0")
    row = proc.rows()[2201]
    assert row["name"] == ") R \\xff\n"
    assert row["command"] == "\\xff\x1b[31m <script> =cmd()"


@linux
def test_no_more_than_4096_characters_of_a_command_are_kept(proc: FrozenProc) -> None:
    proc.start(cmdline=b"node\0" + b"-a=1\0" * 9000)
    assert 4000 < len(proc.rows()[2201]["command"]) <= 4096


@linux
def test_what_has_no_time_to_be_masked_waits_and_is_named(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "DESCRIBING_SECONDS", 0)
    for pid in (1, 2, 3):
        proc.start(pid, cmdline=b"psql\0--password\0s3cret\0")
    collector = ProcessesCollector()
    commands = [[row["command"] for row in collector.read()["process"]] for _reading in range(3)]
    assert sorted(reading.count(None) for reading in commands) == [0, 1, 2]
    assert {*commands[-1]} == {"psql --password ***"}
    proc.start(4)
    proc.start(5)
    assert len(collector.read()["process"]) == 5
    assert collector.warning == "1 command lines wait for their turn to be masked"
    collector.read()
    assert collector.warning == ""


@linux
def test_who_starts_thousands_waits_longer_than_others(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "DESCRIBING_SECONDS", 0)
    for pid in range(100, 140):
        proc.start(pid, uid=4_000_001)
    proc.start(900, cmdline=b"own\0")
    proc.rows()
    assert proc.rows()[900]["command"] == "own"


@linux
def test_a_title_that_changes_takes_no_command_away(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid in (1, 2, 3):
        proc.start(pid, comm=b"one")
    proc.rows()
    monkeypatch.setattr(processes, "DESCRIBING_SECONDS", 0)
    for comm in (b"two", b"three"):
        for pid in (1, 2, 3):
            proc.start(pid, comm=comm)
        rows = proc.rows().values()
        assert {(row["name"], row["username"], row["command"]) for row in rows} == {
            (comm.decode(), "root", "node server.js")
        }
    assert proc.sweep.waiting == 2


@linux
def test_a_process_cannot_make_others_wait_by_hiding_whose_it_is(
    proc: FrozenProc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "DESCRIBING_SECONDS", 0)
    for pid in range(100, 110):
        proc.start(pid, uid=4_000_001)
    proc.rows()
    proc.start(900, cmdline=b"own\0")
    assert proc.rows()[900]["command"] == "own"


@linux
def test_a_title_that_changes_costs_no_masking(proc: FrozenProc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.start(comm=b"one")
    proc.rows()
    proc.sweep.hide = None
    proc.start(comm=b"two")
    row = proc.rows()[2201]
    assert (row["name"], row["username"], row["command"]) == ("two", "root", "node server.js")


def test_the_machine_counts_processes_those_that_run_and_threads() -> None:
    rows: list[Any] = [
        {"status": "running", "threads": 3},
        {"status": "sleeping", "threads": 2},
        {"status": "running", "threads": None},
    ]
    assert summary(rows) == {"total": 3, "running": 2, "threads": 5}
    assert summary([]) == {"total": 0, "running": 0, "threads": 0}


class FakeProcess:
    """Stands in for psutil.Process on a platform where some of it is not there or not allowed."""

    pid = 7
    created = 1_700_000_010.5

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def create_time(self) -> float:
        if self.pid == 8:
            raise psutil.NoSuchProcess(8)
        if self.pid == 9:
            raise psutil.AccessDenied(9)
        return self.created

    def as_dict(self, names: list[str]) -> dict[str, Any]:
        values = {"name": "na\udcffme", "username": None, "cmdline": ["app", "--token=s3cret"], "status": "running"}
        return {name: values.get(name) for name in names}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> PsutilSweep:
    monkeypatch.setattr(psutil, "boot_time", lambda: 1_700_000_000.0)
    monkeypatch.setattr(psutil, "pids", lambda: [0, 7, 8, 9])
    monkeypatch.setattr(psutil, "Process", FakeProcess)
    return PsutilSweep()


def test_elsewhere_what_psutil_may_not_tell_is_none(elsewhere: PsutilSweep) -> None:
    assert elsewhere.rows()[1] == {
        "pid": 7,
        "start_seconds": 10.5,
        "name": "na\\xffme",
        "username": None,
        "command": "app --token=***",
        "status": "running",
        "parent_pid": None,
        "cpu_seconds": None,
        "children_cpu_seconds": None,
        "memory_percent": None,
        "rss_bytes": None,
        "threads": None,
        "read_bytes": None,
        "write_bytes": None,
    }


def test_elsewhere_a_process_that_is_gone_or_hidden_has_no_row(elsewhere: PsutilSweep) -> None:
    assert [row["pid"] for row in elsewhere.rows()] == [0, 7]


def test_the_idle_time_of_windows_is_no_process(elsewhere: PsutilSweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "WINDOWS", True)
    assert [row["pid"] for row in elsewhere.rows()] == [7]


def test_elsewhere_a_pid_that_is_used_again_is_another_process(
    elsewhere: PsutilSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.rows()
    monkeypatch.setattr(FakeProcess, "created", FakeProcess.created + 100)
    assert elsewhere.rows()[1]["start_seconds"] == 110.5


def test_a_platform_other_than_linux_asks_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "LINUX", False)
    assert isinstance(ProcessesCollector()._sweep, PsutilSweep)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    program = [sys.executable, "-c", "print(flush=True); input()", "--password", "s3cret"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # from here on it only waits
        yield process
        process.communicate(b"\n")


@linux
def test_both_ways_say_the_same_of_a_live_process(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "DESCRIBING_SECONDS", 60)
    by_hand, by_psutil = (
        next(row for row in sweep.rows() if row["pid"] == child.pid) for sweep in (ProcfsSweep(), PsutilSweep())
    )
    assert by_hand["command"] == f"{sys.executable} -c print(flush=True); input() --password ***"
    # psutil's boot time is in whole seconds; the child may not quite have gone to sleep yet.
    for name, tolerance in {"start_seconds": 1.1, "cpu_seconds": 0.05, "memory_percent": 0.1, "rss_bytes": 1e6}.items():
        assert by_hand.pop(name) == pytest.approx(by_psutil.pop(name), abs=tolerance)
    assert by_hand.pop("status") in ("sleeping", "running")
    assert by_psutil.pop("status") in ("sleeping", "running")
    assert by_hand.pop("children_cpu_seconds") == 0
    assert by_psutil.pop("children_cpu_seconds") is None
    assert by_hand == by_psutil


def test_this_process_is_among_those_of_the_machine() -> None:
    reading = ProcessesCollector().read()
    me = next(row for row in reading["process"] if row["pid"] == os.getpid())
    assert reading["processes"][0]["total"] == len(reading["process"])
    assert me["status"] == psutil.STATUS_RUNNING
    assert me["threads"] == psutil.Process().num_threads()
