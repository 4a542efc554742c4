"""Cursors: what moves them, what does not, and what is said about it."""

import gzip
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from metrics.forwarding import shipping
from metrics.models import ForwardCursor
from metrics.retention.pruning import apply_retention
from metrics.retention.rollup import roll_up
from metrics.schedules import FORWARD, ensure_schedules
from metrics.status.health import read_health
from metrics.tasks import forward
from tests.forwarding.far_side import answering

DOWN = (503, {}, b"overloaded")


@pytest.fixture
def said(caplog):
    """What the log says of forwarding."""
    caplog.set_level(logging.WARNING, logger="metrics.forwarding")
    return lambda: [record.getMessage() for record in caplog.records]


def ticks_in(server):
    """The times in the last request."""
    lines = gzip.decompress(server.requests[-1][2]).decode().splitlines()
    return sorted({int(line.rpartition(" ")[2]) for line in lines})


def test_a_failure_moves_nothing_and_what_comes_after_it_is_sent_too(forwarded, said):
    with answering(DOWN) as server:
        forwarded.to(server.url)
        forwarded.record(2)
        assert forwarded.ship() == 0
        cursor = forwarded.cursor()
        assert (cursor.last_tick, cursor.errors, cursor.message) == (0, 1, "status 503: overloaded")
        forwarded.record(1)
        assert forwarded.ship() > 0
        assert ticks_in(server) == forwarded.ticks
    cursor = forwarded.cursor()
    assert (cursor.failures_in_a_row, cursor.message, cursor.retry_at, cursor.errors) == (0, "", None, 1)
    assert [line.partition(":")[0] for line in said()] == ["forwarding to influx", "forwarding to influx"]
    assert said()[1].endswith("works again")


def test_what_the_history_has_lost_meanwhile_holds_up_nothing(forwarded):
    with answering(DOWN) as server:
        forwarded.to(server.url)
        forwarded.record(6)
        forwarded.ship()
        roll_up(forwarded.host)
        apply_retention(max_points=2)
        assert forwarded.ship() > 0
        assert ticks_in(server) == forwarded.ticks[-2:]


def test_a_failure_that_lasts_is_logged_once(forwarded, said):
    with answering(DOWN, DOWN, DOWN) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        for _attempt in range(3):
            forwarded.ship()
    assert len(said()) == 1


def test_pauses_grow_up_to_five_runs_of_the_task(forwarded, monkeypatch):
    monkeypatch.setattr(shipping, "FIRST_PAUSE_SECONDS", 25.0)
    pauses = []
    with answering(*[DOWN] * 7) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        for _attempt in range(7):
            before = time.time()
            forwarded.ship()
            pauses.append(round(forwarded.cursor().retry_at.timestamp() - before))
            ForwardCursor.objects.update(retry_at=None)
    assert pauses == [25, 50, 100, 200, 280, 280, 280]


def test_nothing_is_sent_before_the_pause_is_over(forwarded, monkeypatch):
    monkeypatch.setattr(shipping, "FIRST_PAUSE_SECONDS", 25.0)
    with answering(DOWN) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        forwarded.ship()
        assert forwarded.ship() == 0
        assert len(server.requests) == 1


def test_a_far_side_may_ask_for_a_longer_pause_but_not_for_ever(forwarded):
    with answering((429, {"Retry-After": "120"}, b""), (429, {"Retry-After": "999999"}, b"")) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        for asked in (120, 300):
            before = time.time()
            forwarded.ship()
            assert forwarded.cursor().retry_at.timestamp() - before == pytest.approx(asked, abs=2)
            ForwardCursor.objects.update(retry_at=None)


@pytest.mark.parametrize("status", [400, 422])
def test_points_that_are_refused_for_ever_are_left_behind_and_counted(forwarded, status, said):
    with answering((status, {}, b"points beyond retention policy")) as server:
        forwarded.to(server.url)
        forwarded.record(3)
        assert forwarded.ship() == 0
        cursor = forwarded.cursor()
        assert (cursor.refused_ticks, cursor.failures_in_a_row) == (3, 0)
        assert "beyond retention" in cursor.message
        forwarded.record(1)
        assert forwarded.ship() > 0
    assert "beyond retention" in said()[0]


def test_a_batch_that_is_too_large_is_halved_until_it_fits(forwarded):
    too_large = (413, {}, b"")
    with answering(too_large, too_large) as server:
        forwarded.to(server.url)
        forwarded.record(8)
        assert forwarded.ship() > 0
        sizes = [len({line.rpartition(b" ")[2] for line in gzip.decompress(body).splitlines()})
                 for _path, _headers, body in server.requests]  # fmt: skip
    assert sizes[:3] == [8, 4, 2]
    assert forwarded.cursor().refused_ticks == 0


def test_one_tick_that_is_too_large_is_left_behind(forwarded):
    with answering((413, {}, b"")) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        forwarded.ship()
        forwarded.ship()
        assert len(server.requests) == 1
    assert forwarded.cursor().refused_ticks == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500, 301])
def test_a_wrong_password_or_address_loses_nothing(forwarded, status):
    with answering(*[(status, {"Location": "http://127.0.0.1:1/"}, b"no")] * 3) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        assert forwarded.ship() == 0
    assert forwarded.cursor().last_tick == 0


def test_a_database_that_is_missing_is_made_once(forwarded):
    with answering((404, {}, b"database not found")) as server:
        forwarded.to(server.url)
        forwarded.record(1)
        assert forwarded.ship() > 0
        paths = [path for path, _headers, _body in server.requests]
        assert paths == ["/write?db=db1&precision=s", "/query", "/write?db=db1&precision=s"]
        assert server.requests[1][2] == b"q=CREATE+DATABASE+%22db1%22"


