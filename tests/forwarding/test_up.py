"""`up` forwards by itself: the schedule, the worker, the settings and the database as a user has them."""

import pytest

from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live

# What the scheduler does each minute.
NOW = "from django_q.tasks import async_task; async_task('metrics.tasks.forward', cluster='test-host')"


@pytest.fixture
def up(tmp_path, influxdb):
    up = Up(tmp_path / "data", SYSMON_FORWARD_URL=influxdb.url, SYSMON_HOSTNAME="test-host")
    up.start()
    yield up
    up.end_for_sure()


def cursor(up):
    return up.query("SELECT last_tick, errors, points FROM metrics_forwardcursor")


def test_a_killed_influxdb_has_every_tick_once_when_it_is_back(up, influxdb):
    assert up.query("SELECT func FROM django_q_schedule WHERE func LIKE '%forward'") == [("metrics.tasks.forward",)]
    assert eventually(lambda: len(up.ticks()) > 2, 10)
    up.run("shell", "-c", NOW)
    assert eventually(lambda: cursor(up) and cursor(up)[0][2], 20)
    influxdb.program.kill()
    up.run("shell", "-c", NOW)
    assert eventually(lambda: cursor(up)[0][1] >= 1, 20)
    influxdb.program.start()
    up.stop()
    # The pause after the failure is not waited for.
    forward_now = "from metrics.models import ForwardCursor as c; from metrics.tasks import forward; "
    up.run("shell", "-c", forward_now + "c.objects.update(retry_at=None); forward()")
    assert influxdb.times("load_1", "sysmon_cpu") == up.ticks()
