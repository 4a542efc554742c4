"""How far a long command is, at the terminal."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


def progress_on(stdout: Any) -> Progress:
    """A line for each task: what it does, a bar, how much of it is done, and how long the rest takes."""
    description, done = TextColumn("{task.description}", markup=False), TextColumn("{task.percentage:>3.0f} %")
    return Progress(description, BarColumn(), done, TimeRemainingColumn(), console=Console(file=stdout))
