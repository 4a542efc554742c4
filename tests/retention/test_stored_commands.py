"""Command lines that were stored by other rules are masked again."""

import pytest

from metrics.models import CommandMasking, Process
from metrics.retention import stored_commands
from metrics.retention.maintenance import maintain_hosts
from metrics.retention.stored_commands import mask_stored_commands
from tests.conftest import FIRST_TICK

IN_CLEAR = "rclone obscure s3cret"
MASKED = "rclone obscure ***"


@pytest.fixture
def few_rows(monkeypatch):
    monkeypatch.setattr(stored_commands, "BATCH_ROWS", 3)


def store(host, *commands):
    rows = [
        Process(host=host, pid=pid, started_at=FIRST_TICK, name="x", command=command)
        for pid, command in enumerate(commands, start=1000 + Process.objects.count())
    ]
    return Process.objects.bulk_create(rows)


def commands_of(host):
    return list(Process.objects.filter(host=host).order_by("pk").values_list("command", flat=True))


def test_what_was_stored_in_clear_is_masked(recorded, few_rows):
    store(recorded.host, *[IN_CLEAR, "node server.js", None, ""] * 3)
    assert mask_stored_commands(recorded.host) == 3
    assert commands_of(recorded.host) == [MASKED, "node server.js", None, ""] * 3


def test_maintenance_does_it(recorded):
    recorded.tick(process={"pid": 7, "command": IN_CLEAR, "cpu_percent": 9.0})
    maintain_hosts()
    assert commands_of(recorded.host) == [MASKED]


def test_it_is_done_once(recorded, monkeypatch):
    store(recorded.host, IN_CLEAR)
    mask_stored_commands(recorded.host)
    monkeypatch.setattr(stored_commands, "_mask_batch", None)
    assert mask_stored_commands(recorded.host) == 0


def test_it_goes_on_where_it_stopped(recorded, few_rows, monkeypatch):
    store(recorded.host, *[IN_CLEAR] * 8)
    moments = iter([0.0, 0.0, 9.0])
    monkeypatch.setattr(stored_commands.time, "monotonic", lambda: next(moments))
    assert mask_stored_commands(recorded.host) == 3
    monkeypatch.undo()
    assert mask_stored_commands(recorded.host) == 5
    assert set(commands_of(recorded.host)) == {MASKED}


def test_other_rules_begin_at_the_first_row_again(recorded, monkeypatch):
    store(recorded.host, IN_CLEAR)
    mask_stored_commands(recorded.host)
    Process.objects.update(command="other --password s3cret")
    monkeypatch.setattr(stored_commands, "rules_digest", lambda: "rules of tomorrow")
    assert mask_stored_commands(recorded.host) == 1
    assert commands_of(recorded.host) == ["other --password ***"]


@pytest.mark.parametrize(("commands", "left"), [("safe", "app ***"), ("names", None)])
def test_a_stricter_setting_is_carried_out_on_what_is_there(recorded, settings, commands, left):
    store(recorded.host, "app harmless")
    mask_stored_commands(recorded.host)
    settings.SYSMON_COMMANDS = commands
    mask_stored_commands(recorded.host)
    assert commands_of(recorded.host) == [left]


def test_a_looser_setting_takes_nothing_back(recorded, settings):
    settings.SYSMON_COMMANDS = "names"
    store(recorded.host, IN_CLEAR)
    mask_stored_commands(recorded.host)
    settings.SYSMON_COMMANDS = "masked"
    assert mask_stored_commands(recorded.host) == 0
    assert commands_of(recorded.host) == [None]


def test_the_setting_of_another_machine_stays_its_own(recorded, other_host, settings):
    settings.SYSMON_COMMANDS = "names"
    store(other_host.host, "app harmless", IN_CLEAR)
    mask_stored_commands(other_host.host)
    assert commands_of(other_host.host) == ["app harmless", MASKED]
    CommandMasking.objects.update(commands="safe", rules="others")
    mask_stored_commands(other_host.host)
    assert commands_of(other_host.host) == ["app ***", MASKED]


def test_a_row_that_says_something_else_meanwhile_is_left_alone(recorded, monkeypatch):
    store(recorded.host, IN_CLEAR)

    def exec_meanwhile(command, commands):
        Process.objects.update(command="another program")
        return MASKED

    monkeypatch.setattr(stored_commands, "_masked", exec_meanwhile)
    mask_stored_commands(recorded.host)
    assert commands_of(recorded.host) == ["another program"]


def test_what_comes_later_is_not_looked_at(recorded):
    mask_stored_commands(recorded.host)
    store(recorded.host, IN_CLEAR)
    assert mask_stored_commands(recorded.host) == 0


def test_a_host_without_processes_is_done_at_once(recorded):
    assert mask_stored_commands(recorded.host) == 0
    assert CommandMasking.objects.get().until_process == 0
