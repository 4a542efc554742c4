"""What the console shows of what strangers send, and of what fails."""

import logging

import pytest
from django.test import Client

from sysmon_project.log import LineFormatter, is_worth_a_line, with_its_reason

pytestmark = pytest.mark.django_db


def test_a_strange_host_header_is_one_line_without_a_traceback(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/api/v1/health", headers={"host": "evil.example"})
    assert response.status_code == 400
    lines = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert [record.exc_info for record in lines] == [None]
    assert "evil.example" in lines[0].getMessage()


@pytest.mark.parametrize(("status", "is_shown"), [(None, True), (404, False), (429, False), (503, False), (500, True)])
def test_only_what_went_wrong_here_is_worth_a_line(status: int | None, is_shown: bool) -> None:
    record = logging.makeLogRecord({} if status is None else {"status_code": status})
    assert is_worth_a_line(record) is is_shown


def test_what_the_queue_says_of_a_failure_is_one_line_with_the_reason() -> None:
    failure = (OSError, OSError("disk I/O error"), None)
    record = logging.LogRecord("django-q", logging.ERROR, "", 1, "Could not %s", ("save",), failure)
    assert with_its_reason(record)
    assert logging.Formatter().format(record) == "Could not save: disk I/O error"


def test_a_traceback_within_the_text_is_left_out() -> None:
    text = "Failed 'prune' (red-cat) - database is locked : Traceback (most recent call last):\n  File …"
    record = logging.LogRecord("django-q", logging.ERROR, "", 1, text, (), None)
    assert with_its_reason(record)
    assert record.getMessage() == "Failed 'prune' (red-cat) - database is locked"


def test_a_message_of_several_lines_is_shown_as_one() -> None:
    record = logging.makeLogRecord({"msg": "no answer: refused\n\tIs it running?\n", "levelname": "ERROR"})
    assert LineFormatter("%(levelname)s %(message)s").format(record) == "ERROR no answer: refused Is it running?"


def test_a_message_cannot_steer_the_terminal() -> None:
    record = logging.makeLogRecord({"msg": "collector disk failed: /mnt/\x1b[2J\u202e", "levelname": "ERROR"})
    assert LineFormatter("%(message)s").format(record) == "collector disk failed: /mnt/\\x1b[2J\\u202e"
