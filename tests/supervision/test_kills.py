"""Whatever is killed, whenever: nothing that was committed is lost, and recording goes on.

In `make test` each part once, in some minute; in `make soak` a hundred kills, each followed by five minutes of quiet.
"""

import itertools
import os
import random
import statistics
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.supervision.kills import PARTS, TREES, VICTIMS, Figures, Trial
from tests.supervision.running import Up

pytestmark = [
    pytest.mark.live,
    pytest.mark.soak,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
]


def short_plan(chance):
    """Three trees that lose three parts each."""
    victims = list(VICTIMS)
    chance.shuffle(victims)
    return [victims[start::3] for start in range(3)], 0


def long_plan(chance):
    """A hundred kills over ten trees. A tree is left alone for five minutes after it has lost a part, so that each
    lasts some three quarters of an hour."""
    parts = list(itertools.islice(itertools.cycle(PARTS), 80))
    whole = list(itertools.islice(itertools.cycle(TREES), 20))
    chance.shuffle(parts)
    trees = [parts[start::10] + whole[start::10] for start in range(10)]
    for victims in trees:
        chance.shuffle(victims)
    return trees, 300


def test_nothing_is_lost_and_recording_goes_on(tmp_path, is_soak, say):
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    plan, quiet_seconds = long_plan(chance) if is_soak else short_plan(chance)
    work_per_core = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    trials = [
        Trial(
            Up(tmp_path / f"tree-{number}", SYSMON_INTERVAL="5" if number % 3 == 2 and is_soak else "1"),
            victims,
            random.Random(seed + number),
            quiet_seconds,
            work_per_core,
        )
        for number, victims in enumerate(plan, 1)
    ]
    with ThreadPoolExecutor(len(trials)) as pool:
        figures = list(pool.map(Trial.run, trials))
    say(f"seed {seed}, {work_per_core:.1f} programs a core before\n{summary(figures)}")
    failures = [failure for tree in figures for failure in tree.failures]
    assert not failures, "\n".join(failures)


def summary(trees: list[Figures]) -> str:
    """The figures of all trees, for the eye."""
    kills, missing, answers = (
        sum(counters, start=Counter())
        for counters in zip(*((tree.kills, tree.families_missing, tree.answers) for tree in trees))
    )
    starts = [seconds for tree in trees for seconds in tree.start_seconds]
    recovery = [seconds for tree in trees for seconds in tree.recovery_seconds]
    orphans = [seconds for tree in trees for seconds in tree.orphan_seconds]
    rows = {
        "kills": f"{kills.total()} in {len(trees)} trees: {dict(kills)}",
        "a part lost, all well again after": spread(recovery),
        "a fresh start, first tick after": spread(starts),
        "the supervisor lost, nothing left after": spread(orphans),
        "ticks": f"{sum(tree.ticks for tree in trees)}, each of them there to the end",
        "longest hole": f"{max(tree.longest_hole_seconds for tree in trees)} s",
        "minutes and quarters rolled up": f"{sum(tree.buckets for tree in trees)}, the same when made anew",
        "collectors too late under the load": dict(missing) or "none",
        "answers by status": dict(answers),
    }
    return "\n".join(f"{name:<42}{value}" for name, value in rows.items())


def spread(seconds: list[float]) -> str:
    """Median and maximum."""
    return f"{statistics.median(seconds):.1f} s at the median, {max(seconds):.1f} s at the most"
