"""The queue in Redis: a real `up` whose Redis is killed and comes back; recording does not notice."""

import itertools
import os
import time

import pytest
import redis

from tests.redis_server import running_redis, start_redis
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]


class Server:
    """A Redis that can be killed, and started again without what it held."""

    def __init__(self, directory, address, process):
        self.directory, self.address, self.process = directory, address, process

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def start(self):
        self.process = start_redis(self.directory, self.address)

    def held(self):
        with redis.Redis.from_url(self.address, decode_responses=True) as client:
            return client.keys()


@pytest.fixture
def server(tmp_path):
    with running_redis(tmp_path) as (address, process):
        server = Server(tmp_path, address, process)
        yield server
        server.kill()


@pytest.fixture
def up(tmp_path, server):
    running = Up(tmp_path / "data", REDIS_URL=server.address, SYSMON_HOSTNAME="web-1")
    yield running
    running.end_for_sure()


def windows(up):
    return up.query("SELECT taken_over_at, pid FROM metrics_recorder")[0]


def assert_no_hole(ticks):
    assert {later - earlier for earlier, later in itertools.pairwise(ticks)} == {1}, ticks


def test_redis_holds_the_queue_and_the_rates(up, server):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 2, 15)
    assert up.query("SELECT COUNT(*) FROM django_q_ormq") == [(0,)]
    assert up.status("/admin/login/", data=b"") == 403
    assert any("sign-in" in key for key in server.held())


@pytest.mark.soak
def test_without_redis_recording_goes_on_and_nothing_is_a_500(up, server, is_soak):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 3, 15)
    first = windows(up)
    server.kill()
    began = time.time()
    statuses = set()

    def outage_is_over():
        statuses.update(up.get(path)[0] for path in ("/api/v1/health", "/api/v1/metrics/current", "/api/v1/hosts"))
        statuses.add(up.status("/admin/login/", data=b""))
        return time.time() > began + (200 if is_soak else 8)

    assert eventually(outage_is_over, 260)
    assert statuses <= {200, 403, 429}
    assert windows(up) == first
    server.start()
    if is_soak:
        assert eventually(lambda: windows(up) != first, 100), up.log.read_text()
    assert eventually(lambda: "Redis answers again" in up.log.read_text(), 10)
    assert_no_hole(up.ticks()[1:])
    assert "Traceback" not in up.log.read_text()
    lines = [line for line in up.log.read_text().splitlines() if "csrf" not in line]
    assert len(lines) < 20, up.log.read_text()


def test_a_start_without_redis_records_and_the_cluster_takes_over_when_it_is_there(up, server):
    server.kill()
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 4, 15), up.log.read_text()
    stand_in = windows(up)
    server.start()
    assert eventually(lambda: windows(up) != stand_in, 15), up.log.read_text()
    before = up.newest_tick()
    assert eventually(lambda: up.newest_tick() > before + 2, 10)
    assert_no_hole(up.ticks()[1:])
    assert "Traceback" not in up.log.read_text()
