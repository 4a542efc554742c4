"""CPU of ended children: on a simulated tree of processes, whose true totals are known, each second is counted once."""

from random import Random

import pytest

from metrics.recording.children import COUNTED, RAW, count_ended_children
from metrics.recording.rates import growth

INIT = 1


class Task:
    """A process as the kernel knows it; times are in ticks of its clock."""

    def __init__(self, pid, parent, start):
        self.pid, self.parent, self.start = pid, parent, start
        self.own = self.children = 0
        self.is_zombie = self.ignores_children = self.adopts = False


class Kernel:
    """Forks, runs, ends and waits as Linux does; pids are used again."""

    def __init__(self, pids=40):
        self.now = self.used = self.lost = 0
        self.pids = pids
        self.some_ignore_children = False
        self.tasks = {INIT: Task(INIT, 0, 0)}
        self.before, self.missing, self.read_at = [], [], 0

    def fork(self, parent):
        free = [pid for pid in range(2, self.pids) if pid not in self.tasks]
        if not free:
            return None
        # Started a tick after whoever had the pid before.
        self.now += 1
        self.tasks[free[0]] = task = Task(free[0], parent, self.now)
        task.ignores_children = self.some_ignore_children and task.pid % 2 == 0
        return task.pid

    def run(self, pid, ticks):
        self.tasks[pid].own += ticks
        self.used += ticks

    def end(self, pid):
        task = self.tasks[pid]
        task.is_zombie = True
        for child in [other for other in self.tasks.values() if other.parent == pid]:
            child.parent = self.adopter(task)
            self.notify(child)
        self.notify(task)

    def adopter(self, task):
        above = self.tasks[task.parent]
        while above.pid != INIT and (not above.adopts or above.is_zombie):
            above = self.tasks[above.parent]
        return above.pid

    def notify(self, task):
        parent = self.tasks[task.parent]
        if task.is_zombie and (parent.pid == INIT or parent.adopts):
            self.wait(task.pid)
        elif task.is_zombie and parent.ignores_children:
            self.lost += task.own + task.children
            del self.tasks[task.pid]

    def wait(self, pid):
        task = self.tasks.pop(pid)
        self.tasks[task.parent].children += task.own + task.children

    def end_namespace(self, init):
        """The first process of a pid namespace ends: the kernel kills all that is in it and waits for it there."""
        for task in sorted(self.below(init), key=lambda task: -task.start):
            task.parent, task.is_zombie = init, True
            self.wait(task.pid)
        self.end(init)

    def below(self, pid):
        children = [task for task in self.tasks.values() if task.parent == pid]
        return children + [task for child in children for task in self.below(child.pid)]

    def rows(self):
        return [
            {
                "pid": task.pid,
                "parent_pid": task.parent,
                "status": "zombie" if task.is_zombie else "running",
                "start_seconds": task.start / 100,
                "cpu_seconds": task.own / 100,
                RAW: task.children / 100,
            }
            for task in sorted(self.tasks.values(), key=lambda task: task.pid)
        ]

    def read(self, rows=None):
        """A tick: the seconds that are counted in it, of the processes themselves and of their ended children."""
        rows = self.rows() if rows is None else rows
        self.missing = count_ended_children(rows, self.before, self.read_at / 100, self.missing)
        before = {(row["pid"], row["start_seconds"]): row for row in self.before}
        zeros = {"cpu_seconds": 0.0, COUNTED: 0.0}
        grown = {
            row["pid"]: [row[name] - before.get((row["pid"], row["start_seconds"]), zeros)[name] for name in zeros]
            for row in rows
        }
        assert all(seconds >= -1e-9 for pair in grown.values() for seconds in pair)
        self.before, self.read_at, self.now = rows, self.now, self.now + 1
        return sum(map(sum, grown.values()))

    def step(self, random, ticks):
        """Something happens, as on any machine."""
        alive = [task for task in self.tasks.values() if not task.is_zombie]
        task = random.choice(alive)
        what = random.choices(["fork", "run", "end", "wait"], [4, 6, 4, 4])[0]
        if what == "fork":
            self.fork(task.pid)
        elif what == "run":
            self.run(task.pid, ticks(random))
        elif what == "end" and task.pid != INIT and not task.ignores_children:
            self.end(task.pid)
        elif ended := [child for child in self.tasks.values() if child.is_zombie and child.parent == task.pid]:
            self.wait(random.choice(ended).pid)


