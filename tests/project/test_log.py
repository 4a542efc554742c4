"""What the console shows of what strangers send, and of what fails."""

import io
import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sysmon_project import log
from sysmon_project.log import Console, LineFormatter, is_worth_a_line, with_its_reason
from sysmon_project.settings import LOGGING
from tests.source import modules

CONSOLE: dict[str, Any] = LOGGING["handlers"]["console"]  # type: ignore[index]
SHARES = {name: CONSOLE[name] for name in ("never_left_out", "few_a_minute")}
MORE = "more lines like those of the last minute were left out"


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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still until a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def console(clock: list[float]) -> Iterator[Console]:
    """The handler of the settings, which writes into a text."""
    handler = Console(**SHARES)
    handler.setStream(io.StringIO())
    handler.setFormatter(LineFormatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(log.in_one_line)
    yield handler
    handler.close()


def lines(console: Console) -> list[str]:
    return str(console.stream.getvalue()).splitlines()  # type: ignore[attr-defined]


def say(console: Console, message: str, logger: str = "django.security.X", line: int = 1, error: Any = None) -> None:
    console.handle(logging.LogRecord(logger, logging.ERROR, "said.py", line, message, (), error))


def fail_too(_message: str) -> None:
    raise ValueError("the other")


def fail(message: str) -> None:
    raise ValueError(message)


def raised(message: str, fault: Callable[[str], Any] = fail) -> Any:
    """What is caught of a function that fails."""
    with pytest.raises(ValueError, match=r"\S") as caught:
        fault(message)
    return caught.type, caught.value, caught.tb


def test_a_kind_of_line_is_a_few_a_minute_whatever_is_in_it(console: Console, clock: list[float]) -> None:
    for number in range(1000):
        say(console, f"Invalid HTTP_HOST header: {number}")
        say(console, "another statement", line=2)
    assert len(lines(console)) == 2 * log.MAX_LINES
    clock[0] += log.MINUTE_SECONDS
    say(console, "a new minute")
    *left_out, last = lines(console)[2 * log.MAX_LINES :]
    assert left_out == [f"WARNING django.security.X: {1000 - log.MAX_LINES} {MORE}"] * 2
    assert last.endswith("a new minute")


def test_a_flood_that_ends_is_counted_at_the_end_of_its_minute(console: Console, monkeypatch: Any) -> None:
    started: list[threading.Timer] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: started.append(timer))
    monkeypatch.setattr(threading.Timer, "is_alive", lambda timer: timer in started)
    for _ in range(log.MAX_LINES + 7):
        say(console, "evil")
    [timer] = started
    assert timer.daemon
    assert timer.interval == log.MINUTE_SECONDS
    timer.function()
    assert lines(console)[log.MAX_LINES :] == [f"WARNING django.security.X: 7 {MORE}"]
    say(console, "evil")
    assert lines(console)[-1] == "ERROR django.security.X: evil"


def test_the_end_of_the_program_says_what_was_left_out(console: Console) -> None:
    for _ in range(log.MAX_LINES + 3):
        say(console, "evil")
    console.close()
    assert lines(console)[-1] == f"WARNING django.security.X: 3 {MORE}"


def test_it_remembers_a_bounded_number_of_kinds(console: Console) -> None:
    for number in range(10 * log.MAX_KINDS):
        say(console, "evil", line=number)
    assert len(console._lines) == log.MAX_KINDS + 1
    assert len(lines(console)) == log.MAX_KINDS + log.MAX_LINES


def test_two_faults_behind_the_same_statement_of_django_are_two_kinds(console: Console) -> None:
    for _ in range(50):
        say(console, "Internal Server Error: /", "django.request", error=raised("one"))
    say(console, "Internal Server Error: /", "django.request", error=raised("x", fail_too))
    assert lines(console)[-1] == "ValueError: the other"
    assert sum(line.startswith("Traceback") for line in lines(console)) == log.MAX_LINES + 1


