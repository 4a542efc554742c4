"""Two hundred cables of containers on the real program, in a network of its own."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from metrics.models.others import MAX_NAMED, NAMES
from tests.skips import missing, needs
from tests.supervision.running import PROJECT, Up

pytestmark = pytest.mark.live

PAIRS = 200
CABLES = f"for n in $(seq {PAIRS}); do ip link add veth$n type veth peer name tap$n; done; ip link set lo up"


@pytest.fixture
def record(tmp_path):
    """Records three ticks of a network with so many interfaces; gives what is stored of the newest one."""
    needs("ip")
    box = [needs("unshare"), "--user", "--map-root-user", "--net", "sh", "-e", "-c"]
    can = subprocess.run(
        [*box, "ip link add veth0 type veth peer name tap0"], capture_output=True, text=True, check=False
    )
    if can.returncode:
        missing(f"needs networks that a user may make: {can.stderr.strip()}")

    def run(**settings):
        up = Up(tmp_path / "data", **settings)
        command = f'{CABLES}; exec "{sys.executable}" manage.py collect --interval 1 --duration 3'
        subprocess.run([*box, command], cwd=PROJECT, env=up.environment, capture_output=True, check=True)
        with closing(sqlite3.connect(tmp_path / "data/sysmon.sqlite3")) as database:
            names = database.execute(
                "SELECT interface FROM metrics_interfacesample WHERE tier = 0"
                " AND timestamp = (SELECT MAX(timestamp) FROM metrics_tick)"
            ).fetchall()
            [[left_out]] = database.execute("SELECT left_out FROM metrics_collectorstate WHERE family = 'network'")
        return {name for (name,) in names}, {one["reason"]: one["count"] for one in json.loads(left_out or "[]")}

    return run


def test_cables_of_containers_are_not_stored_and_the_rest_has_bounds(record):
    names, left_out = record()
    assert not any(name.startswith("veth") for name in names)
    assert len(names.difference(NAMES)) == MAX_NAMED
    assert left_out == {"excluded": PAIRS, "summed": PAIRS + 1 - MAX_NAMED}


def test_all_can_be_stored_within_the_bounds(record):
    names, left_out = record(SYSMON_EXCLUDE_INTERFACES="none")
    assert len(names.difference(NAMES)) == MAX_NAMED
    assert left_out == {"summed": 2 * PAIRS + 1 - MAX_NAMED}


def test_what_is_excluded_by_name_is_not_missed_in_the_rest(record):
    names, left_out = record(SYSMON_EXCLUDE_INTERFACES="veth*, tap*")
    assert names == {"lo"}
    assert left_out == {"excluded": 2 * PAIRS}
