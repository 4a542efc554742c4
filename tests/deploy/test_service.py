"""The plain install, by what docs/deploying.md tells root to type, on a copy of this machine's directories.

systemd itself does not run here: its programs do their part of it offline, and the test starts what the unit says.
"""

import os
import re
import sqlite3
import subprocess
import sys
import sysconfig
from contextlib import closing
from pathlib import Path

import pytest

from tests.deploy.documented import Terminal, below, installed
from tests.skips import missing, needs
from tests.source import ROOT
from tests.supervision.running import eventually, free_port

pytestmark = pytest.mark.live
INSTALL, AS_ITS_USER = below("docs/deploying.md", "2. A service")
UNIT = ROOT / "deploy/systemd/sysmon.service"
# Nothing that is typed reaches this machine: what is written below these goes into a directory of the test.
BOX = """
for name in etc opt var; do
    mkdir -p "$0/$name/written" "$0/$name/work"
    mount -t overlay overlay -o "lowerdir=/$name,upperdir=$0/$name/written,workdir=$0/$name/work" "/$name" || exit 77
    test "$(stat -f -c %T "/$name")" = overlayfs || exit 77
done
# There on every machine that systemd runs.
mkdir -p /etc/sysusers.d /etc/systemd/system
# Where the service's user may go too: root's own may be in root's home.
mkdir -p /opt/python /opt/packages
mount --bind "$1" /opt/python && mount --bind "$2" /opt/packages || exit 77
shift 2
exec "$@"
"""
# Starting is what it cannot do offline; all else that is asked of it, it does.
SYSTEMCTL = '#!/bin/sh\nfor word; do shift; test "$word" = --now || set -- "$@" "$word"; done\nexec {systemctl} "$@"\n'


@pytest.fixture
def box(tmp_path):
    if os.geteuid() != 0:
        missing("needs root, whose commands these are")
    places = [str(tmp_path / "box"), sys.base_prefix, sysconfig.get_path("purelib")]
    box = [needs("unshare"), "--mount", "--propagation", "private", "sh", "-c", BOX, *places]
    can = subprocess.run([*box, "true"], capture_output=True, text=True, check=False)
    if can.returncode:
        missing(f"needs mounts of its own: {can.stderr.strip()}")
    return box


@pytest.fixture
def terminal(tmp_path, box):
    for program in ("systemd-sysusers", "journalctl", "runuser", "setpriv"):
        needs(program)
    installed(tmp_path / "fetched" / "sysmon")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL.format(systemctl=needs("systemctl")))
    (programs / "systemctl").chmod(0o755)
    # pip finds in the environment of the tests what it would fetch.
    packages = {"PYTHONPATH": "/opt/packages", "LD_LIBRARY_PATH": "/opt/python/lib", "PIP_NO_INDEX": "1"}
    offline = {"SYSTEMD_OFFLINE": "1", "SYSTEMD_PAGER": "cat"}
    terminal = Terminal(tmp_path / "fetched", {}, [programs, Path("/opt/python/bin")], box, **packages, **offline)
    yield terminal
    terminal.close()


def service_line(port):
    """What systemd would run, with the settings and as the user that the unit says."""
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    environment = settings["Environment"].replace("%S", "/var/lib")
    user = f"--reuid={settings['User']} --regid={settings['Group']} --init-groups"
    return f"setpriv {user} env {environment} SYSMON_PORT={port} {settings['ExecStart']}"


def make_state_directory(terminal):
    """As `StateDirectory=` has it made."""
    terminal.type("install --directory --owner=sysmon --group=sysmon --mode=0700 /var/lib/sysmon")


def ticks_in(file):
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        return opened.execute("SELECT COUNT(*) FROM metrics_tick").fetchone()[0]


def test_a_service_is_installed_and_records_as_the_page_says(terminal, tmp_path):
    port = free_port()
    for line in INSTALL.lines:
        terminal.type(line)
    wanted = tmp_path / "box/etc/written/systemd/system/multi-user.target.wants/sysmon.service"
    assert wanted.is_symlink(), terminal.screen()
    make_state_directory(terminal)
    terminal.start(service_line(port))
    file = tmp_path / "box/var/written/lib/sysmon/sysmon.sqlite3"
    assert eventually(lambda: ticks_in(file), 20), terminal.screen()
    terminal.press_ctrl_c()
    for line in AS_ITS_USER.lines:
        terminal.type(line)
    assert "Traceback" not in terminal.screen()


def test_what_runs_in_the_box_leaves_this_machine_alone(terminal, tmp_path):
    terminal.type("touch /etc/sysmon-was-here /opt/sysmon-was-here /var/sysmon-was-here")
    assert not [name for name in ("etc", "opt", "var") if Path(f"/{name}/sysmon-was-here").exists()]
    assert len(list((tmp_path / "box").glob("*/written/sysmon-was-here"))) == 3
