"""The two locks of a hand-over, as the kernel keeps them: between threads, between processes, and after any end."""

import errno
import gc
import multiprocessing
import os
import signal
import threading
import time

import pytest

from metrics.recording.hand_over import HandOver, is_recorder_here
from metrics.storage.locks import NEXT, RECORDER, DirectoryInUse, hold_data_directory, lock_of
from tests.supervision.running import eventually

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")


@pytest.fixture(autouse=True)
def directory(tmp_path, settings):
    settings.SYSMON_DATA_DIR = tmp_path


@pytest.fixture(params=["flock", "no flock"])
def any_file_system(request, monkeypatch):
    """One that knows locks, and one that says that it does not."""
    if request.param == "no flock":
        fcntl = pytest.importorskip("fcntl")

        def unknown(_descriptor, _operation):
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", unknown)


def at_once(_seconds):
    """Instead of a wait: it is time to end."""
    return True


def wait_a_little(seconds):
    time.sleep(seconds / 10)
    return False


def waiting_in_a_thread(hand_over):
    """What follows the recorder once it lets go, and a list that says that it did."""
    turns = []
    ended = threading.Event()

    def follow():
        turns.append(hand_over.take(lambda _seconds: ended.wait(0.005)))
        ended.wait(10)
        hand_over.let_go()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    return turns, lambda: (ended.set(), thread.join(10))


@pytest.mark.usefixtures("any_file_system")
class TestInOneProcess:
    def test_the_first_has_its_turn_at_once_and_is_wanted_by_nobody(self):
        one = HandOver()
        assert one.take(at_once)
        assert (one.is_wanted(), is_recorder_here()) == (False, True)
        one.let_go()
        assert not is_recorder_here()

    def test_a_second_one_waits_until_the_first_lets_go(self):
        one, other = HandOver(), HandOver()
        one.take(at_once)
        turns, end = waiting_in_a_thread(other)
        assert eventually(one.is_wanted, 5)
        assert turns == []
        one.let_go()
        assert eventually(lambda: turns == [True], 5)
        assert not one.take(at_once), "it is the other's turn now"
        assert not one.is_wanted(), "and nobody waits any more"
        end()
        assert one.take(at_once)

    def test_whoever_is_told_to_end_while_it_waits_is_not_waited_for(self):
        one, other = HandOver(), HandOver()
        one.take(at_once)
        assert not other.take(at_once)
        assert not one.is_wanted()

    def test_a_third_one_waits_behind_the_second(self):
        one, third = HandOver(), HandOver()
        one.take(at_once)
        with lock_of(NEXT):
            assert not third.take(at_once)
            assert one.is_wanted(), "the second one still waits"

    def test_a_run_that_was_forgotten_lets_go(self):
        HandOver().take(at_once)
        gc.collect()
        assert eventually(lambda: not is_recorder_here(), 5)


def test_a_directory_that_is_gone_ends_no_recorder(settings, tmp_path, caplog):
    one = HandOver()
    one.take(at_once)
    one._next = type("Gone", (), {"acquire": lambda _self: (_ for _ in ()).throw(OSError(24, "Too many open files"))})()
    assert not one.is_wanted()
    assert "Too many open files" in caplog.text


def test_one_that_waits_for_long_says_so_once(monkeypatch, caplog):
    monkeypatch.setattr("metrics.recording.hand_over.OVERDUE_SECONDS", 0.0)
    waits = iter([False] * 5 + [True])
    with lock_of(RECORDER):
        assert not HandOver().take(lambda _seconds: next(waits))
    assert [record.getMessage().split(" of ")[0] for record in caplog.records] == ["another recorder does not let go"]


def test_what_replaces_the_database_is_refused_while_anybody_records():
    one = HandOver()
    one.take(at_once)
    with pytest.raises(DirectoryInUse, match=r"recorder \(`qcluster`\)"):
        hold_data_directory([RECORDER])
    one.let_go()
    with hold_data_directory([RECORDER]):
        assert not one.take(at_once)


def record(pipe):
    """In a process of its own: have a turn, say so, and go on until something is said."""
    one = HandOver()
    pipe.send(one.take(at_once))
    pipe.recv()
    one.let_go()


def record_and_fork(pipe):
    """The same, with a child that outlives it."""
    one = HandOver()
    one.take(at_once)
    child = os.fork()
    if not child:
        time.sleep(20)
        os._exit(0)
    pipe.send(child)
    pipe.recv()


def lines_up(pipe):
    """In a process of its own: wait for a turn, and say when it has come."""
    one = HandOver()
    pipe.send("waits")
    pipe.send(one.take(wait_a_little))
    pipe.recv()


@needs_fork
class TestBetweenProcesses:
    @pytest.fixture
    def start(self):
        """Run one of the functions above in a process of its own; it and its pipe."""
        context, started = multiprocessing.get_context("fork"), []

        def start(target):
            ours, theirs = context.Pipe()
            process = context.Process(target=target, args=(theirs,))
            process.start()
            started.append(process)
            return process, ours

        yield start
        for process in started:
            process.kill()
            process.join(10)

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_one_that_is_killed_lets_go_by_itself(self, start, number):
        process, pipe = start(record)
        assert pipe.recv()
        other = HandOver()
        assert not other.take(at_once)
        os.kill(process.pid, number)
        assert other.take(wait_a_little)

    def test_one_that_is_killed_while_it_waits_is_not_waited_for(self, start):
        one = HandOver()
        one.take(at_once)
        process, pipe = start(lines_up)
        assert pipe.recv() == "waits"
        assert eventually(one.is_wanted, 5)
        process.kill()
        process.join(10)
        assert not one.is_wanted()

    def test_one_that_is_suspended_keeps_its_turn_until_it_goes_on_or_is_killed(self, start):
        process, pipe = start(record)
        assert pipe.recv()
        os.kill(process.pid, signal.SIGSTOP)
        other = HandOver()
        waits = iter([False] * 20 + [True])
        assert not other.take(lambda seconds: wait_a_little(seconds) or next(waits))
        os.kill(process.pid, signal.SIGCONT)
        pipe.send("end")
        assert other.take(wait_a_little)

    def test_a_fork_does_not_hold_what_its_parent_held(self, start):
        process, pipe = start(record_and_fork)
        child = pipe.recv()
        assert is_recorder_here()
        process.kill()
        # Its child holds the pipe by which `join` would learn that it has ended.
        os.waitpid(process.pid, 0)
        os.kill(child, 0)
        assert HandOver().take(wait_a_little), "its child still lives"
        os.kill(child, signal.SIGKILL)

    def test_a_fork_that_ends_lets_go_of_nothing(self, start):
        one = HandOver()
        one.take(at_once)
        process, _pipe = start(lambda _pipe: None)
        process.join(10)
        assert not HandOver().take(at_once)
        one.let_go()


class TestWhereTheDirectoryIsMoved:
    @pytest.fixture
    def recorder(self, tmp_path, settings):
        settings.SYSMON_DATA_DIR = tmp_path / "data"
        recorder = HandOver()
        assert recorder.take(at_once)
        (tmp_path / "data").rename(tmp_path / "moved")
        yield recorder
        recorder.let_go()

    def test_the_recorder_locks_what_its_path_names_now_and_goes_on(self, recorder):
        assert not recorder.is_wanted()
        assert is_recorder_here()
        assert not HandOver().take(at_once)

    def test_the_recorder_ends_where_another_one_has_taken_that(self, recorder):
        other = HandOver()
        assert other.take(at_once)
        assert recorder.is_wanted()
        other.let_go()
