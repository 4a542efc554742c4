"""A collector that fails or hangs costs its own family, and nothing else."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from metrics.collectors.base import NoData
from metrics.collectors.exclusions import EXCLUDED_MOUNTS
from metrics.recording.runner import Outcome, Runner, _set_up, runners
from tests.recording.fakes import collector


def raising(error):
    def read():
        raise error

    return read


def test_it_returns_the_reading():
    run = Runner(collector("cpu", lambda: {"cpu": [{"load_1": 1.0}]})).run(1)
    assert (run.outcome, run.reading, run.family) == (Outcome.OK, {"cpu": [{"load_1": 1.0}]}, "cpu")


def test_a_reading_that_is_not_whole_says_so():
    run = Runner(collector("processes", lambda: {"process": []}, warning="3 command lines wait")).run(1)
    assert (run.outcome, run.reading, run.message) == (Outcome.OK, {"process": []}, "3 command lines wait")


def test_a_failure_is_an_outcome_with_a_message():
    run = Runner(collector("cpu", raising(ValueError("broken")))).run(1)
    assert (run.outcome, run.message, run.reading) == (Outcome.FAILED, "ValueError: broken", None)


def test_no_data_here_is_no_failure():
    assert Runner(collector("cpu", raising(NoData("no sensors")))).run(1).outcome == Outcome.NO_DATA


@pytest.mark.parametrize("read", [lambda: {"interface": []}, raising(NoData("all of them"))], ids=["some", "all"])
def test_what_a_setting_left_out_is_told_also_where_nothing_else_is_there(read):
    run = Runner(collector("network", read, excluded={"interfaces": ["veth0"]})).run(1)
    assert run.excluded == {"interfaces": ["veth0"]}


def test_a_collector_is_given_the_patterns_of_the_settings(settings, monkeypatch):
    settings.SYSMON_EXCLUDE_INTERFACES, settings.SYSMON_EXCLUDE_DISKS = ["br-*", "tap0"], ""
    given = collector("network", dict)
    monkeypatch.setattr(given, "set_up", lambda patterns: given.__dict__.update(patterns), raising=False)
    assert _set_up(given) is given
    assert (given.exclude_interfaces, given.exclude_disks) == ("br-*,tap0", "none")
    assert given.exclude_mounts == EXCLUDED_MOUNTS


def test_a_failure_does_not_end_the_thread():
    answers = iter([ValueError("once")])

    def read():
        raise next(answers, None) or NoData("then nothing")

    runner = Runner(collector("cpu", read))
    assert [runner.run(1).outcome, runner.run(1).outcome] == [Outcome.FAILED, Outcome.NO_DATA]


class TestHanging:
    def setup_method(self):
        self.gate = threading.Event()
        self.threads_before = threading.active_count()
        self.runner = Runner(collector("disk", lambda: {"disk": [{"stuck": self.gate.wait(10)}]}))

    def teardown_method(self):
        self.gate.set()

    def test_it_is_given_up_after_the_timeout(self):
        assert self.runner.run(0.01).outcome == Outcome.FAILED

    def test_it_costs_no_second_thread_and_no_second_wait(self):
        self.runner.run(0.01)
        runs = [self.runner.run(10) for _ in range(5)]
        assert {run.outcome for run in runs} == {Outcome.FAILED}
        assert threading.active_count() == self.threads_before + 1
        assert sum(run.duration_seconds for run in runs) < 0.1

    def test_it_works_again_once_the_call_has_come_back(self):
        self.runner.run(0.01)
        self.gate.set()
        while (run := self.runner.run(1)).outcome == Outcome.FAILED:
            pass
        assert run.reading == {"disk": [{"stuck": True}]}

    def test_the_message_says_since_when(self):
        assert self.runner.run(0.01).message == "no answer for 0 s"


def test_two_windows_may_ask_at_once_and_each_gets_a_reading_of_its_own():
    numbers = itertools.count()
    runner = Runner(collector("cpu", lambda: {"cpu": [{"number": next(numbers)}]}))
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: runner.run(1), range(200)))
    assert sorted(run.reading["cpu"][0]["number"] for run in runs) == list(range(200))


def test_who_asks_while_another_waits_for_a_call_that_hangs_waits_no_longer_than_that():
    gate, has_begun = threading.Event(), threading.Event()
    runner = Runner(collector("disk", lambda: {"disk": [{"stuck": has_begun.set() or gate.wait(10)}]}))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(runner.run, 0.05)
        has_begun.wait(10)
        second = runner.run(10)
        assert (first.result().outcome, second.outcome) == (Outcome.FAILED, Outcome.FAILED)
    gate.set()


def test_a_process_keeps_one_runner_a_family():
    assert runners() is runners()
    assert {"cpu", "disk", "memory", "network", "processes"} <= {runner.family for runner in runners()}
