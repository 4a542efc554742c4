"""Real databases that take points, started on free ports, and a host whose ticks are shipped to them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from metrics.forwarding import shipping
from metrics.forwarding.destinations import parse_destinations
from metrics.models import ForwardCursor, Host
from metrics.recording.recording import Recording
from tests.exporters.conftest import a_reading
from tests.programs import Program
from tests.recording.fakes import Clock, ScriptedRunner

# A start in the past of every clock, and within what these databases keep.
START = int(time.time()) // 5 * 5 - 900

INFLUXDB = """
reporting-disabled = true
bind-address = "127.0.0.1:{other_port}"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
[monitor]
  store-enabled = false
"""


class InfluxDB:
    """InfluxDB 1.6, as Debian has it."""

    def __init__(self, directory: Path) -> None:
        self.program = Program(directory, "/ping", "influxd", "-config", "{directory}/influxdb.conf")
        self.configure(auth="false")

    def configure(self, auth: str) -> None:
        """Write its configuration."""
        (self.program.directory / "influxdb.conf").write_text(INFLUXDB.format(auth=auth, **self.program.places))

    @property
    def url(self) -> str:
        """What a user would set."""
        return f"influx://127.0.0.1:{self.program.port}/sysmon"

    def times(self, field: str, measurement: str, login: str = "") -> list[int]:
        """The times of a field's points, in order."""
        query = quote(f"SELECT {field} FROM {measurement}")
        answer = json.loads(self.program.get(f"/query?db=sysmon&epoch=s&q={query}{login}"))
        return [row[0] for series in answer["results"][0].get("series", []) for row in series["values"]]


class VictoriaMetrics:
    """VictoriaMetrics, told to keep points of one time once."""

    def __init__(self, directory: Path, *more: str) -> None:
        scheme = "https" if "-tls" in more else "http"
        arguments = (
            "-httpListenAddr=127.0.0.1:{port}", "-storageDataPath={directory}/data", "-dedup.minScrapeInterval=1ms",
            "-retentionPeriod=10y", "-memory.allowedBytes=64MB", "-selfScrapeInterval=0",
        )  # fmt: skip
        self.program = Program(directory, "/health", "victoria-metrics", *arguments, *more, scheme=scheme)

    def url(self, scheme: str, path: str) -> str:
        """What a user would set."""
        return f"{scheme}://127.0.0.1:{self.program.port}{path}"

    def points(self, series: str) -> list[tuple[int, float]]:
        """Seconds and values of every point of the one series that a selector finds."""
        self.program.get("/internal/force_flush")
        lines = self.program.get(f"/api/v1/export?match={quote(series)}").splitlines()
        found = [json.loads(line) for line in lines]
        assert len(found) <= 1, found
        return [
            (ms // 1000, value) for one in found for ms, value in zip(one["timestamps"], one["values"], strict=True)
        ]

    def times(self, series: str) -> list[int]:
        """The times of a series' points, in order."""
        return [timestamp for timestamp, _value in self.points(series)]


@pytest.fixture(scope="session")
def influxdb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    server = InfluxDB(tmp_path_factory.mktemp("influxdb"))
    server.program.start()
    yield server
    server.program.kill()


@pytest.fixture(scope="session")
def victoria_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    server = VictoriaMetrics(tmp_path_factory.mktemp("victoria"))
    server.program.start()
    yield server
    server.program.kill()


@pytest.fixture
def influxdb(influxdb_server: InfluxDB) -> Iterator[InfluxDB]:
    """Running and empty."""
    if influxdb_server.program.process is None:
        influxdb_server.program.start()
    yield influxdb_server
    if influxdb_server.program.process is not None:
        influxdb_server.program.post("/query", {"q": "DROP DATABASE sysmon"})


@pytest.fixture
def victoria(victoria_server: VictoriaMetrics) -> Iterator[VictoriaMetrics]:
    """Running and empty."""
    if victoria_server.program.process is None:
        victoria_server.program.start()
    yield victoria_server
    if victoria_server.program.process is not None:
        victoria_server.program.post("/api/v1/admin/tsdb/delete_series", {"match[]": '{__name__!=""}'})


class Forwarded:
    """This host, whose ticks are recorded one by one and shipped when a test says so."""

    def __init__(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host = Host.objects.create(name="test-host", boot_id="b", booted_at=START - 86_400)
        self.host.refresh_from_db()
        self.ticks: list[int] = []
        self._settings = settings
        self._clock = Clock(1000.0)
        # What failed is tried again at the next call, and not half a minute later.
        monkeypatch.setattr(shipping, "FIRST_PAUSE_SECONDS", 0.0)

    def to(self, *urls: str) -> None:
        """Set where to."""
        self._settings.SYSMON_FORWARD_URL = parse_destinations(" ".join(urls))

    def record(self, count: int = 1, start: int | None = None) -> list[int]:
        """Record ticks after those that are there, of counters that grow."""
        first = start or (self.ticks[-1] + 5 if self.ticks else START)
        times = [first + 5 * number for number in range(count)]
        for timestamp in times:
            self._clock.now += 5
            self.recording(len(self.ticks)).tick(timestamp)
            self.ticks.append(timestamp)
        return times

    def recording(self, number: int = 0, ticks: int = 1) -> Recording:
        """One of readings that have grown a number of times."""
        given = [self._grown(number + one) for one in range(ticks)]
        families = {family: [reading[family] for reading in given] for family in given[0]}
        runners: Any = [ScriptedRunner(family, rows, self._clock) for family, rows in families.items()]
        return Recording(self.host, 5, runners)

    def ship(self, seconds: float = 8.0) -> int:
        """One run of the task."""
        return shipping.forward(self.host, seconds)

    def cursor(self, start: str = "") -> ForwardCursor:
        """That of the destination whose name begins so."""
        return ForwardCursor.objects.get(destination__startswith=start)

    def forget(self) -> None:
        """What a lost answer leaves: the points are there, and the cursors have not moved."""
        ForwardCursor.objects.update(last_tick=0)

    @staticmethod
    def _grown(number: int) -> Any:
        reading = a_reading()
        reading["cpu"]["cpu"][0] |= {"busy_seconds": 5.0 + number, "total_seconds": 100.0 + 10 * number}
        reading["cpu"]["core"][0]["user_seconds"] = 7.5 + number
        return reading


@pytest.fixture
def forwarded(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Forwarded:
    return Forwarded(settings, monkeypatch)
