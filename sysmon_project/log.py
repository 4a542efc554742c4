"""What the console shows."""

import logging
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Any, TextIO

SHOWN = "\n\t"
MAX_CHARACTERS = 1000
# Of a line that somebody outside can have written.
MAX_CHARACTERS_FROM_OUTSIDE = 300
MAX_CHARACTERS_OF_A_TRACEBACK = 8000
MAX_LINES, MINUTE_SECONDS = 5, 60.0
# There are as many kinds as statements that write a line, which is fewer.
MAX_KINDS = 500

Kind = tuple[Any, ...]
OTHER_KINDS: Kind = ("root",)


def visible(character: str) -> str:
    """The character, written out where it would not be seen but obeyed."""
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def written_out(text: str) -> str:
    """Text in which nothing steers the terminal."""
    return "".join(character if character in SHOWN else visible(character) for character in text)


def bounded(text: str, most: int) -> str:
    """The text, written out; where it has more than `most` characters then, its beginning, its length and its end.

    Not all of a long text is written out, which may make ten characters of one.
    """
    last = most // 4
    first = most - last
    if len(text) > most:
        beginning, end = written_out(text[:first]), written_out(text[-last:])
    else:
        beginning = end = written_out(text)
        if len(beginning) <= most:
            return beginning
    return f"{beginning[:first]} … of {len(text)} characters … {end[-last:]}"


def bounded_lines(text: str) -> str:
    """A traceback; a line of it may hold anybody's text."""
    lines = [bounded(line, MAX_CHARACTERS_FROM_OUTSIDE) for line in text.split("\n")]
    return bounded("\n".join(lines), MAX_CHARACTERS_OF_A_TRACEBACK)


class LineFormatter(logging.Formatter):
    """A message is one line: errors of PostgreSQL are several, and a name may hold a line break.

    Nothing in it steers the terminal, in a traceback neither, and neither is longer than so many characters.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        message = " ".join(line.strip() for line in record.message.splitlines() if not line.isspace())
        record.message = bounded(message, getattr(record, "max_characters", MAX_CHARACTERS))
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return bounded_lines(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return bounded_lines(stack_info)


class Console(logging.StreamHandler[TextIO]):
    """The standard error output, which nobody from outside can fill.

    Whoever sends requests can have the same statement write a line for each. So of each kind of line a minute shows
    MAX_LINES, and at its end how many more there were. A kind is the statement that wrote the line, and for an error
    the one that raised it: no text, of which a sender can make any number. What loggers below `never_left_out` say is
    not caused from outside and always shown, but for those below `few_a_minute`.
    """

    def __init__(self, never_left_out: Sequence[str], few_a_minute: Sequence[str]) -> None:
        super().__init__()
        self._never_left_out, self._few_a_minute = never_left_out, few_a_minute
        self._minute_ends_at = float("-inf")
        self._lines: Counter[Kind] = Counter()
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the lock of the handler, which is a new one after a fork."""
        if self.is_caused_from_outside(record.name):
            record.max_characters = MAX_CHARACTERS_FROM_OUTSIDE
            if not self._has_room_for(record):
                return
        super().emit(record)

    def is_caused_from_outside(self, logger: str) -> bool:
        """Whether somebody outside can have this logger write as many lines as he likes."""
        return _is_below(logger, self._few_a_minute) or not _is_below(logger, self._never_left_out)

    def close(self) -> None:
        """Say what was left out, and end."""
        with self.lock or nullcontext():
            self._end_minute()
        super().close()

    def _has_room_for(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now >= self._minute_ends_at:
            self._end_minute()
            self._minute_ends_at = now + MINUTE_SECONDS
        kind = kind_of(record)
        if kind not in self._lines and len(self._lines) >= MAX_KINDS:
            kind = OTHER_KINDS
        self._lines[kind] += 1
        if self._lines[kind] <= MAX_LINES:
            return True
        self._end_minute_later(self._minute_ends_at - now)
        return False

    def _end_minute(self) -> None:
        lines, self._lines = self._lines, Counter()
        for kind, count in lines.items():
            if count > MAX_LINES:
                text = f"{count - MAX_LINES} more lines like those of the last minute were left out"
                super().emit(logging.LogRecord(kind[0], logging.WARNING, __file__, 0, text, (), None))

    def _end_minute_later(self, seconds: float) -> None:
        if self._timer is not None and self._timer.is_alive():
            return
        self._timer = threading.Timer(seconds, self._end_minute_now)
        self._timer.daemon = True
        # No thread can be started any more: the next line of any kind says it.
        with suppress(RuntimeError):
            self._timer.start()

    def _end_minute_now(self) -> None:
        with self.lock or nullcontext():
            self._minute_ends_at = float("-inf")
            self._end_minute()


def kind_of(record: logging.LogRecord) -> Kind:
    """The logger, and the statement behind a line."""
    error = record.exc_info[2] if record.exc_info else None
    raised = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error)][-1:]
    return record.name, (record.pathname, record.lineno), *raised


def _is_below(logger: str, names: Sequence[str]) -> bool:
    return any(f"{logger}.".startswith(f"{name}.") for name in names)


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Not what a client did wrong, nor that nothing is recorded, which health says to everybody who asks."""
    status = getattr(record, "status_code", None)
    return status is None or (status >= 500 and status != 503)


def in_one_line(record: logging.LogRecord) -> bool:
    """What Django refuses to a client is a line and not a traceback; the line says all there is to know."""
    if record.name.startswith("django.security"):
        record.exc_info = record.exc_text = None
    return True


def with_its_reason(record: logging.LogRecord) -> bool:
    """Tracebacks of the queue, as an exception and within the text, become one line: what failed, and its reason."""
    message = record.getMessage().partition(" : Traceback")[0]
    reason = f": {record.exc_info[1]}" if record.exc_info and record.exc_info[1] else ""
    record.msg, record.args, record.exc_info, record.exc_text = message + reason, (), None, None
    return True
