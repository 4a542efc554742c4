"""Real InfluxDB, VictoriaMetrics and Prometheus: they are killed, started again, and have every point once."""

import json
import subprocess
from urllib.parse import quote

import pytest

from metrics.forwarding import shipping
from metrics.models import TickReading
from metrics.status.health import read_health
from tests.forwarding.conftest import InfluxDB, VictoriaMetrics
from tests.programs import running
from tests.skips import needs

pytestmark = pytest.mark.live


def test_influxdb_has_every_point_once_after_an_outage(forwarded, influxdb):
    forwarded.to(influxdb.url)
    forwarded.record(12)
    assert forwarded.ship() > 0
    influxdb.program.kill()
    forwarded.record(12)
    assert forwarded.ship() == 0
    assert forwarded.cursor().failures_in_a_row == 1
    forwarded.record(12)
    influxdb.program.start()
    assert forwarded.ship() > 0
    # The first tick has no rate: there is nothing to compare it with.
    assert influxdb.times("percent", "sysmon_cpu") == forwarded.ticks[1:]
    assert influxdb.times("load_1", "sysmon_cpu") == forwarded.ticks
    assert forwarded.ship() == 0


def test_a_lost_answer_doubles_nothing_in_influxdb(forwarded, influxdb):
    forwarded.to(influxdb.url)
    forwarded.record(5)
    forwarded.ship()
    forwarded.forget()
    assert forwarded.ship() > 0
    assert influxdb.times("load_1", "sysmon_cpu") == forwarded.ticks


@pytest.mark.parametrize(
    ("scheme", "path", "series"),
    [
        ("influx", "/?bucket=sysmon", 'sysmon_cpu_load_1{host="test-host"}'),
        ("influx", "/sysmon", 'sysmon_cpu_load_1{host="test-host"}'),
        ("remote-write", "", 'node_cpu_seconds_total{instance="test-host",mode="user"}'),
        ("prom+http", "/api/v1/write", 'node_load1{instance="test-host",job="sysmon"}'),
    ],
)
def test_victoriametrics_has_every_point_once_after_an_outage(forwarded, victoria, scheme, path, series):
    forwarded.to(victoria.url(scheme, path))
    forwarded.record(12)
    assert forwarded.ship() > 0
    victoria.program.stop()
    forwarded.record(12)
    assert forwarded.ship() == 0
    forwarded.record(12)
    victoria.program.start()
    assert forwarded.ship() > 0
    assert victoria.times(series) == forwarded.ticks
    forwarded.forget()
    assert forwarded.ship() > 0
    assert victoria.times(series) == forwarded.ticks


def test_prometheus_has_every_point_once_after_an_outage(forwarded, tmp_path):
    arguments = (
        "--config.file={directory}/prometheus.yml", "--storage.tsdb.path={directory}/tsdb",
        "--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
    )  # fmt: skip
    (tmp_path / "prometheus.yml").write_text("")
    with running(tmp_path, "/-/ready", "prometheus", *arguments) as prometheus:
        forwarded.to(f"remote-write://127.0.0.1:{prometheus.port}")
        forwarded.record(12)
        assert forwarded.ship() > 0
        prometheus.kill()
        forwarded.record(12)
        assert forwarded.ship() == 0
        prometheus.start()
        assert forwarded.ship() > 0
        forwarded.forget()
        forwarded.ship()
        query = quote('node_load1{instance="test-host"}[1h]')
        [series] = json.loads(prometheus.get(f"/api/v1/query?query={query}"))["data"]["result"]
        assert [int(timestamp) for timestamp, _value in series["values"]] == forwarded.ticks


