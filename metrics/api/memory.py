"""What a value takes in memory, for caches that keep to a number of bytes."""

import sys
from typing import Any

# A place in an ordered dictionary: its table, a node of its list, and what is not used yet of either.
PLACE_BYTES = 250
# The head of a text or of bytes, and what the allocator rounds up.
TEXT_BYTES = 60
LIST_BYTES = 64


def held_bytes(value: Any) -> int:
    """Bytes of a value and of all that it holds, as far as texts, tuples, lists, dictionaries and slots go.

    What several hold is counted for each of them, and nothing is looked at closely: rather too much than too little.
    """
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value) + TEXT_BYTES
    if kind is tuple or kind is list:
        return LIST_BYTES + 8 * len(value) + sum(map(held_bytes, value))
    if kind is dict:
        return sys.getsizeof(value) + sum(map(held_bytes, value)) + sum(map(held_bytes, value.values()))
    return sys.getsizeof(value) + sum(held_bytes(getattr(value, name)) for name in getattr(kind, "__slots__", ()))
