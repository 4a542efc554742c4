"""For tests of what is not on every machine: they skip with the reason, or fail where skipping is forbidden."""

import os
import shutil
from typing import NoReturn

import pytest
from django.db import connection

FORBIDDEN_BY = "SYSMON_TEST_FORBID_SKIP"


def needs(*programs: str) -> str:
    """The path of the first of these programs that is installed, such as `needs("chromium", "chrome")`."""
    path = next(filter(None, map(shutil.which, programs)), None)
    return path or missing(f"needs {' or '.join(programs)}, which is not installed")


def missing(reason: str) -> NoReturn:
    """Skip the test that is running; a failure with the same reason where SYSMON_TEST_FORBID_SKIP=1, as in .ci/run."""
    if os.environ.get(FORBIDDEN_BY, "0") not in {"", "0"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def only_on_sqlite(reason: str) -> pytest.MarkDecorator:
    """For a test of what SQLite alone has: left out, with the reason, on another engine. One that touches the file of a
    program (`Up.file`) fails there without it."""
    return pytest.mark.skipif(connection.vendor != "sqlite", reason=f"on SQLite only: {reason}")


def only_on_postgresql(reason: str) -> pytest.MarkDecorator:
    """For a test of what PostgreSQL alone has, which `make test-postgresql` runs."""
    return pytest.mark.skipif(connection.vendor != "postgresql", reason=f"on PostgreSQL only: {reason}")
