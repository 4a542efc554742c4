"""What the machine's zone is called, where it does not say so itself."""

import os
import subprocess
import sys
import time
import zoneinfo
from pathlib import Path

import pytest

from sysmon_project import time_zone
from tests.source import ROOT

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="the C library's zone cannot be set here")


@pytest.fixture
def zone_of(monkeypatch, tmp_path):
    """What a machine calls its zone, whose TZ is as given, and whose own name for it tzlocal has."""

    def of(tz, name=None, localtime=None):
        monkeypatch.setenv("TZ", tz) if tz else monkeypatch.delenv("TZ", raising=False)
        monkeypatch.setattr(time_zone.tzlocal, "get_localzone_name", lambda: name)
        monkeypatch.setattr(time_zone, "LOCALTIME", localtime or tmp_path / "none")
        time.tzset()
        return time_zone.machine_time_zone()

    yield of
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("tz", "zone"),
    [
        ("KST-9", "Asia/Seoul"),
        ("JST-9", "Asia/Tokyo"),
        ("EST5EDT,M3.2.0,M11.1.0", "America/New_York"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin"),
        ("IST-5:30", "Asia/Kolkata"),
        ("XYZ-9", "Asia/Seoul"),
        ("UTC0", "UTC"),
    ],
)
def test_a_rule_is_the_zone_that_has_its_time(zone_of, tz, zone):
    name = zone_of(tz)
    if tz[:3] in {"KST", "JST"}:
        assert name == zone
    now = time.time()
    for moment in (now, now + 180 * 86_400):
        here = time.localtime(moment)
        assert time_zone.has_offsets(name, [moment], [here.tm_gmtoff])
        assert time_zone.has_offsets(zone, [moment], [here.tm_gmtoff])


def test_a_rule_that_no_zone_has_is_utc_with_a_word(zone_of, capsys):
    assert zone_of("XXX-3:17") == "UTC"
    assert "XXX-3:17" in (line := capsys.readouterr().err)
    assert "SYSMON_TIME_ZONE" in line
    assert line.count("\n") == 1


def test_a_name_that_the_machine_gives_is_kept(zone_of, capsys):
    assert zone_of("Europe/Paris", "Europe/Paris") == "Europe/Paris"
    assert capsys.readouterr().err == ""


def test_a_name_whose_time_the_machine_does_not_have_is_not_believed(zone_of):
    assert zone_of("Asia/Seoul", "Etc/UTC") == "Asia/Seoul"


def test_conflicting_names_are_no_reason_not_to_start(zone_of, monkeypatch):
    def refuse():
        raise zoneinfo.ZoneInfoNotFoundError("Multiple conflicting time zone configurations found")

    zone_of("Asia/Seoul")
    monkeypatch.setattr(time_zone.tzlocal, "get_localzone_name", refuse)
    assert time_zone.machine_time_zone() == "Asia/Seoul"


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/St_Johns", "Australia/Lord_Howe", "Europe/Berlin"])
def test_a_copied_or_mounted_localtime_is_the_zone_of_its_content(zone, tmp_path):
    """In a mount namespace of its own, in a process that has not read it yet."""
    source = next((Path(d) / zone for d in zoneinfo.TZPATH if (Path(d) / zone).is_file()), None)
    if source is None:
        pytest.skip("the system has no files of time zones")
    copy = tmp_path / "localtime"
    copy.write_bytes(source.read_bytes())
    program = "from sysmon_project.time_zone import machine_time_zone; print(machine_time_zone())"
    mount = 'mount --make-rprivate / && mount --bind "$0" /etc/localtime || exit 77; unset TZ; exec "$1" -c "$2"'
    command = ["unshare", "-m", "sh", "-c", mount, str(copy), sys.executable, program]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    found = done.stdout.strip()
    directory = source.parents[len(Path(zone).parents) - 1]
    assert (directory / found).read_bytes() == source.read_bytes(), (found, done.stderr)
