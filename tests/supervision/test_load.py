"""A real server under load: its answers are as new as the newest tick, and whole."""

import json
import os
import threading
import time
import urllib.request
from datetime import datetime

import pytest

from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]

CLIENTS, SECONDS = 6, 4


@pytest.fixture
def up(tmp_path):
    program = Up(tmp_path / "data")
    yield program
    program.end_for_sure()


def test_under_load_every_answer_is_whole_and_as_new_as_the_newest_tick(up):
    """At a tick a second. What was committed before a question was asked has to be in its answer."""
    up.start()
    assert eventually(lambda: len(up.ticks()) > 2, 20)
    failures, counts = [], []
    end = time.monotonic() + SECONDS

    def ask(number):
        path = ("metrics/cpu?limit=1000", "metrics/current", f"metrics/cpu?limit={number + 2}")[number % 3]
        while time.monotonic() < end:
            committed = up.ticks()
            with urllib.request.urlopen(f"http://127.0.0.1:{up.port}/api/v1/{path}", timeout=10) as answer:
                data = json.load(answer)
            if failure_reason := wrong_with(data, committed, number + 2 if path.endswith(str(number + 2)) else 1000):
                failures.append((path, failure_reason))
            counts.append(1)

    clients = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert failures == []
    assert len(counts) > CLIENTS * 5
    assert up.stop() == 0
    assert "locked" not in up.log.read_text()


def wrong_with(data, committed, limit):
    """What an answer lacks, given the ticks that were there before the question."""
    if "results" not in data:
        return None if moment(data["timestamp"]) >= committed[-1] else "an older tick"
    times = [moment(point["timestamp"]) for point in data["results"]]
    if data["count"] != len(times) or times != sorted(set(times)):
        return "a wrong count or order"
    if not set(committed[-limit:]) <= set(times) | {tick for tick in committed if tick < times[0]}:
        return "a tick that was committed is missing"
    return None if len(times) >= min(limit, len(committed)) else "fewer points than there are"


def moment(text):
    """Seconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp())
