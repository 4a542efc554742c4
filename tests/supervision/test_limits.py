"""What the system refuses to a program (memory, threads, processes, files) ends its start with one line."""

import errno
import os
import subprocess
import sys

import pytest

import manage
from metrics.recording.heartbeat import Heartbeat
from metrics.supervision.process import CannotStart, SupervisedProcess, context
from tests.skips import missing, needs
from tests.supervision.running import Up, eventually

needs_limits = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no such limits")


def no_thread(_heartbeat):
    raise RuntimeError("can't start new thread")


def no_memory(_heartbeat):
    raise MemoryError


def no_files(_heartbeat):
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


REFUSALS = [(no_thread, "can't start new thread"), (no_memory, "not enough memory"), (no_files, "Too many open files")]


@pytest.fixture
def made():
    """Make a part; what it has started is ended."""
    started = []

    def make(target):
        started.append(SupervisedProcess("worker", target, Heartbeat(context())))
        return started[-1]

    yield make
    for part in started:
        part.kill()


def look_until_it_has_ended(part):
    part.poll()
    assert eventually(lambda: not part.is_alive, 10)
    part.poll()


@needs_limits
@pytest.mark.parametrize(("target", "reason"), REFUSALS)
def test_a_part_that_the_system_does_not_let_start_ends_the_start(made, target, reason):
    with pytest.raises(CannotStart, match=f"^the worker cannot be started: {reason}$"):
        look_until_it_has_ended(made(target))


@needs_limits
@pytest.mark.parametrize(("target", "reason"), REFUSALS)
def test_later_it_is_tried_again_and_the_line_says_why(made, target, reason, caplog):
    part = made(target)
    part.has_to_start = False
    look_until_it_has_ended(part)
    assert f"the worker has ended ({reason}); it is started again in" in caplog.text
    assert "Traceback" not in caplog.text


@needs_limits
def test_a_process_that_cannot_be_forked_ends_the_start_and_later_is_tried_again(made, monkeypatch, caplog):
    def refuse():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    part = made(no_memory)
    with pytest.raises(CannotStart, match="Resource temporarily unavailable"):
        part.poll()
    part = made(no_memory)
    part.has_to_start = False
    part.poll()
    assert "cannot be started (Resource temporarily unavailable); it is started again in" in caplog.text
    assert (part.is_alive, part.handle) == (False, None)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError(), "not enough memory"),
        (MemoryError("Out of memory interning an attribute name"), "not enough memory"),
        (ImportError("x.so: failed to map segment from shared object"), "not enough memory"),
        (SystemError("error return without exception set"), "not enough memory"),
        (ImportError("x.so: cannot open shared object file: Too many open files"), "Too many open files"),
        (RuntimeError("can't start new thread"), "no more threads"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
        (OSError(errno.ENOSPC, "No space left on device", "/x\n/y"), "No space left on device: "),
    ],
)
def test_what_the_system_refuses_is_one_line(error, line):
    said = manage.refusal(error)
    assert line in said
    assert "\n" not in said


@pytest.mark.parametrize("error", [RuntimeError("a fault"), ImportError("No module named 'x'"), SystemError("a fault")])
def test_a_fault_of_the_program_keeps_its_traceback(error):
    assert manage.refusal(error) is None


@needs_limits
@pytest.mark.live
@pytest.mark.parametrize("command", [("up",), ("collect", "--interval", "1", "--duration", "2")], ids=["up", "collect"])
@pytest.mark.parametrize("limit", ["-v 30000", "-v 60000", "-v 90000", "-v 150000", "-v 400000", "-n 16", "-n 40"])
def test_a_start_under_a_limit_ends_with_one_line(tmp_path, command, limit):
    if sys.platform != "linux":
        missing("needs Linux, which keeps to `ulimit -v`")
    up = Up(tmp_path / "data", DATABASE_URL="")
    done = up.run(*command, prefix=[needs("sh"), "-c", f'ulimit {limit}; exec "$0" "$@"'])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert up.processes() == []


@pytest.mark.live
def test_who_has_read_enough_is_told_nothing(tmp_path):
    up = Up(tmp_path / "data", DATABASE_URL="")
    done = subprocess.run(
        [needs("sh"), "-c", f'"{sys.executable}" manage.py help --commands | true'],
        env=up.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
