"""Moments as text."""

import time


def iso(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds: 2026-11-22T17:40:00.000Z."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{milliseconds:03d}Z"