def whole_tenths(random):
    return 10 * random.randint(1, 200)


def any_ticks(random):
    return random.randint(0, 300)


@pytest.mark.parametrize("steps_a_tick", [2, 12, 60])
@pytest.mark.parametrize("has_subreaper", [False, True])
@pytest.mark.parametrize("seed", range(50))
def test_each_second_is_counted_once_and_in_the_tick_in_which_it_was_used(seed, steps_a_tick, has_subreaper):
    random, kernel = Random(seed), Kernel()
    if has_subreaper:
        kernel.tasks[kernel.fork(INIT)].adopts = True
    kernel.read()
    for _tick in range(12):
        used = kernel.used
        for _step in range(random.randint(0, steps_a_tick)):
            kernel.step(random, whole_tenths)
        assert kernel.read() == pytest.approx((kernel.used - used) / 100)
        assert kernel.missing == []


@pytest.mark.parametrize("seed", range(50))
def test_times_that_are_too_short_to_be_told_apart_are_nearly_right(seed):
    random, kernel = Random(seed), Kernel()
    kernel.read()
    ended = counted = 0
    for _tick in range(12):
        pids = {(task.pid, task.start) for task in kernel.tasks.values()}
        for _step in range(30):
            kernel.step(random, any_ticks)
        counted += kernel.read()
        ended += len(pids - {(task.pid, task.start) for task in kernel.tasks.values()})
    assert counted == pytest.approx(kernel.used / 100, abs=0.04 * ended + 1e-6)


@pytest.mark.parametrize("seed", range(50))
def test_what_nobody_waits_for_is_not_made_up(seed):
    """An ignored SIGCHLD: the kernel throws the time away. Where such a parent ends in the same tick as its children,
    nobody can tell that from its having waited; these live on."""
    random, kernel = Random(seed), Kernel()
    kernel.some_ignore_children = True
    kernel.read()
    counted = 0.0
    for _tick in range(12):
        for _step in range(20):
            kernel.step(random, whole_tenths)
        counted += kernel.read()
    assert (kernel.used - kernel.lost) / 100 - 1e-6 <= counted <= kernel.used / 100 + 1e-6


def test_two_thousand_compilers_a_minute():
    kernel = Kernel(pids=400)
    make = kernel.fork(INIT)
    kernel.read()
    for _tick in range(12):
        for _compiler in range(167):
            shell = kernel.fork(make)
            compiler = kernel.fork(shell)
            kernel.run(compiler, 29)
            kernel.run(shell, 1)
            kernel.end(compiler)
            kernel.wait(compiler)
            kernel.end(shell)
            kernel.wait(shell)
        assert kernel.read() == pytest.approx(167 * 0.30)
    assert kernel.before[1][COUNTED] == pytest.approx(12 * 167 * 0.30)


def test_an_hour_of_a_child_is_not_counted_again_when_it_ends():
    kernel = Kernel()
    shell = kernel.fork(INIT)
    child = kernel.fork(shell)
    kernel.read()
    kernel.run(child, 360_000)
    assert kernel.read() == pytest.approx(3600)
    kernel.run(child, 100)
    kernel.end(child)
    kernel.wait(child)
    assert kernel.read() == pytest.approx(1)


def test_a_double_fork_is_counted_at_whoever_adopts():
    kernel = Kernel()
    shell = kernel.fork(INIT)
    kernel.read()
    daemon = kernel.fork(kernel.fork(shell))
    kernel.end(kernel.tasks[daemon].parent)
    kernel.run(daemon, 500)
    assert kernel.read() == pytest.approx(5)
    kernel.run(daemon, 200)
    kernel.end(daemon)
    assert kernel.read() == pytest.approx(2)
    assert kernel.before[0][COUNTED] == pytest.approx(2)


