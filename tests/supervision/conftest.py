"""What the tests of the cluster share."""

from collections.abc import Callable

import pytest

from metrics.supervision import own_jobs


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines about what was refused, by a function; none has been written before."""
    own_jobs.refusals.__init__()  # type: ignore[misc]
    return lambda: [record.getMessage() for record in caplog.records if record.name == own_jobs.__name__]
