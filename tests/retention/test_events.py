"""Events are kept by number for each kind; their command lines follow the rules of today."""

import pytest

from metrics.models import Event, Host
from metrics.models.events import KINDS, Culprit, EventKind, NewEvent, Severity, note_event
from metrics.retention.pruning import apply_retention, outlived
from metrics.retention.stored_commands import mask_stored_commands

FIRST = 1_700_000_000


@pytest.fixture
def hosts(db, monkeypatch):
    for kind in KINDS:
        monkeypatch.setitem(KINDS, kind, EventKind(kind, Severity.INFO, kept=3))
    return [Host.objects.create(name=name) for name in ("test-host", "other-host")]


def note(host, kind, number, **more):
    note_event(host.pk, NewEvent(kind, str(number), FIRST + number, str(number), **more))


def kept(host, kind):
    return [int(event.key) for event in Event.objects.filter(host=host, kind=kind).order_by("started_at", "pk")]


def test_many_of_one_kind_push_out_nothing_else(hosts):
    here, there = hosts
    note(here, "oom_kill", 0)
    note(there, "gap", 0)
    for number in range(1000):
        note(here, "gap", number)
    assert sum(rows.count() for rows in outlived()) == 997
    assert apply_retention() == 997
    assert kept(here, "gap") == [997, 998, 999]
    assert kept(here, "oom_kill") == [0]
    assert kept(there, "gap") == [0]
    assert apply_retention() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_bound_also_within_one_moment(hosts, kind):
    for number in range(5):
        note_event(hosts[0].pk, NewEvent(kind, str(number), FIRST, "at once"))
    apply_retention()
    assert kept(hosts[0], kind) == [2, 3, 4]


def test_an_event_goes_with_its_host(hosts):
    note(hosts[0], "mark", 0)
    hosts[0].delete()
    assert not Event.objects.exists()


def test_command_lines_of_culprits_are_masked_by_the_rules_of_today(hosts):
    secret = Culprit(7, "mysql", command="mysql --password=hunter2 shop")
    note(hosts[0], "oom_kill", 0, culprits=[secret, Culprit(8, "kswapd0")])
    note(hosts[0], "mark", 0)
    mask_stored_commands(hosts[0])
    first, second = Event.objects.get(kind="oom_kill").culprits
    assert "hunter2" not in first["command"]
    assert (first["name"], second["command"]) == ("mysql", None)


def test_names_only_takes_the_command_lines_away(hosts, settings):
    settings.SYSMON_COMMANDS = "names"
    note(hosts[0], "oom_kill", 0, culprits=[Culprit(7, "java", command="java -jar shop.jar")])
    mask_stored_commands(hosts[0])
    assert Event.objects.get().culprits[0]["command"] is None
