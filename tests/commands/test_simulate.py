"""`manage.py simulate`: a made-up history, and never in the place of a real one."""

import io

import pytest
from django.core.management import CommandError, call_command

from metrics.models import CpuSample, Host, ProcessSample, Tick
from metrics.recording.heartbeat import Interruptible
from metrics.storage.locks import WORKER, hold_data_directory


def simulate(*arguments):
    out = io.StringIO()
    call_command("simulate", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def small(db, settings, monkeypatch):
    """Few points, and nobody closes the connection of the test."""
    settings.SYSMON_MAX_POINTS = 3
    settings.SYSMON_TIERS = "1m=10m,15m=400d"
    monkeypatch.setattr("metrics.management.commands.simulate.prepare_database", lambda _held: None)


def day(*arguments):
    return simulate("--days", "1", "--interval", "60", *arguments)


def test_it_is_the_history_of_this_machines_name_and_ends_now():
    text = day()
    assert "test-host: 1 days up to" in text
    host = Host.objects.get()
    assert (host.name, host.logical_cores) == ("test-host", 8)
    newest = Tick.objects.latest("timestamp").timestamp
    assert int(newest.timestamp()) % 60 == 0
    assert CpuSample.objects.filter(tier=0).count() == Tick.objects.count() == 3
    assert CpuSample.objects.filter(tier=900).count() > 40
    assert ProcessSample.objects.filter(tier=900).exists()


def test_more_hosts_are_named_by_their_number():
    day("--hosts", "2")
    assert set(Host.objects.values_list("name", flat=True)) == {"test-host", "sim-01", "sim-02"}


def test_the_same_seed_at_the_same_time_is_the_same_history(monkeypatch):
    monkeypatch.setattr("metrics.management.commands.simulate.time.time", lambda: 1_795_367_415.0)
    monkeypatch.setattr("metrics.retention.clock.time.time", lambda: 1_795_367_415.0)
    found = []
    for seed in ("7", "7", "8"):
        day("--seed", seed, "--force")
        found.append(list(CpuSample.objects.order_by("tier", "timestamp").values_list("timestamp", "percent")))
    assert found[0] == found[1] != found[2]


def test_real_samples_are_never_touched(recorded):
    recorded.tick(cpu={"percent": 1.0})
    with pytest.raises(CommandError, match=r"has real samples of test-host; .*--force"):
        day()
    with pytest.raises(CommandError, match="stays as it is"):
        day("--force")
    day("--force", "--hosts", "1")
    assert list(CpuSample.objects.filter(host=recorded.host).values_list("percent", flat=True)) == [1.0]
    assert CpuSample.objects.filter(host__name="sim-01").count() > 100


def test_a_simulated_history_is_replaced_only_when_told():
    day()
    with pytest.raises(CommandError, match="simulated history already; --force"):
        day()
    assert "replaces the simulated history" in day("--force")
    assert CpuSample.objects.filter(tier=0).count() == 3


def test_a_signal_ends_it_between_two_quarters(monkeypatch):
    waits = iter([False] * 40 + [True])
    monkeypatch.setattr(Interruptible, "wait", lambda *_: next(waits))
    text = day()
    assert "ended; the history of test-host goes from" in text
    assert 1 <= CpuSample.objects.filter(tier=900).count() <= 41


def test_no_more_is_simulated_than_is_kept(settings):
    settings.SYSMON_TIERS = "1m=1d,5m=1d,15m=1d,1h=1d,6h=2d,1d=2d"
    assert "more than 2 days" in simulate("--days", "9", "--interval", "60")


def test_it_is_refused_while_something_records():
    with hold_data_directory([WORKER]), pytest.raises(CommandError, match="uses the data directory"):
        day()


@pytest.mark.parametrize(
    "arguments",
    [["--days", "0"], ["--days", "x"], ["--days", "1", "--hosts", "-1"], ["--days", "1", "--interval", "7"], []],
    ids=" ".join,
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(CommandError):
        simulate(*arguments)


def test_an_interval_of_the_settings_that_does_not_divide_a_minute_is_refused(settings):
    settings.SYSMON_INTERVAL = 7
    with pytest.raises(CommandError, match="must divide a minute"):
        simulate("--days", "1")
