"""Kills parts of a running `up` at random moments under load, and holds what is stored to what was stored before."""

import contextlib
import hashlib
import itertools
import json
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.supervision.databases import Columns, Database
from tests.supervision.running import PROJECT, Up, eventually

# What a user may rely on.
MAX_HOLE_SECONDS = 40
ORPHANS_END_SECONDS = 5
PROCESSES = 3

ADDRESSES = (
    "/api/v1/metrics/cpu?limit=1000",
    "/api/v1/metrics/processes?limit=100",
    "/api/v1/metrics/disk?limit=200",
    "/api/v1/metrics/current",
    "/metrics",
)


# Whom to kill, by name. The last two end the whole tree, which somebody has to start again.
PARTS: dict[str, Callable[[Up], list[psutil.Process]]] = {
    "worker": lambda up: [up.recorder()],
    "web server": lambda up: [up.web()],
}
TREES: dict[str, Callable[[Up], list[psutil.Process]]] = {
    "supervisor": lambda up: [up.supervisor()],
    "whole tree": lambda up: up.processes(),
}
VICTIMS = PARTS | TREES


@dataclass
class Figures:
    """What the kills of one tree came to; `failures` are sentences about what did not hold."""

    kills: Counter[str] = field(default_factory=Counter)
    recovery_seconds: list[float] = field(default_factory=list)
    start_seconds: list[float] = field(default_factory=list)
    orphan_seconds: list[float] = field(default_factory=list)
    longest_hole_seconds: int = 0
    ticks: int = 0
    buckets: int = 0
    families_missing: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Load:
    """Clients that ask without a pause while the block runs; counts what they were answered, 0 for nothing."""

    def __init__(self, up: Up, clients: int, answers: Counter[int]) -> None:
        self._up, self._answers, self._ended = up, answers, threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        for address in itertools.cycle(ADDRESSES):
            if self._ended.is_set():
                return
            status = answer_of(f"http://127.0.0.1:{self._up.port}{address}")
            self._answers[status] += 1
            if not status:
                self._ended.wait(0.1)


def answer_of(url: str) -> int:
    """The status of an address; 0 where nobody answers, or not to the end."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError, urllib.error.URLError):
        return 0
    except Exception as error:  # an answer that breaks off has many names in http.client
        return 0 if type(error).__module__ == "http.client" else -1


class Witness:
    """Remembers every tick that it has seen committed, with all of its samples, and says what has become of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.seen: dict[int, str] = {}
        self.missing: dict[int, tuple[str, ...]] = {}

    def look(self) -> list[str]:
        """Compare with the last look; what is wrong, in sentences."""
        with self._database.snapshot() as moment:
            tables = sample_tables(self._database.tables(moment))
            digests, self.missing = digests_of(moment, tables)
            wrong = list(inconsistencies(moment, tables))
        wrong += [f"damage: {sentence}" for sentence in self._database.damage()]
        lost = [tick for tick in self.seen if tick not in digests]
        changed = [tick for tick, digest in self.seen.items() if digests.get(tick, digest) != digest]
        wrong += [f"committed ticks are lost: {lost}"] if lost else []
        wrong += [f"committed ticks were changed: {changed}"] if changed else []
        self.seen = digests
        return wrong


def sample_tables(tables: Columns) -> Columns:
    """Those that hold samples."""
    return {name: columns for name, columns in tables.items() if {"host_id", "tier", "timestamp"} <= set(columns)}


def digests_of(database: Any, tables: Columns) -> tuple[dict[int, str], dict[int, tuple[str, ...]]]:
    """A digest of everything that was recorded at each tick, and the tables that have nothing of one. Process samples
    that only the newest tick keeps are left out."""
    hashes = {row[1]: hashlib.sha256(repr(row).encode()) for row in database.execute(TICKS)}
    missing: dict[int, tuple[str, ...]] = dict.fromkeys(hashes, ())
    for table, columns in tables.items():
        kept = " AND is_kept" if "is_kept" in columns else ""
        found = set()
        for timestamp, *row in database.execute(
            f"SELECT timestamp, * FROM {table} WHERE tier = 0{kept} ORDER BY timestamp, id"
        ):
            found.add(timestamp)
            if timestamp in hashes:
                hashes[timestamp].update(repr(row).encode())
        for tick in hashes.keys() - found:
            missing[tick] += (table.removeprefix("metrics_"),)
    return {tick: digest.hexdigest() for tick, digest in hashes.items()}, {k: v for k, v in missing.items() if v}


