"""The queue and the cache in a real Redis, to which somebody else writes too."""

import pickle

import pytest
import redis
from django.core.cache.backends.redis import RedisCache
from django_q.signing import SignedPackage

from metrics.schedules import JOBS
from metrics.supervision.own_jobs import package_of
from metrics.supervision.redis_options import CACHE_OPTIONS
from metrics.supervision.redis_queue import RedisQueue
from tests.redis_server import running_redis
from tests.supervision.planted import FOREIGN, Runs


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis")) as (address, _process):
        yield address


@pytest.fixture
def server(address):
    with redis.Redis.from_url(address) as client:
        client.flushall()
        yield client


@pytest.fixture
def queue(server, address, settings):
    settings.REDIS_URL = address
    return RedisQueue(list_key="test-host")


def test_what_is_queued_is_the_name_of_the_job_and_nothing_else(queue, server):
    queue.enqueue(package_of(JOBS[1]))
    assert server.lrange(queue.list_key, 0, -1) == [JOBS[1].func.encode()]
    [(_key, package)] = queue.dequeue()
    task = SignedPackage.loads(package)
    assert (task["func"], task["args"], task["kwargs"]) == (JOBS[1].func, (), {})


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_job_is_refused_without_being_unpickled_and_goes(queue, server, name, tmp_path, refused):
    server.rpush(queue.list_key, FOREIGN[name](tmp_path / "ran"))
    assert queue.dequeue() == []
    assert (len(refused()), server.llen(queue.list_key)) == (1, 0)
    assert not (tmp_path / "ran").exists()


def test_what_is_no_text_is_refused(queue, server, refused):
    server.rpush(queue.list_key, b"\xff\x00\xfe")
    assert queue.dequeue() == []
    assert len(refused()) == 1


def test_no_status_of_a_cluster_is_unpickled(queue, server, tmp_path):
    for name, make in FOREIGN.items():
        server.set(f"django_q:sysmon:cluster:{name}", make(tmp_path / "ran"))
    assert queue.get_stats("django_q:sysmon:cluster:*") == []
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def cache(server, address):
    return RedisCache(address, {"OPTIONS": CACHE_OPTIONS})


def test_the_cache_unpickles_nothing(cache, server, tmp_path):
    server.set(cache.make_key("planted"), pickle.dumps(Runs(tmp_path / "ran")))
    assert cache.get("planted") is None
    assert cache.get_many(["planted"]) == {"planted": None}
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", [1, 1.5, "text", True, None, [1.5, "a"], {"a": [1]}])
def test_the_cache_gives_back_what_was_kept(cache, value):
    cache.set("key", value)
    assert cache.get("key", "nothing") == value


def test_the_cache_counts(cache):
    cache.set("key", 1)
    assert cache.incr("key") == 2
    assert cache.get("key") == 2


def test_what_cannot_be_kept_as_json_is_an_error_at_once(cache):
    with pytest.raises(TypeError):
        cache.set("key", object())
