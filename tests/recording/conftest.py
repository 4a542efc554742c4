"""A host to record."""

import pytest

from metrics.models import Host


@pytest.fixture
def host(db):
    made = Host.objects.create(name="test-host", boot_id="boot", booted_at=1_700_000_000)
    made.refresh_from_db()
    return made
