"""A question that takes the database too long is stopped, and said so."""

import pytest
from django.db import OperationalError, connection, transaction

from metrics.supervision import deadline
from tests.skips import only_on_sqlite

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT MAX(i) FROM n"


@pytest.fixture
def bounded(db, monkeypatch):
    """The connection of the test, bounded as those of the web server are."""
    monkeypatch.setattr(deadline, "SECONDS", 0.05)
    deadline.bound(connection)
    yield connection
    if connection.vendor == "sqlite":
        connection.connection.set_progress_handler(None, 0)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")


def test_a_statement_that_never_ends_is_stopped(bounded):
    deadline.begin()
    with bounded.cursor() as cursor, pytest.raises(OperationalError) as stopped, transaction.atomic():
        cursor.execute(ENDLESS)
    assert any(text in str(stopped.value) for text in ("interrupted", "statement timeout"))


@only_on_sqlite("PostgreSQL counts by statement")
def test_the_time_is_that_of_a_request(bounded, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: clock[0])
    deadline.begin()
    assert not deadline.is_over()
    clock[0] += 1
    assert deadline.is_over()
    deadline.begin()
    assert not deadline.is_over()


def test_the_client_is_told_what_to_do(api, recorded, monkeypatch):
    def stopped(_query):
        raise OperationalError("interrupted")

    monkeypatch.setattr("metrics.api.views.read_series", stopped)
    response = api.get("/api/v1/metrics/cpu")
    assert response.status_code == 503
    assert response.json() == {
        "detail": "This takes the database too long. Ask for a shorter stretch of time.", "errors": {},
    }  # fmt: skip
    assert response.headers["Retry-After"]
