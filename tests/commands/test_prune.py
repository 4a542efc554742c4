"""`manage.py prune`: the retention policy, now or only in words."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from metrics.models import CpuSample, Host

FIRST = 1_700_000_000


def prune(*arguments):
    out = io.StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def samples(db, settings):
    settings.SYSMON_MAX_POINTS = 3
    host = Host.objects.create(name="test-host")
    CpuSample.objects.bulk_create(CpuSample(host=host, timestamp=FIRST + n, resolution=1) for n in range(10))


def test_it_deletes_what_is_too_much(samples):
    assert prune() == "7 rows deleted\n"
    assert CpuSample.objects.count() == 3


def test_a_second_time_there_is_nothing_left_to_do(samples):
    prune()
    assert prune() == "0 rows deleted\n"


def test_a_dry_run_says_what_would_go_and_deletes_nothing(samples):
    text = prune("--dry-run")
    assert "7  CPU samples" in text
    assert "7  rows would be deleted; 3 raw points" in text
    assert CpuSample.objects.count() == 10


def test_a_database_that_cannot_be_used_is_one_line(samples, monkeypatch):
    def fail():
        raise OperationalError("no such table: metrics_host")

    monkeypatch.setattr("metrics.management.commands.prune.apply_retention", fail)
    with pytest.raises(CommandError, match="cannot be used: no such table"):
        prune()
