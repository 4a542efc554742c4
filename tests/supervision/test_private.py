"""The real program in a data directory of any name, under any umask, and among other users."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.storage.permissions import HAS_MODES
from tests.skips import missing, needs, only_on_sqlite
from tests.supervision.running import PROJECT, Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not HAS_MODES, reason="Windows has no modes"),
    only_on_sqlite("about its file"),
]

NAMES = ["disk#1", "what? %2e ", "q'\"`$\nx", "한국 mode=memory", "file:100%25"]
ONCE = ("collect", "--interval", "1", "--duration", "1")


def modes(directory):
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in [directory, *directory.rglob("*")]}


def assert_private(directory):
    found = modes(directory)
    assert {name: mode for name, mode in found.items() if mode not in {0o600, 0o700}} == {}
    assert found["sysmon.sqlite3"] == found["secret_key"] == 0o600
    assert found[directory.name] == 0o700


@pytest.mark.parametrize("name", [os.fsencode(name) for name in NAMES] + [b"\xff\xfe"])
def test_a_path_is_a_path(tmp_path, name):
    directory = tmp_path / os.fsdecode(name)
    up = Up(directory, DATABASE_URL="")
    for command in (ONCE, ("backup", str(directory / "copy #1?")), ("restore", str(directory / "copy #1?"))):
        done = up.run(*command)
        assert (done.returncode, done.stderr) == (0, ""), command
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]
    assert_private(directory)


def test_two_directories_never_share_a_database(tmp_path):
    for number in range(2):
        assert Up(tmp_path / f"disk#{number}", DATABASE_URL="").run(*ONCE).returncode == 0
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("sysmon.sqlite3"))
    assert files == [Path("disk#0/sysmon.sqlite3"), Path("disk#1/sysmon.sqlite3")]


@pytest.mark.parametrize("umask", ["000", "022", "077", "0777"])
def test_everything_is_private_under_any_umask(tmp_path, umask):
    up = Up(tmp_path / "data", DATABASE_URL="")
    under = ["sh", "-c", f'umask {umask}; exec "$0" "$@"']
    assert up.run(*ONCE, prefix=under).returncode == 0
    assert_private(up.directory)
    assert up.run("backup", str(tmp_path / "copy"), prefix=under).returncode == 0
    assert modes(tmp_path)["copy"] == 0o600


def test_while_it_runs_every_file_is_private_and_what_was_open_is_mended_in_one_line(tmp_path):
    up = Up(tmp_path / "data", DATABASE_URL="")
    up.directory.mkdir()
    up.directory.chmod(0o777)
    try:
        up.start(prefix=["sh", "-c", 'umask 000; exec "$0" "$@"'])
        assert eventually(lambda: "sysmon.sqlite3-wal" in modes(up.directory) and up.ticks(), 10)
        assert_private(up.directory)
        said = [line for line in up.log.read_text().splitlines() if "0777" in line]
        assert said == [f"sysmon: SYSMON_DATA_DIR={up.directory}: was open to other users (mode 0777) and is 0700 now"]
    finally:
        up.end_for_sure()


def test_a_key_that_others_could_read_is_replaced(tmp_path):
    up = Up(tmp_path / "data", DATABASE_URL="")
    assert up.run("check").returncode == 0
    key = up.directory / "secret_key"
    before = key.read_text()
    key.chmod(0o644)
    up.run("check")
    assert key.read_text() == before, "nobody could reach it: the directory was closed"
    key.chmod(0o644)
    up.directory.chmod(0o755)
    assert "a new one is made" in up.run("check").stderr
    assert key.read_text() != before


@pytest.mark.parametrize("whose", [".", "secret_key", "sysmon.sqlite3"])
def test_every_command_refuses_what_is_another_users_in_one_line(tmp_path, whose):
    if os.geteuid():
        missing("needs root, to make files of another user")
    up = Up(tmp_path / "data", DATABASE_URL="")
    assert up.run(*ONCE).returncode == 0
    os.chown(up.directory / whose, 12345, 12345)
    for command in (("up",), ONCE, ("top",), ("backup", str(tmp_path / "copy")), ("prune",), ("check",)):
        done = up.run(*command)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), command
        assert "belongs to uid 12345" in done.stderr
    assert not (tmp_path / "copy").exists()


def test_another_user_is_told_so_too(tmp_path):
    """Without root's rights, in a directory of root's that everybody may write."""
    if os.geteuid():
        missing("needs root, to become another user")
    tmp_path.chmod(0o777)
    user = [needs("setpriv"), "--reuid", "12345", "--regid", "12345", "--clear-groups"]
    # The interpreter may lie where only root may look.
    user += ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    done = Up(tmp_path, DATABASE_URL="").run("check", prefix=user)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "belongs to root (uid 0), and this program runs as uid 12345" in done.stderr


def test_the_address_of_a_file_is_decoded(tmp_path):
    place = tmp_path / "a b#?"
    place.mkdir(mode=0o755)
    up = Up(tmp_path / "data", DATABASE_URL=f"sqlite:///{tmp_path}/a%20b%23%3F/x%25.sqlite3")
    assert up.run(*ONCE).returncode == 0
    assert modes(place)["x%.sqlite3"] == 0o600
    assert not (up.directory / "sysmon.sqlite3").exists()


def test_root_may_run_a_copy_that_lies_in_somebodys_home(tmp_path):
    if os.geteuid():
        missing("needs root, to make files of another user")
    home = tmp_path / "home"
    ignored = shutil.ignore_patterns(".git", ".venv", "data", "tests", "docs", ".*_cache", "__pycache__")
    shutil.copytree(PROJECT, home / "sysmon", ignore=ignored)
    for path in (home, home / "sysmon"):
        os.chown(path, 12345, 12345)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SYSMON_", "DATABASE_"))}
    command = [sys.executable, "manage.py", "check"]
    settings = {"DJANGO_SETTINGS_MODULE": "sysmon_project.settings"}
    done = subprocess.run(command, cwd=home / "sysmon", env=environment | settings, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
