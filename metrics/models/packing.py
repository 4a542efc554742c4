"""What many processes used, in a few bytes: pairs of an id and a whole number, both as narrow as they can be.

A row of its own for each would take thirty times the time to read, where what thousands of buckets say is added up.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

# The codes of the module `struct` for whole numbers without a sign, and the first number that has no room in them.
WIDTHS = {"H": 1 << 16, "I": 1 << 32, "Q": 1 << 64}
CODES_BYTES = 2


def packed(values: Mapping[int, int]) -> bytes:
    """Two codes, for the width of the ids and that of the values, and then the pairs."""
    return packed_pairs(list(values.items()))


def packed_pairs(pairs: Sequence[tuple[int, int]]) -> bytes:
    """The same for pairs in an order of their own."""
    if not pairs:
        return b""
    codes = "".join(_code(max(column)) for column in zip(*pairs, strict=True))
    return codes.encode() + struct.pack(f"<{codes * len(pairs)}", *chain.from_iterable(pairs))


def unpacked(data: bytes | memoryview | None) -> Iterator[tuple[int, int]]:
    """The pairs of an id and its value."""
    if not data:
        return iter(())
    pairs: Iterator[Any] = _layout(bytes(data[:CODES_BYTES])).iter_unpack(data[CODES_BYTES:])
    return pairs


@cache
def _layout(codes: bytes) -> struct.Struct:
    return struct.Struct(f"<{codes.decode()}")


def _code(highest: int) -> str:
    return next(code for code, end in WIDTHS.items() if highest < end)