TICKS = "SELECT host_id, timestamp, resolution, lag_milliseconds, duration_milliseconds FROM metrics_tick"


def inconsistencies(database: Any, tables: Columns) -> Iterator[str]:
    """Half a tick: samples without their tick, or the states of another one. A doubled one is two rows of one thing."""
    for table, columns in tables.items():
        orphans = database.execute(
            f"SELECT COUNT(*) FROM {table} WHERE tier = 0 AND timestamp NOT IN (SELECT timestamp FROM metrics_tick)"
        ).fetchone()[0]
        if orphans:
            yield f"{table} has {orphans} samples without a tick"
        key = ["host_id", "tier", "timestamp"]
        key += [name for name in ("device", "mountpoint", "interface", "process_id") if name in columns]
        doubles = database.execute(f"SELECT COUNT(*) FROM {table} GROUP BY {', '.join(key)} HAVING COUNT(*) > 1")
        if count := len(doubles.fetchall()):
            yield f"{table} has {count} doubled samples"
    newest = database.execute("SELECT MAX(timestamp) FROM metrics_tick").fetchone()[0]
    states = {row[0] for row in database.execute("SELECT timestamp FROM metrics_collectorstate")}
    if newest and states != {newest}:
        yield f"the newest tick is {newest}, but the collectors' states are of {states}"


# One tree starts at a time; one that has to be started again has its turn before it is killed.
_one_start = threading.RLock()


