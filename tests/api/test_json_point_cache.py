"""Series that are joined from encoded points: to the byte what is read and put together, whatever has happened."""

import random
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client

from metrics.api import json_point_cache
from metrics.api.json_point_cache import EncodedPoints, EncodedRows
from metrics.formatting.moments import iso
from metrics.models import CpuSample
from metrics.retention.pruning import apply_retention
from metrics.retention.rollup import roll_up
from metrics.storage.commit_watch import database_changes
from tests.conftest import FIRST_TICK, RecordedHost

ADDRESS = "/api/v1/metrics/cpu"
COUNT = 120
# One for all: making it loads the middleware.
CLIENT = Client(headers={"host": "localhost"})


@pytest.fixture
def recorded(transactional_db, settings):
    """Ten minutes, committed for real: within a transaction nothing is taken from memory."""
    settings.ALLOWED_HOSTS = ["localhost"]
    host = RecordedHost("test-host")
    host.ticks(COUNT)
    roll_up(host.host)
    return host


@pytest.fixture
def joined(monkeypatch):
    """What was joined from encoded points: a list of how many points each time."""
    counts = []
    original = json_point_cache.read_encoded

    def noted(query):
        found = original(query)
        counts.extend([] if found is None else [found.count])
        return found

    monkeypatch.setattr("metrics.api.views.read_encoded", noted)
    return counts


def get(query):
    return CLIENT.get(f"{ADDRESS}?{query}")


def check(monkeypatch, query):
    """Ask both ways; the answer."""
    answer = get(query)
    with monkeypatch.context() as patch:
        patch.setattr("metrics.api.views.read_encoded", lambda _query: None)
        plain = get(query)
    assert answer.content == plain.content, query
    assert (answer.status_code, answer.headers.keys()) == (plain.status_code, plain.headers.keys())
    return answer


def queries(seed, count):
    """Ranges that begin and end before, within and after what is stored, and on its ticks and between them."""
    chance = random.Random(seed)
    for _ in range(count):
        parts = [f"limit={chance.choice([1, 2, 7, 50, 1000])}"]
        for name in ("start", "end"):
            if chance.random() < 0.7:
                parts.append(
                    f"{name}={iso(FIRST_TICK + chance.randrange(-60, COUNT * 5 + 60) + chance.choice([0, 0.5]))}"
                )
        parts += chance.sample(["order=desc", "fields=percent", "fields=timestamp"], chance.choice([0, 0, 1]))
        yield "&".join(parts)


def late_tick(host):
    host.tick(FIRST_TICK + 302, cpu={"percent": 77.0})


def newer_tick(host):
    host.tick(FIRST_TICK + COUNT * 5, cpu={"percent": 78.0})


def rolled_up(host):
    late_tick(host)
    roll_up(host.host)


def pruned(host):
    apply_retention(max_points=50)


def half_pruned(host):
    CpuSample.objects.filter(tier=0, timestamp__lt=FIRST_TICK + 290).delete()


def upserted(host):
    CpuSample.objects.filter(tier=60).update(percent=99)


def all_raw_ones_gone(host):
    CpuSample.objects.filter(tier=0).delete()


def recorded_anew(host):
    """Other values at the same times: their rows are others."""
    CpuSample.objects.all().delete()
    for number in range(20):
        host.tick(FIRST_TICK + 3 + number * 5, cpu={"percent": 50.0})


CHANGES = [late_tick, newer_tick, rolled_up, pruned, half_pruned, upserted, all_raw_ones_gone, recorded_anew]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_it_is_what_is_read_and_put_together_before_and_after(recorded, monkeypatch, joined, change):
    for query in queries(1, 15):
        check(monkeypatch, query)
    assert sum(joined) > 50
    change(recorded)
    for query in queries(1, 15):
        check(monkeypatch, query)


def test_it_follows_one_change_after_the_other(recorded, monkeypatch, joined):
    for seed, change in enumerate([newer_tick, rolled_up, pruned, upserted, half_pruned]):
        change(recorded)
        for query in queries(seed, 8):
            check(monkeypatch, query)
    assert joined


def test_the_next_page_goes_on_where_this_one_ends(recorded, monkeypatch, joined):
    seen, query = [], "limit=50"
    while query:
        answer = check(monkeypatch, query).json()
        seen = [point["timestamp"] for point in answer["results"]] + seen
        query = (answer["next"] or "").partition("?")[2]
    assert seen == [iso(FIRST_TICK + number * 5) for number in range(COUNT)]
    assert sum(joined) >= 100


def test_two_hosts_are_two_stretches(recorded, monkeypatch, joined):
    RecordedHost("other-host").ticks(3)
    assert check(monkeypatch, "host=other-host&limit=2").json()["count"] == 2
    assert check(monkeypatch, "limit=2").json()["count"] == 2
    assert joined == [2, 2]


def test_a_point_is_encoded_once(recorded, monkeypatch):
    get("limit=100")
    newer_tick(recorded)
    made = []
    original = json_point_cache.read_raw_points
    monkeypatch.setattr(json_point_cache, "read_raw_points", lambda *args: made.append(args[1:]) or original(*args))
    assert get("limit=100").json()["count"] == 100
    assert made == [(FIRST_TICK + COUNT * 5,) * 2]


def test_steps_and_other_formats_are_read_and_put_together(recorded, joined):
    for query in ("step=1m", "format=csv", "format=ndjson", "format=api"):
        assert get(query).status_code == 200
    assert joined == []


def test_within_a_transaction_nothing_is_taken_from_memory(recorded, joined):
    with transaction.atomic():
        get("limit=5")
        transaction.set_rollback(True)
    assert joined == []


def test_no_more_than_so_many_bytes_are_kept():
    points = EncodedPoints(most_bytes=10_000)
    shape = ("cpu", None, 0)
    for moment in range(500):
        points.keep(shape, {(moment, moment): b"x" * 50})
        points.find(shape, [(0, 0)])
    kept = points.find(shape, [(moment, moment) for moment in range(500)])
    assert kept[0] is kept[499] is not None
    assert 20 <= sum(text is not None for text in kept) <= 70


def test_what_was_dropped_for_want_of_room_does_not_live_on_in_the_order_of_the_rows():
    points = EncodedPoints(most_bytes=100_000)
    rows = EncodedRows(points)
    for number in range(12):
        fields = (f"field {number}",)
        query = SimpleNamespace(family="cpu", fields=fields, host=SimpleNamespace(pk=1))
        index = SimpleNamespace(rows=[(moment, moment) for moment in range(200)])
        points.keep(("cpu", fields, database_changes()), {row: bytes(300) for row in index.rows})
        assert rows.texts(query, index, 0, 200) is not None
    held = {id(text) for _index, texts in rows._stretches.values() for text in texts}
    assert len(held) * 300 <= 2 * 100_000


def test_points_that_another_thread_makes_meanwhile_are_taken():
    class MadeMeanwhile(list):
        def __getitem__(self, key):
            found = super().__getitem__(key)
            if isinstance(key, slice):
                self[:] = [b"{}"] * len(self)
            return found

    points = SimpleNamespace(generation=0, find=lambda _shape, rows: MadeMeanwhile([None] * len(rows)))
    query = SimpleNamespace(family="cpu", fields=None, host=SimpleNamespace(pk=1))
    index = SimpleNamespace(rows=[(FIRST_TICK, 1), (FIRST_TICK + 5, 2)])
    assert EncodedRows(points).texts(query, index, 0, 2) == [b"{}", b"{}"]
