import os
from pathlib import Path

import psutil
import pytest

from metrics.collectors import procfs
from metrics.collectors.procfs import (
    parse_io,
    parse_stat,
    program_name,
    read_arguments,
    read_io,
    read_stat,
    read_uid,
    username,
)

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="/proc is Linux's")

STAT = (
    b"2201 (node) S 1 2201 2201 0 -1 4194560 28042 267673 0 138 66 321 536 467 20 0 11 0 2405 41824256 2943"
    b" 18446744073709551615 94001 94002 140001 0 0 0 0 4096 1256 0 0 0 17 1 0 0 0 0 0 94003 94004 94005 140100"
    b" 140200 140200 140300 0\n"
)
IO = b"""rchar: 7158
wchar: 182
syscr: 12
syscw: 1
read_bytes: 4096
write_bytes: 8192
cancelled_write_bytes: 512
"""


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(procfs, "PROC_DIRECTORY", str(tmp_path))
    (tmp_path / "2201").mkdir()
    return tmp_path / "2201"


def named(comm: bytes, state: bytes = b"S") -> bytes:
    return STAT.replace(b"(node) S", b"(" + comm + b") " + state)


def test_a_stat_line_is_parsed() -> None:
    stat = parse_stat(STAT)
    assert stat.comm == b"node"
    assert stat.status == "sleeping"
    assert stat.cpu_ticks == 66 + 321
    assert stat.threads == 11
    assert stat.start_ticks == 2405
    assert stat.rss_pages == 2943
    assert stat.image == (b"node", b"140001", b"140100")


@pytest.mark.parametrize(
    "comm", [b") (", b"a) R 1 1 1", b"", b"a\nb", b"(sd-pam)", b"\xff\xfe", b"tmux: server", b")" * 15]
)
def test_a_name_may_hold_any_byte(comm: bytes) -> None:
    stat = parse_stat(named(comm))
    assert (stat.comm, stat.start_ticks, stat.status) == (comm, 2405, "sleeping")


@pytest.mark.parametrize("length", [0, 1, 5, 12, 40, 120])
def test_a_line_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|not found"):
        parse_stat(STAT[:length])


@pytest.mark.parametrize("fields", [1, 10, 23])
def test_a_line_with_too_few_fields_is_refused(fields: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|not found"):
        parse_stat(b" ".join(STAT.split()[:fields]) + b"\n")


@pytest.mark.parametrize("fields", [24, 41, 44, 47, 52, 60])
def test_older_kernels_and_those_to_come_have_other_numbers_of_fields(fields: int) -> None:
    stat = parse_stat(b" ".join([*STAT.split(), *[b"0"] * 20][:fields]) + b"\n")
    assert stat[:-1] == parse_stat(STAT)[:-1]
    assert stat.image[0] == b"node"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (b"R", psutil.STATUS_RUNNING),
        (b"D", psutil.STATUS_DISK_SLEEP),
        (b"Z", psutil.STATUS_ZOMBIE),
        (b"I", psutil.STATUS_IDLE),
        (b"T", psutil.STATUS_STOPPED),
        (b"t", psutil.STATUS_TRACING_STOP),
        (b"N", "?"),
    ],
)
def test_a_status_is_said_in_the_words_of_psutil(state: bytes, status: str) -> None:
    assert parse_stat(named(b"node", state)).status == status


@pytest.mark.parametrize(
    ("comm", "shown"),
    [
        (b"kworker/0:1-events", b"kworker/0:1"),
        (b"kworker/u4:2+flush-8:0", b"kworker/u4:2"),
        (b"kworker/0:1H-kblockd", b"kworker/0:1H"),
        (b"kworker/R-writeback", b"kworker/R-writeback"),
        (b"kworker/1:0", b"kworker/1:0"),
    ],
)
def test_what_a_kernel_worker_works_on_is_not_its_name(comm: bytes, shown: bytes) -> None:
    assert parse_stat(named(comm)).comm == shown


def test_io_counts_what_went_to_storage() -> None:
    assert parse_io(IO) == (4096, 8192)


@pytest.mark.parametrize("text", [b"", b"rchar: 1\n", b"read_bytes:", b"read_bytes: x\n"])
def test_io_that_is_cut_short_is_none(text: bytes) -> None:
    assert parse_io(text) == (None, None)


def test_a_process_that_is_gone_is_not_found(process: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_stat("2201")


def test_io_of_a_kernel_that_does_not_count_it_is_none(process: Path) -> None:
    assert read_io("2201") == (None, None)


def test_io_of_a_process_that_is_gone_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise ProcessLookupError

    monkeypatch.setattr(os, "open", refuse)
    assert read_io("2201") == (None, None)


def test_io_that_is_refused_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError):
        read_io("2201")


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        (b"node\0server.js\0", ["node", "server.js"]),
        (b"app\0\0--x\0", ["app", "", "--x"]),
        (b"nginx: worker process\0\0\0\0", ["nginx: worker process"]),
        (b"", []),
        (b"\0\0", []),
        (b"app\0\xff\xfe\0", ["app", "\\xff\\xfe"]),
    ],
)
def test_a_command_line_is_split_at_its_nuls(process: Path, raw: bytes, arguments: list[str]) -> None:
    (process / "cmdline").write_bytes(raw)
    assert read_arguments("2201") == arguments


def test_a_command_line_that_is_refused_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    assert read_arguments("2201") is None
    assert read_uid("2201") is None


@pytest.mark.parametrize(
    ("comm", "arguments", "name"),
    [
        (b"node", ["/usr/bin/node", "x"], "node"),
        (b"gnome-terminal-", ["/usr/libexec/gnome-terminal-server"], "gnome-terminal-server"),
        (b"gnome-terminal-", None, "gnome-terminal-"),
        (b"gnome-terminal-", [], "gnome-terminal-"),
        (b"gnome-terminal-", ["other"], "gnome-terminal-"),
        (b"averyveryverylo", ["/opt/averyveryverylongname --password=x"], "averyveryverylongname"),
        (b"tmux: server na", ["tmux: server names it"], "tmux: server names"),
        (b"averyveryverylo", ["averyveryverylong:password=s3cret"], "averyveryverylong"),
        (b"averyveryverylo", ["averyveryverylo" + "n" * 4000], "averyveryverylo" + "n" * 240),
        ("ääääääää".encode()[:15], ["/bin/äääääääääb"], "äääääääääb"),
        (b"bad\xff", ["x"], "bad\\xff"),
    ],
)
def test_a_name_that_the_kernel_cut_is_completed(comm: bytes, arguments: list[str] | None, name: str) -> None:
    assert program_name(comm, arguments) == name


def test_a_user_is_the_real_one(process: Path) -> None:
    (process / "status").write_text("Name:\tsudo\nUmask:\t0022\nUid:\t0\t1000\t0\t0\nGid:\t5\t5\t5\t5\n")
    assert read_uid("2201") == 0


def test_a_user_without_a_name_is_a_number() -> None:
    assert username(4_000_000_123) == "4000000123"


def test_a_status_without_a_user_has_none(process: Path) -> None:
    (process / "status").write_text("Name:\tx\n")
    assert read_uid("2201") is None


def test_this_process_is_read_as_psutil_reads_it() -> None:
    me = psutil.Process()
    stat = read_stat(str(me.pid))
    assert stat.threads == me.num_threads()
    assert read_arguments(str(me.pid)) == me.cmdline()
    assert username(read_uid(str(me.pid)) or 0) == me.username()
    assert str(me.pid) in procfs.pids()