def test_a_far_side_that_hangs_costs_its_time_and_not_more(forwarded):
    gate = threading.Event()
    with answering() as server:
        server.gate = gate.wait
        forwarded.to(server.url)
        forwarded.record(1)
        before = time.monotonic()
        assert forwarded.ship(seconds=0.6) == 0
        assert time.monotonic() - before < 2
        gate.set()
    assert forwarded.cursor().message.startswith("no answer")


def test_a_slow_far_side_does_not_pass_for_a_dead_one(forwarded, monkeypatch):
    monkeypatch.setattr(shipping, "FIRST_TICKS", 1)
    monkeypatch.setattr(shipping, "MAX_POINTS", 1)
    monkeypatch.setattr(shipping, "SHORTEST_ATTEMPT_SECONDS", 0.0)
    with answering() as server:
        server.gate = lambda: threading.Event().wait(0.3)
        forwarded.to(server.url)
        forwarded.record(5)
        forwarded.ship(seconds=1.2)
    assert 1 <= len(server.requests) <= 3
    assert (forwarded.cursor().errors, forwarded.cursor().failures_in_a_row) == (0, 0)


def test_those_that_work_go_first(forwarded):
    gate = threading.Event()
    with answering() as hanging, answering() as quick:
        hanging.gate = gate.wait
        forwarded.to(hanging.url, quick.url)
        forwarded.record(1)
        ForwardCursor.objects.create(host=forwarded.host, destination=hanging.url, failures_in_a_row=2)
        assert forwarded.ship(seconds=0.6) > 0
        assert ticks_in(quick) == forwarded.ticks
        gate.set()


@pytest.mark.parametrize("url", ["influx://jin:s3cret@{}/db1", "influx://{}?bucket=b&token=s3cret"])
def test_a_secret_that_the_far_side_repeats_is_not_shown(forwarded, api, said, url):
    with answering((401, {}, b"unknown s3cret")) as server:
        forwarded.to(url.format(f"127.0.0.1:{server.server_port}"))
        forwarded.record(1)
        forwarded.ship()
        _path, headers, _body = server.requests[0]
    assert headers["Authorization"].startswith(("Basic ", "Token s3cret"))
    assert "unknown …" in forwarded.cursor().message
    shown = f"{said()} {read_health()} {api.get('/metrics').content} {api.get('/api/v1/health').content}"
    assert "s3cret" not in shown


def test_a_connection_that_fails_is_described_without_its_address(forwarded):
    forwarded.to("prom+http://127.0.0.1:1/x?key=s3cret")
    forwarded.record(1)
    forwarded.ship()
    assert forwarded.cursor().message == "no connection"


def test_health_and_metrics_say_how_it_stands(forwarded, api):
    forwarded.to("influx://127.0.0.1:1/db1")
    forwarded.record(1)
    [check] = api.get("/api/v1/health").json()["checks"]["forwarding"].values()
    assert (check["status"], check["newest_tick"]) == ("unknown", None)
    assert check["lag_seconds"] > 60
    forwarded.ship()
    [check] = api.get("/api/v1/health").json()["checks"]["forwarding"].values()
    assert (check["status"], check["message"], check["errors"]) == ("failed", "no connection", 1)
    text = api.get("/metrics").content.decode()
    assert 'sysmon_forward_up{destination="influx://127.0.0.1:1/db1"} 0.0' in text
    assert 'sysmon_forward_errors_total{destination="influx://127.0.0.1:1/db1"} 1.0' in text


def test_a_destination_that_does_not_work_degrades_nothing(forwarded):
    forwarded.to("influx://127.0.0.1:1/db1")
    now = int(time.time())
    forwarded.record(1, start=now - now % 5)
    forwarded.ship()
    assert read_health()["is_healthy"]


def test_without_a_destination_there_is_no_task_no_check_and_no_metric(forwarded, api, recorded_rows):
    forwarded.record(1)
    assert FORWARD.func not in recorded_rows()
    assert "forwarding" not in api.get("/api/v1/health").json()["checks"]
    assert b"sysmon_forward" not in api.get("/metrics").content


def test_the_task_is_scheduled_while_there_is_one(forwarded, recorded_rows):
    forwarded.to("influx://127.0.0.1:1/db1")
    assert FORWARD.func in recorded_rows()
    forwarded.to()
    assert FORWARD.func not in recorded_rows()


@pytest.fixture
def recorded_rows():
    from django_q.models import Schedule

    def rows():
        ensure_schedules()
        return set(Schedule.objects.values_list("func", flat=True))

    return rows


def test_the_task_ships_this_machine_and_no_other(forwarded, other_host):
    with answering() as server:
        forwarded.to(server.url)
        other_host.tick(cpu={"percent": 1.0})
        forwarded.record(1)
        assert forward().endswith(" points")
        assert ticks_in(server) == forwarded.ticks
    assert [cursor.host for cursor in ForwardCursor.objects.all()] == [forwarded.host]


def test_before_the_first_sample_the_task_has_nothing_to_do(db, settings):
    assert forward() == "0 points"


def test_who_forwards_nothing_loads_none_of_its_libraries():
    program = (
        "import django, sys; django.setup(); import metrics.tasks, metrics.exporters.views;"
        "sys.exit(str(sys.modules.keys() & {'urllib3', 'google.protobuf', 'cramjam', 'metrics.forwarding.shipping'}))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert found.stderr.strip() == "set()"
