"""What the console shows."""

import logging
import re

SHOWN = "\n\t"


def visible(character: str) -> str:
    """The character, written out where it would not be seen but obeyed."""
    return character if character.isprintable() else character.encode("unicode_escape").decode()


class LineFormatter(logging.Formatter):
    """A message is one line: errors of PostgreSQL are several, and a name may hold a line break.

    Nothing in it steers the terminal, in a traceback neither.
    """

    def format(self, record: logging.LogRecord) -> str:
        return "".join(character if character in SHOWN else visible(character) for character in super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return re.sub(r"\s*[\r\n]+\s*", " ", super().formatMessage(record)).strip()


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Not what a client did wrong, nor that nothing is recorded, which health says to everybody who asks."""
    status = getattr(record, "status_code", None)
    return status is None or (status >= 500 and status != 503)


def in_one_line(record: logging.LogRecord) -> bool:
    """What a stranger can cause at will is a line and not a traceback; the line says all there is to know."""
    record.exc_info = record.exc_text = None
    return True


def with_its_reason(record: logging.LogRecord) -> bool:
    """Tracebacks of the queue, as an exception and within the text, become one line: what failed, and its reason."""
    message = record.getMessage().partition(" : Traceback")[0]
    reason = f": {record.exc_info[1]}" if record.exc_info and record.exc_info[1] else ""
    record.msg, record.args, record.exc_info, record.exc_text = message + reason, (), None, None
    return True
