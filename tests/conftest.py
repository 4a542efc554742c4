"""What many tests need: a history that was recorded, and a client on this machine."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import Client
from django.utils import translation

from metrics.models import CollectorState, Host, ProcessSample
from metrics.models.samples import sample_models
from metrics.recording.runner import Run
from metrics.recording.samples import DraftSample
from metrics.recording.writing import FamilyTick, TickRecord, TickWriter
from tests.skips import FORBIDDEN_BY

# The same examples in each run of .ci/run, so that what fails there fails again; a person's runs try others each time.
if os.environ.get(FORBIDDEN_BY):
    hypothesis.settings.load_profile("ci")

FIRST_TICK = 1_795_367_400  # 2026-11-22T17:10:00Z
Rows = dict[str, Any] | list[dict[str, Any]]


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Django leaves a thread in the language of the last request; the next test begins in none."""
    yield
    translation.deactivate()


@pytest.fixture
def no_attempts(settings: Any, tmp_path: Path) -> None:
    """Nobody has tried to sign in, or asked anything, yet; otherwise the tests of a minute share their limits."""
    settings.ATTEMPTS_FILE = tmp_path / "attempts.sqlite3"


class RecordedHost:
    """A host whose ticks are written by the recorder's own writer, with samples given by the kinds of their tables."""

    def __init__(self, name: str) -> None:
        boot = FIRST_TICK - 86_400
        self.host = Host.objects.create(name=name, boot_id="boot", booted_at=boot, first_seen_at=FIRST_TICK)
        self.host.refresh_from_db()
        self._writer = TickWriter(self.host)

    def tick(self, timestamp: int = FIRST_TICK, resolution: int = 5, **samples: Rows) -> int:
        """Store a tick; `cpu={"percent": 1.5}` or `partition=[{…}, {…}]`. What is not given is null."""
        families: dict[str, dict[Any, list[DraftSample]]] = {}
        for model in sample_models():
            if model.kind in samples:
                given = samples[model.kind]
                rows = [given] if isinstance(given, dict) else given
                families.setdefault(model.family, {})[model] = [_draft(model, row) for row in rows]
        ticks = [
            FamilyTick(Run(family, CollectorState.Outcome.OK, 0.0, 0.001), 1, 0, timestamp, drafts=drafts)
            for family, drafts in families.items()
        ]
        assert self._writer.write(TickRecord(timestamp, resolution, 0.002, 0.01, ticks))
        return timestamp

    def ticks(self, count: int, resolution: int = 5, start: int = FIRST_TICK) -> list[int]:
        """A row of ticks of the cpu, 0, 1, 2 … percent."""
        times = [start + number * resolution for number in range(count)]
        for number, timestamp in enumerate(times):
            self.tick(timestamp, resolution, cpu={"percent": number % 101})
        return times


def _draft(model: Any, row: dict[str, Any]) -> DraftSample:
    values = {
        field.name: row.get(field.name, "" if field.kind == "label" and not field.null else None)
        for field in model.measures()
    }
    if not issubclass(model, ProcessSample):
        return DraftSample(values, row)
    identity = {"name": f"p{row['pid']}", "username": "root", "command": f"p{row['pid']} --run", "start_seconds": 10.0}
    return DraftSample(values, {**identity, **row}, row.get("is_kept", True))


@pytest.fixture
def recorded(db: None) -> RecordedHost:
    """This machine, before its first tick."""
    return RecordedHost("test-host")


@pytest.fixture
def other_host(db: None) -> RecordedHost:
    """Another machine that stores into the same database."""
    return RecordedHost("other-host")


@pytest.fixture
def api(settings: Any) -> Client:
    """A client on the machine itself, where access is public."""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> float:
    """The clock stands still, two seconds after the first tick."""
    now = FIRST_TICK + 2.0
    monkeypatch.setattr(time, "time", lambda: now)
    return now


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what looks at the page in a browser, and what `make test` leaves out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        takes_long = item.get_closest_marker("browser") or item.get_closest_marker("live")
        if takes_long and not item.get_closest_marker("smoke"):
            item.add_marker("slow")


@pytest.fixture
def is_soak() -> bool:
    """Whether this is `make soak`: a test marked `soak` takes its long form then."""
    return os.environ.get("SYSMON_TEST_SOAK", "0") not in {"", "0"}


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], is_soak: bool) -> Callable[[str], None]:
    """Show a text at the terminal in `make soak`; elsewhere it is among what pytest shows of a test that fails."""

    def show(text: str) -> None:
        with capsys.disabled() if is_soak else nullcontext():
            print(f"\n{text}")

    return show
