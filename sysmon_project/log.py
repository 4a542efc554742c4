"""What the console shows."""

import logging


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Not what a client did wrong, nor that nothing is recorded, which health says to everybody who asks."""
    status = getattr(record, "status_code", None)
    return status is None or (status >= 500 and status != 503)