@dataclass
class Trial:
    """One tree, and the kills that it has to stand.

    `quiet_seconds` is how long it is left alone after a part of it was killed: what that did may show late.
    `work_per_core` is how many programs of others wanted each core before, 1 at the least: a start takes longer then.
    """

    up: Up
    victims: list[str]
    random: random.Random
    quiet_seconds: float = 0.0
    work_per_core: float = 1.0
    clients: int = 8
    figures: Figures = field(default_factory=Figures)

    def run(self) -> Figures:
        """Kill one after the other; whatever happens, nothing is left behind."""
        self.witness = Witness(self.up.database)
        try:
            self._start()
            for victim in self.victims:
                self._settle()
                self._kill(victim)
                self._check(victim, self.witness.look())
            self._settle()
            self._look_back()
        finally:
            self.up.end_for_sure()
        return self.figures

    def _check(self, occasion: str, wrong: list[str]) -> None:
        self.figures.failures += [f"{self.up.directory.name}, {occasion}: {sentence}" for sentence in wrong]

    def _start(self) -> None:
        """A fresh start records within two intervals and five seconds of a machine that has nothing else to do."""
        allowed = (2 * self.up.interval_seconds + 5) * self.work_per_core
        with _one_start:
            began, before = time.monotonic(), self.up.newest_tick()
            self.up.start()
            eventually(lambda: self.up.newest_tick() > before, allowed + 20)
            took = time.monotonic() - began
        self.figures.start_seconds.append(took)
        self._check("start", [f"the first tick came after {took:.1f} s"] if took > allowed else [])

    def _settle(self) -> None:
        """Wait until everything runs: all of its processes, and a recorder that is one of them."""
        if not eventually(self._is_whole, MAX_HOLE_SECONDS):
            self._check("settling", [f"not whole after {MAX_HOLE_SECONDS} s: {self._processes()}"])

    def _is_whole(self) -> bool:
        try:
            return len(self.up.processes()) == PROCESSES and self.up.recorder() in self.up.supervisor().children()
        except (psutil.Error, IndexError):
            return False

    def _processes(self) -> list[str]:
        return [f"{process.pid} of {process.ppid()}" for process in self.up.processes()]

    def _kill(self, victim: str) -> None:
        turn = _one_start if victim in TREES else contextlib.nullcontext()
        with turn, Load(self.up, self.clients, self.figures.answers):
            self._wait_for_a_moment()
            self._check(f"before {victim}", self.witness.look())
            killed = VICTIMS[victim](self.up)
            self.random.shuffle(killed)
            at = time.monotonic()
            for process in killed:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(killed, timeout=5)
            self.figures.kills[victim] += 1
            if victim in TREES:
                self._check(victim, self._start_again(at))
            else:
                self._check(victim, self._recovers(at))
        if victim in PARTS:
            self._leave_alone()

    def _wait_for_a_moment(self) -> None:
        """Any moment, or one at which a tick is likely to be written: both are worth a try."""
        threading.Event().wait(self.random.uniform(0.5, 2.5))
        if self.random.random() < 0.5:
            into_the_second = self.random.uniform(0, 0.08)
            threading.Event().wait((into_the_second - time.time()) % 1)

    def _start_again(self, killed_at: float) -> list[str]:
        """Nothing survives, what was committed is there before anybody repairs it, and the port is free."""
        eventually(lambda: not self.up.processes(), ORPHANS_END_SECONDS)
        self.figures.orphan_seconds.append(time.monotonic() - killed_at)
        if survivors := self._processes():
            return [f"{survivors} survive their supervisor by {ORPHANS_END_SECONDS} s"]
        assert self.up.process is not None
        self.up.process.wait(5)
        wrong = self.witness.look()
        self._start()
        return wrong

    def _recovers(self, killed_at: float) -> list[str]:
        before = max(self.up.newest_tick(), int(time.time()))
        is_recording = eventually(lambda: self.up.newest_tick() > before, MAX_HOLE_SECONDS)
        answers = eventually(lambda: self.up.get("/api/v1/health")[0] == 200, MAX_HOLE_SECONDS)
        self.figures.recovery_seconds.append(time.monotonic() - killed_at)
        wrong = [] if is_recording else [f"nothing is recorded {MAX_HOLE_SECONDS} s later"]
        return wrong + ([] if answers else [f"health is not well {MAX_HOLE_SECONDS} s later"])

    def _leave_alone(self) -> None:
        """A reader now and then."""
        until = time.monotonic() + self.quiet_seconds
        while time.monotonic() < until:
            self.figures.answers[answer_of(f"http://127.0.0.1:{self.up.port}/api/v1/metrics/current")] += 1
            threading.Event().wait(1)

    def _look_back(self) -> None:
        """Over the whole history: no hole, nothing half, and roll-ups that say what the raw samples say."""
        self._check("at the end", self.witness.look())
        ticks = sorted(self.witness.seen)
        holes = [(later - earlier, earlier) for earlier, later in itertools.pairwise(ticks)]
        longest, at = max(holes)
        self.figures.ticks, self.figures.longest_hole_seconds = len(ticks), longest
        self._check("at the end", [f"a hole of {longest} s at {at}"] if longest > MAX_HOLE_SECONDS else [])
        tables = Counter(table for missing in self.witness.missing.values() for table in missing)
        self.figures.families_missing = tables
        self._check("at the end", self._unexplained(tables))
        found = recompute(self.up)
        self.figures.buckets = found["buckets"]
        self._check("roll-ups", found["differences"])
        self._check(
            "answers", [f"{n} answers of {s}" for s, n in self.figures.answers.items() if s not in (0, 200, 503)]
        )

    def _unexplained(self, missing: Counter[str]) -> list[str]:
        """A family without samples at a tick is one whose collector failed there, which was counted."""
        failures = dict(self.up.query("SELECT family, failures FROM metrics_collectorstate"))
        by_family = {"cpusample": "cpu", "memorysample": "memory", "disksample": "disk", "processtotals": "processes"}
        return [
            f"{missing[table]} ticks without {family}, which failed {failures.get(family)} times"
            for table, family in by_family.items()
            if missing[table] > failures.get(family, 0)
        ]


def recompute(up: Up) -> dict[str, list[str] | int]:
    """Compare the roll-ups of a copy with those that its raw samples give when all are made anew."""
    with up.database.copied() as settings:
        done = subprocess.run(
            [sys.executable, "-m", "tests.supervision.recompute"],
            cwd=PROJECT, env={**up.environment, **settings}, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[str] | int] = json.loads(done.stdout)
    return answer