@pytest.mark.parametrize("is_waited_for", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_a_pid_namespace_that_ends_with_all_that_is_in_it_is_counted_once(seed, is_waited_for):
    random, kernel = Random(seed), Kernel()
    runtime = kernel.fork(INIT)
    init = kernel.fork(runtime)
    kernel.tasks[init].adopts = True
    for _fork in range(8):
        kernel.fork(random.choice([init, *[task.pid for task in kernel.below(init)]]))
    kernel.read()
    for tick in range(3):
        used = kernel.used
        for task in [kernel.tasks[init], *kernel.below(init)]:
            kernel.run(task.pid, whole_tenths(random))
        if tick == 2:
            kernel.end_namespace(init)
            if is_waited_for:
                kernel.wait(init)
        assert kernel.read() == pytest.approx((kernel.used - used) / 100)
    if not is_waited_for:
        kernel.wait(init)
    assert kernel.read() == pytest.approx(0)
    assert kernel.missing == []


def test_a_parent_that_ends_in_the_same_tick_as_its_children_leaves_their_time_to_its_own_parent():
    kernel = Kernel()
    shell = kernel.fork(INIT)
    make = kernel.fork(shell)
    long_child = kernel.fork(make)
    kernel.run(long_child, 5000)
    kernel.read()
    for child in (long_child, kernel.fork(make)):
        kernel.run(child, 100)
        kernel.end(child)
        kernel.wait(child)
    kernel.run(make, 50)
    kernel.end(make)
    kernel.wait(make)
    assert kernel.read() == pytest.approx(2.5)
    assert {row["pid"]: row[COUNTED] for row in kernel.before} == {INIT: 0.0, shell: pytest.approx(2.5)}


def test_a_parent_that_was_read_before_it_waited_owes_it_to_the_next_tick():
    kernel = Kernel()
    shell = kernel.fork(INIT)
    child = kernel.fork(shell)
    kernel.run(child, 1000)
    kernel.read()
    kernel.run(child, 100)
    kernel.end(child)
    torn = [row for row in kernel.rows() if row["pid"] != child]
    kernel.wait(child)
    assert kernel.read(torn) == 0
    assert [ended.seconds for ended in kernel.missing] == [10]
    assert kernel.read() == pytest.approx(1)
    assert kernel.missing == []


def test_what_never_arrives_is_dropped_after_a_tick():
    kernel = Kernel()
    shell = kernel.fork(INIT)
    kernel.tasks[shell].ignores_children = True
    child = kernel.fork(shell)
    kernel.run(child, 1000)
    kernel.read()
    kernel.end(child)
    assert kernel.read() == 0
    assert len(kernel.missing) == 1
    assert kernel.read() == 0
    assert kernel.missing == []


@pytest.mark.parametrize(
    "rows",
    [
        [{"pid": 5, "start_seconds": 1.0, "cpu_seconds": 1.0}],
        [{"pid": 5, "start_seconds": 1.0, "cpu_seconds": 1.0, RAW: None, "parent_pid": None}],
    ],
    ids=["no counter", "unknown"],
)
def test_where_the_system_does_not_tell_it_is_unknown(rows):
    assert count_ended_children(rows, [], 0.0) == []
    assert [row[COUNTED] for row in rows] == [None]


def test_a_counter_that_falls_begins_anew():
    before = [{"pid": 5, "parent_pid": 1, "start_seconds": 1.0, "cpu_seconds": 1.0, RAW: 9.0, COUNTED: 3.0}]
    rows = [{**before[0], RAW: 2.0}]
    count_ended_children(rows, before, 0.0)
    assert growth(rows[0][COUNTED], before[0][COUNTED]) is None
    after = [{**rows[0], RAW: 4.0}]
    count_ended_children(after, rows, 0.0)
    assert growth(after[0][COUNTED], rows[0][COUNTED]) == 2.0


def test_what_came_before_the_first_reading_is_not_counted():
    rows = [{"pid": 5, "parent_pid": 1, "start_seconds": 1.0, "cpu_seconds": 1.0, RAW: 9.0}]
    count_ended_children(rows, [], born_after=50.0)
    assert rows[0][COUNTED] == 0
    after = [{**rows[0], RAW: 9.5}]
    count_ended_children(after, rows, 50.0)
    assert after[0][COUNTED] == 0.5


def test_a_reading_of_a_version_that_did_not_count_is_gone_on_from():
    before = [{"pid": 5, "parent_pid": 1, "start_seconds": 1.0, "cpu_seconds": 1.0}]
    rows = [{**before[0], RAW: 9.0}]
    count_ended_children(rows, before, 0.0)
    assert rows[0][COUNTED] == 0


def test_a_loop_of_parents_ends():
    """As a reused pid between the reading of two processes could make one."""
    before = [
        {"pid": pid, "parent_pid": parent, "start_seconds": 1.0, "cpu_seconds": 1.0, RAW: 0.0}
        for pid, parent in ((5, 6), (6, 5))
    ]
    assert [ended.holders for ended in count_ended_children([], before, 0.0)] == [(), ()]
