"""The unit of the plain install, as systemd itself reads it."""

import re
import subprocess
import sys

import pytest

from tests.skips import needs
from tests.source import ROOT

UNIT = ROOT / "deploy/systemd/sysmon.service"
MAX_EXPOSED = 40  # tenths: systemd calls up to 4.0 "OK"


@pytest.fixture
def analyze(tmp_path):
    """Run systemd-analyze on a unit that is installed here and not in /opt."""
    program = needs("systemd-analyze")

    def run(*arguments, text=None):
        unit = tmp_path / UNIT.name
        text = text or UNIT.read_text()
        unit.write_text(text.replace("/opt/sysmon/.venv/bin/python", sys.executable).replace("/opt/sysmon", str(ROOT)))
        return subprocess.run([program, *arguments, unit], capture_output=True, text=True, check=False)

    return run


def settings_of_the_unit():
    return re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE)


def test_systemd_accepts_the_unit(analyze):
    done = analyze("verify", "--man=no")
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_notices_a_wrong_setting(analyze):
    done = analyze("verify", "--man=no", text=UNIT.read_text().replace("RestrictNamespaces", "RestrictNamespace"))
    assert "'RestrictNamespace'" in done.stderr


def test_the_service_is_exposed_little(analyze):
    done = analyze("security", "--offline=yes", f"--threshold={MAX_EXPOSED}")
    assert done.returncode == 0, done.stdout


def test_it_is_started_again_whatever_its_exit_status_was():
    assert ("Restart", "always") in settings_of_the_unit()


def test_the_signal_goes_to_the_supervisor_alone_and_leaves_it_its_ten_seconds():
    settings = dict(settings_of_the_unit())
    assert settings["KillMode"] == "mixed"
    assert int(settings["TimeoutStopSec"]) > 10


def test_it_writes_where_systemd_made_it_a_directory():
    settings = settings_of_the_unit()
    assert ("StateDirectory", "sysmon") in settings
    assert any(name == "Environment" and "SYSMON_DATA_DIR=%S/sysmon" in value.split() for name, value in settings)


def test_the_user_of_the_unit_is_the_one_that_is_made():
    made = re.findall(r"^u (\w+) ", (UNIT.parent / "sysmon.sysusers.conf").read_text(), re.MULTILINE)
    assert made == [dict(settings_of_the_unit())["User"]]
