"""Each history is rolled up and pruned once, by the machine itself or, when that is gone, by another."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from metrics.models import CpuSample, Tick, UpkeepLease
from metrics.retention import maintenance
from metrics.retention.maintenance import LEASE_SECONDS, maintain_hosts, take_lease
from tests.conftest import FIRST_TICK

HOUR = timedelta(hours=1)


@pytest.fixture
def others(other_host):
    """The history of another machine: two minutes, not rolled up."""
    other_host.ticks(24)
    return other_host.host


def minutes_of(host):
    return CpuSample.objects.filter(host=host, tier=60).count()


def test_this_machines_host_is_rolled_up_under_a_lease(recorded):
    recorded.ticks(12)
    before = now()
    maintain_hosts()
    assert minutes_of(recorded.host) == 1
    lease = UpkeepLease.objects.get()
    assert (lease.host, lease.holder) == (recorded.host, "test-host")
    assert lease.expires_at - before == pytest.approx(timedelta(seconds=LEASE_SECONDS), abs=timedelta(seconds=5))


def test_a_host_that_another_machine_looks_after_is_left_alone(recorded, others):
    UpkeepLease.objects.create(host=others, holder="other-host", expires_at=now() + HOUR)
    maintain_hosts()
    assert minutes_of(others) == 0
    assert UpkeepLease.objects.get(host=others).holder == "other-host"


def test_the_history_of_a_machine_that_is_gone_is_rolled_up_and_pruned(recorded, others, settings):
    settings.SYSMON_MAX_POINTS = 12
    UpkeepLease.objects.create(host=others, holder="other-host", expires_at=now() - HOUR)
    assert maintain_hosts() > 0
    assert minutes_of(others) == 2
    assert Tick.objects.filter(host=others).count() == 12
    assert UpkeepLease.objects.get(host=others).holder == "test-host"


def test_a_host_that_nobody_ever_looked_after_is_taken(recorded, others):
    maintain_hosts()
    assert UpkeepLease.objects.get(host=others).holder == "test-host"


def test_a_machine_that_comes_back_takes_its_host_from_the_one_that_stood_in(recorded):
    UpkeepLease.objects.create(host=recorded.host, holder="other-host", expires_at=now() + HOUR)
    assert take_lease(recorded.host)
    assert UpkeepLease.objects.get().holder == "test-host"


def test_the_one_that_stood_in_then_leaves_it_alone(recorded, others):
    assert take_lease(others)
    UpkeepLease.objects.filter(host=others).update(holder="other-host")
    assert not take_lease(others)


def test_what_takes_too_long_is_left_for_the_next_minute(recorded, others, monkeypatch):
    monkeypatch.setattr(maintenance, "MAX_SECONDS", -1.0)
    recorded.tick(FIRST_TICK)
    assert maintain_hosts() == 0
    assert not UpkeepLease.objects.exists()
