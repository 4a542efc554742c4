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
    with bounded.cursor() as cursor, pytest.raises(OperationalError), transaction.atomic():
        cursor.execute(ENDLESS)


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


TOO_LONG = {"detail": "This takes the database too long. Ask for a shorter stretch of time.", "errors": {}}
NO_ANSWER = {"detail": "The database does not answer.", "errors": {}}


def test_the_client_is_told_what_to_do(api, recorded, bounded, monkeypatch):
    def costly(_query):
        deadline.begin()
        with transaction.atomic(), bounded.cursor() as cursor:
            cursor.execute(ENDLESS)

    monkeypatch.setattr("metrics.api.views.read_series", costly)
    response = api.get("/api/v1/metrics/cpu")
    assert response.status_code == 503
    assert response.json() == TOO_LONG
    assert response.headers["Retry-After"]


class OfPostgreSQL(Exception):
    """What its driver raises: the text is in the language of the server."""

    def __init__(self, sqlstate: str, text: str) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("cause", "body"),
    [
        (OfPostgreSQL("57014", "canceling statement due to statement timeout"), TOO_LONG),
        (OfPostgreSQL("57014", "annulation de la requête à cause du délai écoulé"), TOO_LONG),
        (OfPostgreSQL("57014", "문 제한 시간 초과로 문 취소"), TOO_LONG),
        (OfPostgreSQL("57P01", "interrupted: statement timeout, as the host's name may be"), NO_ANSWER),
        (None, NO_ANSWER),
    ],
    ids=["English", "French", "Korean", "another code", "no code"],
)
def test_the_reason_is_told_by_its_code_in_every_language(api, recorded, monkeypatch, cause, body):
    def stopped(_query):
        raise OperationalError(str(cause)) from cause

    monkeypatch.setattr("metrics.api.views.read_series", stopped)
    response = api.get("/api/v1/metrics/cpu")
    assert (response.status_code, response.json()) == (503, body)
