"""What counts as the present, whatever a clock once said: no row that lies ahead of now is ever the newest."""

import time
from typing import TypeVar

from django.db import models

Rows = TypeVar("Rows", bound="models.QuerySet[models.Model]")

# Two machines that share a database may differ by so much, and a clock that is corrected is by less.
MAX_AHEAD_SECONDS = 60


def last_present_moment() -> int:
    """The last second, since the epoch, that can be the newest: a minute ahead of now."""
    return int(time.time()) + MAX_AHEAD_SECONDS


def not_ahead(rows: Rows) -> Rows:
    """The rows, by their `timestamp`, that do not lie ahead."""
    return rows.filter(timestamp__lte=last_present_moment())
