"""What a first process owes to the processes that lost their parent."""

import os
from collections.abc import Collection

FIRST_PID = 1


def clear_orphans(own: Collection[int]) -> None:
    """As the first process of a container: take note of every process that has ended without a parent of its own.

    Else each part of a cluster that was killed would keep a place in the table of processes for ever. `own` are the
    pids of which somebody else takes note; looking at one without taking its status leaves it for them.
    """
    if os.getpid() != FIRST_PID:
        return
    while (pid := _ended()) is not None and pid not in own:
        os.waitpid(pid, 0)


def _ended() -> int | None:
    """A child that has ended, adopted or not."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended else None
