"""What the tests of the cluster share."""

from collections.abc import Callable

import pytest

from metrics.supervision import own_jobs


@pytest.fixture
def one_connection(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the test, whose transaction a cluster would take for an old one and close."""
    for module in ("scheduler", "job_failures"):
        monkeypatch.setattr(f"metrics.supervision.{module}.close_old_connections", lambda: None)


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines about what was refused, by a function."""
    return lambda: [record.getMessage() for record in caplog.records if record.name == own_jobs.__name__]
