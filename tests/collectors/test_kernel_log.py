"""Kills of the kernel, from what it really wrote, by the reader of /dev/kmsg."""

import os
from pathlib import Path

import pytest

from metrics.collectors import kernel_log
from metrics.collectors.kernel_log import OomKill, oom_kills, unit_of

RECORDED = Path(__file__).with_name("kernel_log.txt")
PYTHON = OomKill(789, 33614.596949, 23507, "python3", 0, 39104 * 1024, "/shop.slice/shop.service", True)
JAVA_GROUP = "/user.slice/user-1000.slice/session-3.scope"
JAVA = OomKill(793, 33620.0001, 812, "ja,va) (x", 1000, 8_000_120 * 1024, JAVA_GROUP, False)


@pytest.fixture
def kmsg(monkeypatch, tmp_path):
    monkeypatch.setattr(kernel_log, "KMSG", tmp_path / "kmsg")
    return tmp_path / "kmsg"


def test_a_recorded_log_has_its_victims_and_nobody_that_a_program_made_up(kmsg):
    kmsg.write_bytes(RECORDED.read_bytes())
    assert oom_kills() == [PYTHON, JAVA]


@pytest.mark.skipif(not hasattr(os, "pipe2") or not hasattr(os, "O_DIRECT"), reason="needs a pipe of packets")
def test_records_come_one_a_read_and_the_end_is_not_waited_for(monkeypatch):
    """As the kernel gives them: each read is one record, and where there is none yet it would block."""
    out, into = os.pipe2(os.O_DIRECT | os.O_NONBLOCK)
    monkeypatch.setattr(kernel_log, "KMSG", Path(f"/proc/self/fd/{out}"))
    for line in RECORDED.read_bytes().replace(b"\n ", b"\x00 ").splitlines():
        os.write(into, line.replace(b"\x00", b"\n") + b"\n")
    assert oom_kills() == [PYTHON, JAVA]
    assert oom_kills() == []
    os.close(out)
    os.close(into)


def test_records_that_were_overwritten_meanwhile_are_passed_over(kmsg, monkeypatch):
    kmsg.write_bytes(b"")
    answers = [BrokenPipeError(), RECORDED.read_bytes(), BlockingIOError()]

    def read(_descriptor, _size):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(os, "read", read)
    assert oom_kills() == [PYTHON, JAVA]


@pytest.mark.parametrize(
    ("text", "uid", "held", "is_of_a_limit"),
    [
        ("Killed process 7 (mysqld) total-vm:9kB, anon-rss:5kB, file-rss:2kB", None, 7, False),
        ("Killed process 7 (mysqld), UID 27, total-vm:9kB, anon-rss:5kB, file-rss:2kB, shmem-rss:1kB", 27, 8, False),
        (("Out of memory: Killed process 7 (mysqld) total-vm:9kB, anon-rss:5kB, file-rss:2kB, shmem-rss:1kB, UID:27"
         " pgtables:1kB oom_score_adj:0"), 27, 8, False),
        (("Memory cgroup out of memory: Killed process 7 (mysqld) total-vm:9kB, anon-rss:5kB, file-rss:2kB,"
         " shmem-rss:1kB"), None, 8, True),
    ],
)  # fmt: skip
def test_each_kernel_says_it_in_its_own_way(kmsg, text, uid, held, is_of_a_limit):
    kmsg.write_text(f"3,5,1000000,-;{text}\n")
    assert oom_kills() == [OomKill(5, 1.0, 7, "mysqld", uid, held * 1024, None, is_of_a_limit)]


@pytest.mark.parametrize(
    ("name", "shown"), [(r"a\x1b[2J", "a\x1b[2J"), (r"\xec\xbb\xb4", "컴"), (r"\xff", r"\xff"), ("a\\x5cb", "a\\b")]
)
def test_a_name_is_what_the_kernel_wrote_out(kmsg, name, shown):
    kmsg.write_text(f"3,5,1000000,-;Killed process 7 ({name}) total-vm:9kB, anon-rss:5kB, file-rss:2kB\n")
    assert [kill.name for kill in oom_kills()] == [shown]


@pytest.mark.parametrize("content", [b"", b"\0\xff\n;;\n3,x,1,-;\n", b"3,5,1,-;Killed process 7 (x)\n"])
def test_what_is_no_record_is_none(kmsg, content):
    kmsg.write_bytes(content)
    assert oom_kills() == []


def test_where_the_log_may_not_be_read_there_is_nothing(kmsg):
    assert oom_kills() == []


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        (None, None),
        ("/", None),
        ("/system.slice/nginx.service", "nginx.service"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", "app-x.scope"),
        ("/system.slice/docker-0123abcd.scope/init", "docker-0123abcd.scope"),
        ("/docker/0123abcd", "0123abcd"),
    ],
)
def test_a_control_group_is_a_unit_or_a_container(path, unit):
    assert unit_of(path) == unit
