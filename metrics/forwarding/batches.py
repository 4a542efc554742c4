"""What is sent at once."""

from collections.abc import Mapping
from typing import NamedTuple


class Batch(NamedTuple):
    """The body of a request, compressed, how many points are in it, and the headers that describe it."""

    body: bytes
    points: int
    headers: Mapping[str, str]
