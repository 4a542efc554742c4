"""Mounts that answer, refuse, are slow, or hang: each costs itself alone."""

import threading
import time

import pytest

from metrics.collectors import mount_questions
from metrics.collectors.file_systems import Space
from metrics.collectors.mount_questions import LOCAL_THREADS, MAX_WAITING_THREADS, SLOW_SECONDS, MountQuestions
from metrics.collectors.mounts import Mount

SPACE = Space(1000, 750, 700, 1000, 875)


def mount(number, path, device_number=None):
    return Mount(number, 1, device_number or f"0:{number}", "/", path, path, "ext4", "/dev/x", False)


ROOT, HOME, USB = mount(1, "/"), mount(2, "/home"), mount(3, "/usb")
NAS, BACKUP = mount(4, "/nas"), mount(5, "/backup")
SELDOM = {NAS.number: 60.0, BACKUP.number: 60.0}


class Kernel:
    """Answers for every path, but for those that hang until they are let go, or that refuse."""

    def __init__(self, monkeypatch):
        self.seconds = 1000.0
        self.asked = []
        self.hanging = {}
        self.refusing = set()
        self.questions = MountQuestions(lambda: self.seconds + time.monotonic())
        self.before = {thread.ident for thread in threading.enumerate()}
        monkeypatch.setattr(mount_questions, "space_at", self._space_at)
        monkeypatch.setattr(mount_questions, "TOGETHER_SECONDS", 0.1)
        monkeypatch.setattr(mount_questions, "PATIENCE_SECONDS", 0.6)

    def hang(self, *mounts):
        self.hanging |= {mount.path: threading.Event() for mount in mounts}

    def let_go(self):
        """Let everything answer, and wait until it has."""
        for event in self.hanging.values():
            event.set()
        self.hanging = {}
        for thread in self.threads():
            thread.join(0.5)

    def threads(self):
        mine = [t for t in threading.enumerate() if t.name == "collector-disk-mounts" and t.ident not in self.before]
        return [thread for thread in mine if thread.is_alive()]

    def _space_at(self, path, _before):
        self.asked.append(path)
        if path in self.hanging:
            self.hanging[path].wait(20)
        if path in self.refusing:
            raise PermissionError(13, "Permission denied")
        return SPACE

    def ask(self, *mounts, seldom=SELDOM):
        self.asked.clear()
        self.questions.ask(mounts, seldom)
        return [self.questions.space(one, seldom.get(one.number, 0.0)) is not None for one in mounts]


@pytest.fixture
def kernel(monkeypatch):
    kernel = Kernel(monkeypatch)
    yield kernel
    kernel.let_go()


def test_all_are_asked_at_each_reading_by_one_thread(kernel):
    for _reading in range(3):
        assert kernel.ask(ROOT, HOME, USB) == [True, True, True]
        assert kernel.asked == ["/", "/home", "/usb"]
    assert len(kernel.threads()) == 1


@pytest.mark.parametrize("hanging", [[ROOT], [HOME], [USB], [ROOT, USB], [ROOT, HOME, USB]])
def test_one_that_hangs_costs_nobody_else_anything_and_is_left_alone(kernel, hanging):
    kernel.hang(*hanging)
    expected = [one not in hanging for one in (ROOT, HOME, USB)]
    assert kernel.ask(ROOT, HOME, USB) == expected
    assert kernel.ask(ROOT, HOME, USB) == expected
    assert kernel.asked == [one.path for one in (ROOT, HOME, USB) if one not in hanging]
    kernel.seconds += 7
    assert all(kernel.questions.complaint(one) in ("no answer for 7 s", "no answer for 8 s") for one in hanging)


def test_one_that_hangs_is_asked_again_when_it_has_answered(kernel):
    kernel.hang(USB)
    kernel.ask(ROOT, USB)
    kernel.let_go()
    assert kernel.ask(ROOT, USB) == [True, True]


def test_one_that_began_to_hang_has_no_space_any_more(kernel):
    assert kernel.ask(ROOT, USB) == [True, True]
    kernel.hang(USB)
    assert kernel.ask(ROOT, USB) == [True, False]


def test_where_one_mount_of_a_file_system_hangs_no_other_is_asked(kernel):
    again = mount(9, "/bind", USB.device_number)
    kernel.hang(USB, again)
    assert kernel.ask(ROOT, USB, again) == [True, False, False]
    kernel.ask(ROOT, USB, again)
    assert kernel.asked == ["/"]


def test_threads_that_hang_are_bounded_and_local_mounts_are_asked_all_the_same(kernel):
    servers = [mount(100 + number, f"/nas/{number}") for number in range(60)]
    kernel.hang(*servers)
    seldom = {one.number: 60.0 for one in servers}
    for _reading in range(3):
        assert kernel.ask(ROOT, *servers, seldom=seldom) == [True] + [False] * 60
    assert len(kernel.threads()) <= MAX_WAITING_THREADS + 1
    assert kernel.questions.complaint(servers[-1]) == "not asked: too many others do not answer"
    disks = [mount(200 + number, f"/disk/{number}") for number in range(60)]
    kernel.hang(*disks)
    for _reading in range(30):
        kernel.ask(*disks, seldom={})
    assert len(kernel.threads()) <= MAX_WAITING_THREADS + LOCAL_THREADS + 1


def test_a_server_is_asked_once_a_minute_and_its_answer_holds_in_between(kernel):
    assert kernel.ask(ROOT, NAS) == [True, True]
    for seconds, asked in [(5, ["/"]), (50, ["/"]), (5, ["/", "/nas"]), (5, ["/"])]:
        kernel.seconds += seconds
        assert kernel.ask(ROOT, NAS) == [True, True]
        assert sorted(kernel.asked) == asked


def test_the_answer_of_a_slow_server_holds_until_it_is_stuck(kernel):
    kernel.ask(NAS)
    kernel.hang(NAS)
    kernel.seconds += 60
    assert kernel.ask(NAS) == [True]
    kernel.seconds += SLOW_SECONDS + 1
    assert kernel.ask(NAS) == [False]
    assert kernel.questions.complaint(NAS).startswith("no answer for 1")
    kernel.let_go()
    assert kernel.ask(NAS) == [True]


def test_one_server_that_hangs_leaves_the_other_alone(kernel):
    kernel.hang(NAS)
    assert kernel.ask(ROOT, NAS, BACKUP) == [True, False, True]


def test_one_that_refuses_says_why(kernel):
    kernel.refusing.add("/home")
    assert kernel.ask(ROOT, HOME) == [True, False]
    assert kernel.questions.complaint(HOME) == "Permission denied"
    kernel.refusing.clear()
    assert kernel.ask(ROOT, HOME) == [True, True]


def test_a_number_that_is_used_again_is_another_mount(kernel):
    kernel.ask(NAS)
    other = mount(NAS.number, "/other", "0:99")
    kernel.hang(other)
    assert kernel.ask(other) == [False]


def test_a_reading_ends_in_time_however_many_hang(kernel):
    disks = [mount(200 + number, f"/disk/{number}") for number in range(30)]
    kernel.hang(*disks)
    began = time.monotonic()
    kernel.ask(ROOT, *disks, seldom={one.number: 60.0 for one in disks[::2]})
    assert time.monotonic() - began < 3