@pytest.mark.parametrize(
    "text",
    [
        "a" * 60_000,
        "\x1b[2J" * 15_000,
        "\U000e0001" * 60_000,
        "\ud800" * 60_000,
        "a\n\r " * 9999,
        "a" + " " * 60_000 + "a",
    ],
)
def test_no_line_is_longer_than_its_bound(console: Console, text: str) -> None:
    for logger, most in (("django.security.X", log.MAX_CHARACTERS_FROM_OUTSIDE), ("metrics.storage", 1000)):
        say(console, text, logger)
        line = lines(console)[-1]
        assert len(lines(console)) == (1 if most < 1000 else 2)
        assert line.isprintable()
        assert most / 2 < len(line) < most + 80
    say(console, "Internal Server Error", "django.request", error=raised(text))
    assert max(map(len, lines(console)[3:])) < 400


def test_a_line_that_is_cut_shows_both_ends_and_how_much_is_missing(console: Console) -> None:
    say(console, f"Invalid HTTP_HOST header: '{'a' * 60_000}'. You may need to add it to ALLOWED_HOSTS.")
    assert re.search(
        r"Invalid HTTP_HOST header: 'a+ … of 60070 characters … a+'\. .*to ALLOWED_HOSTS.$", lines(console)[0]
    )


def test_a_traceback_is_bounded_and_shows_where_it_ends(console: Console) -> None:
    depth = itertools.count()

    def deeper() -> None:
        if next(depth) > 400:
            raise ValueError("\x1b" * 60_000)
        (deeper if next(depth) % 4 else other)()

    def other() -> None:
        deeper()

    with pytest.raises(ValueError, match="\x1b") as caught:
        deeper()
    say(console, "failed", "metrics.recording", error=(caught.type, caught.value, caught.tb))
    assert len("\n".join(lines(console))) < log.MAX_CHARACTERS_OF_A_TRACEBACK + 200
    assert lines(console)[1].startswith("Traceback")
    assert lines(console)[-1].startswith(r"ValueError: \x1b\x1b")


def test_what_django_refuses_to_a_client_has_no_traceback(console: Console) -> None:
    for logger in ("django.security.DisallowedHost", "django.security.DisallowedRedirect", "django.security.csrf"):
        say(console, "Unsafe", logger, error=raised("Unsafe"))
        assert lines(console)[-1] == f"ERROR {logger}: Unsafe"


# Packages and modules that do something because of a request; the others' lines are never left out.
ANSWERING = {"access", "admin", "api", "dashboard", "exporters", "templatetags", "tokens"}


def loggers() -> Iterator[str]:
    for module in modules("metrics"):
        if any(name == "logging" for name in module.imports()):
            yield module.name


@pytest.mark.parametrize("logger", [*loggers(), "django-q", "django-q.x"])
def test_only_lines_of_what_answers_requests_are_left_out(console: Console, logger: str) -> None:
    is_answering = logger.startswith("metrics.") and logger.split(".")[1] in ANSWERING
    is_limited = is_answering or logger == "metrics.supervision.own_jobs"
    for _ in range(100):
        say(console, "the database does not answer", logger)
    assert len(lines(console)) == (log.MAX_LINES if is_limited else 100)


@pytest.mark.parametrize("logger", ["root", "django.request", "django.security", "py.warnings", "a_package_of_others"])
def test_lines_of_others_are_few_a_minute(console: Console, logger: str) -> None:
    assert console.is_caused_from_outside(logger)


def test_spaces_in_a_line_cost_no_time() -> None:
    record = logging.makeLogRecord({"msg": f"a{' ' * 300_000}b"})
    began = time.process_time()
    LineFormatter("%(message)s").format(record)
    assert time.process_time() - began < 1


def test_the_handler_of_the_settings_is_the_only_one() -> None:
    assert {name for one in (LOGGING["root"], *LOGGING["loggers"].values()) for name in one.get("handlers", ())} == {  # type: ignore[index,union-attr,attr-defined]
        "console"
    }
    assert logging.getLogger("django").handlers == []
