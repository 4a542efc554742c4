"""What a reading had to leave out: counted, with one example each, to be said in health."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

EXAMPLE_CHARACTERS = 60

Parsed = TypeVar("Parsed")


class Omissions:
    """What was left out of one reading. Its text is "" where that was nothing."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, str] = {}
        self._remarks: list[str] = []

    def __str__(self) -> str:
        counts = [f"left out {count} of {what}{self._examples[what]}" for what, count in self._counts.items()]
        return "; ".join([*counts, *self._remarks])

    def add(self, what: str, example: str = "") -> None:
        """Count one more of `what`, a noun in the plural such as `the lines of /proc/net/dev`."""
        self._counts[what] = self._counts.get(what, 0) + 1
        self._examples.setdefault(what, f" ({example[:EXAMPLE_CHARACTERS]!a})" if example else "")

    def say(self, remark: str) -> None:
        """Add a sentence; "" adds nothing."""
        if remark:
            self._remarks.append(remark)

    def parsed(self, what: str, lines: Iterable[str], parse: Callable[[str], Parsed]) -> Iterator[Parsed]:
        """What `parse` makes of each line that is not blank; one that it refuses with ValueError is left out."""
        for line in lines:
            if line.strip(" "):
                try:
                    yield parse(line)
                except ValueError:
                    self.add(what, line)