def test_a_user_and_a_password_open_influxdb_and_a_wrong_one_shows_nowhere(forwarded, tmp_path, api):
    influxdb = InfluxDB(tmp_path)
    influxdb.configure(auth="true")
    influxdb.program.start()
    try:
        influxdb.program.post("/query", {"q": "CREATE USER jin WITH PASSWORD 'a b@c' WITH ALL PRIVILEGES"})
        place = f"127.0.0.1:{influxdb.program.port}/sysmon"
        forwarded.record(2)
        forwarded.to(f"influx://jin:wr0ng@{place}")
        assert forwarded.ship() == 0
        assert forwarded.cursor().message == 'status 401: {"error":"authorization failed"}'
        assert b"wr0ng" not in api.get("/api/v1/health").content + api.get("/metrics").content
        forwarded.to(f"influx://jin:a%20b%40c@{place}")
        assert forwarded.ship() > 0
        assert influxdb.times("load_1", "sysmon_cpu", "&u=jin&p=a%20b%40c") == forwarded.ticks
    finally:
        influxdb.program.kill()


def test_a_certificate_has_to_be_trusted(forwarded, tmp_path, monkeypatch):
    certificate = (
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    )
    command = [needs("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *certificate]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    server = VictoriaMetrics(tmp_path, "-tls", "-tlsCertFile={directory}/cert.pem", "-tlsKeyFile={directory}/key.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    server.program.start()
    try:
        forwarded.to(server.url("influx+https", "/?bucket=b"))
        forwarded.record(2)
        monkeypatch.delenv("SSL_CERT_FILE")
        assert forwarded.ship() == 0
        assert "certificate is not trusted" in forwarded.cursor().message
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert forwarded.ship() > 0
        assert server.times("sysmon_cpu_load_1") == forwarded.ticks
    finally:
        server.program.kill()


def test_counters_arrive_as_a_scrape_would_have_read_them(forwarded, victoria):
    forwarded.to(victoria.url("remote-write", ""))
    forwarded.record(3)
    forwarded.ship()
    series = 'node_cpu_seconds_total{instance="test-host",job="sysmon",cpu="0",mode="user"}'
    assert [value for _timestamp, value in victoria.points(series)] == [7.5, 8.5, 9.5]
    assert victoria.points('node_uname_info{nodename="web-1"}') == [(tick, 1.0) for tick in forwarded.ticks]


def test_a_tick_that_was_stored_late_arrives_too(forwarded, influxdb):
    forwarded.to(influxdb.url)
    forwarded.record(3)
    forwarded.ship()
    late = forwarded.ticks[0] - 60
    forwarded.record(1, start=late)
    assert forwarded.ship() > 0
    assert influxdb.times("load_1", "sysmon_cpu") == sorted(forwarded.ticks)
    assert int(forwarded.cursor().newest.timestamp()) == forwarded.ticks[2]


def test_one_dead_destination_does_not_hold_up_the_others(forwarded, influxdb, victoria):
    dead = victoria.url("remote-write", "")
    forwarded.to(dead, influxdb.url, victoria.url("influx", "/?bucket=b"))
    forwarded.record(3)
    victoria.program.stop()
    assert forwarded.ship() > 0
    assert influxdb.times("load_1", "sysmon_cpu") == forwarded.ticks
    checks = read_health()["checks"]["forwarding"]
    assert [check["status"] for check in checks.values()] == ["failed", "ok", "failed"]
    assert checks[influxdb.url] | {"points": 0} == {
        "status": "ok", "is_working": True, "message": "", "lag_seconds": 0.0, "newest_tick": forwarded.ticks[2],
        "points": 0, "errors": 0, "refused_ticks": 0,
    }  # fmt: skip


def test_a_long_outage_is_filled_in_within_the_time_of_several_runs(forwarded, influxdb, monkeypatch):
    monkeypatch.setattr(shipping, "MAX_POINTS", 50)
    forwarded.to(influxdb.url)
    forwarded.record(60)
    runs = 0
    while forwarded.ship(seconds=0.005):
        runs += 1
    assert runs > 1
    assert influxdb.times("load_1", "sysmon_cpu") == forwarded.ticks


def test_readings_are_kept_only_while_somebody_wants_counters(forwarded, influxdb, victoria):
    forwarded.to(influxdb.url)
    forwarded.record(2)
    assert not TickReading.objects.exists()
    forwarded.to(victoria.url("remote-write", ""))
    forwarded.record(2)
    assert TickReading.objects.count() == 2
    forwarded.ship()
    assert victoria.times("node_load1") == forwarded.ticks[2:]
