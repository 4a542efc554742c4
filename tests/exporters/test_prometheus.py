"""`GET /metrics`: what Prometheus scrapes."""

import os
import platform
import time
from pathlib import Path

import pytest

from metrics import __version__
from metrics.exporters import prometheus
from metrics.models import NewestReading
from tests.exporters.conftest import TICK, a_reading

ADDRESS = "/metrics"
# What is in the names of a family's series.
WORDS = {
    "cpu": ("cpu", "load", "intr", "context", "forks", "procs", "filefd", "uname", "pressure_cpu"),
    "memory": ("memory", "vmstat"),
    "disk": ("disk", "filesystem", "pressure_io", "partition", "device"),
    "network": ("network", "interface", "link"),
}
GOLDEN = Path(__file__).with_name("metrics.txt")


@pytest.fixture
def scraped(record, scrape):
    """Record a tick at which memory failed and which Linux' own kinds are not part of, and scrape it."""

    def recorded_and_scraped(mountpoint="/"):
        reading = a_reading(mountpoint)
        beyond = {
            "stat",
            "file_handles",
            "uname",
            "filesystem",
            "diskstats",
            "meminfo",
            "vmstat",
            "link",
            "netstat",
            "sockstat",
        }
        kept = {
            family: {kind: rows for kind, rows in kinds.items() if kind not in beyond}
            for family, kinds in reading.items()
        }
        kept["cpu"]["cpu"][0]["pressure_some_seconds"] = None
        kept["disk"]["disk"] = []
        record(**{**kept, "memory": ValueError("broken")})
        return scrape()

    return recorded_and_scraped


def test_the_whole_text_is_as_it_was_when_it_was_last_looked_at(record, api, monkeypatch):
    """`SYSMON_TEST_RENEW=1 pytest …` writes it anew."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(prometheus, "BUILD", {"version": "1.2.3", "pythonversion": "3.11.0"})
    record(**a_reading())
    text = api.get(ADDRESS).content.decode()
    if os.environ.get("SYSMON_TEST_RENEW"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_the_version_that_runs_is_scraped(record, scrape):
    record(**a_reading())
    [labels] = [dict(labels) for name, labels in scrape() if name == "sysmon_build_info"]
    assert labels == {"version": __version__, "pythonversion": platform.python_version()}


def test_values_have_node_exporters_names_and_labels(record, scrape):
    record(**a_reading())
    found = scrape()
    assert found[("node_cpu_seconds_total", (("cpu", "0"), ("mode", "user")))] == 7.5
    assert found[("node_cpu_guest_seconds_total", (("cpu", "0"), ("mode", "user")))] == 1.0
    assert found[("node_load1", ())] == 0.5
    where = (("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/"))
    assert found[("node_filesystem_avail_bytes", where)] == 60
    assert found[("node_filesystem_free_bytes", where)] == 65
    assert found[("node_network_receive_bytes_total", (("device", "eth0"),))] == 20
    assert found[("node_network_speed_bytes", (("device", "eth0"),))] == 125_000_000
    assert found[("node_boot_time_seconds", ())] == TICK - 1000


def test_other_systems_have_the_names_that_psutil_can_fill(scraped):
    found = scraped()
    where = (("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/"))
    assert found[("node_filesystem_avail_bytes", where)] == 60
    assert found[("node_filesystem_size_bytes", where)] == 100
    assert found[("node_network_up", (("device", "eth0"),))] == 1
    assert not any(name in {"node_uname_info", "node_procs_running"} for name, _labels in found)


def test_what_linux_says_itself_goes_before_what_psutil_says(record, scrape):
    reading = a_reading()
    reading["network"]["link"][0]["is_operational"] = False
    reading["memory"]["memory"][0]["total_bytes"] = 1
    record(**reading)
    found = scrape()
    assert found[("node_network_up", (("device", "eth0"),))] == 0
    assert found[("node_memory_MemTotal_bytes", ())] == 25276518400


def test_the_recorder_tells_of_itself(scraped):
    found = scraped()
    assert found[("sysmon_tick_timestamp_seconds", ())] == TICK
    assert found[("sysmon_collector_success", (("collector", "memory"),))] == 0
    assert found[("sysmon_collector_failures_total", (("collector", "memory"),))] == 1
    assert found[("sysmon_collector_success", (("collector", "cpu"),))] == 1


def names(series):
    return {name for name, _labels in series}


@pytest.mark.parametrize("seconds", [21, 40, 86_400])
def test_while_nobody_records_nothing_stands_still_as_if_it_were_of_now(record, scrape, monkeypatch, seconds):
    record(**a_reading())
    fresh = scrape()
    assert (fresh["sysmon_up", ()], fresh["sysmon_tick_age_seconds", ()]) == (1, 0.25)
    monkeypatch.setattr(time, "time", lambda: TICK + seconds)
    stale = scrape()
    assert (stale["sysmon_up", ()], stale["sysmon_tick_age_seconds", ()]) == (0, seconds)
    of_the_machine = {name for name in names(fresh) if not name.startswith(("sysmon_up", "sysmon_tick", "sysmon_coll"))}
    assert of_the_machine & names(stale) == {"sysmon_build_info", "sysmon_host_info"}
    assert {value for (name, _labels), value in stale.items() if name == "sysmon_collector_success"} == {0}


@pytest.mark.parametrize("family", ["cpu", "memory", "disk", "network"])
def test_a_family_that_hangs_is_left_out_and_the_others_stay(record, scrape, family):
    record(**a_reading())
    fresh = scrape()
    NewestReading.objects.filter(family=family).update(timestamp=TICK - 21)
    stale = scrape()
    gone = names(fresh) - names(stale)
    assert gone
    assert all(any(f"_{word}" in name for word in WORDS[family]) for name in gone), gone
    assert stale["sysmon_up", ()] == 1


def test_one_tick_that_failed_takes_nothing_away(record, scrape):
    record(**a_reading())
    fresh = scrape()
    NewestReading.objects.update(timestamp=TICK - 20)
    assert names(scrape()) == names(fresh)


def test_what_node_exporter_has_no_name_for_has_sysmons_own(scraped):
    found = scraped()
    assert found[("sysmon_processes", ())] == 2
    where = (("device", "/dev/sda1"), ("mountpoint", "/"))
    assert found[("sysmon_partition_used_bytes", where)] == 40
    assert not any("percent" in name for name, _labels in found)


def test_what_the_platform_lacks_is_not_there(scraped):
    names = {name for name, _labels in scraped()}
    assert not any(name.startswith(("node_pressure", "node_memory")) for name in names)


def test_a_hostile_label_is_escaped(scraped):
    hostile = '/mnt/"\n\\evil'
    assert any(("mountpoint", hostile) in labels for _name, labels in scraped(hostile))


def test_a_scrape_collects_nothing(scraped, monkeypatch):
    import psutil

    def fail(*_args, **_kwargs):
        raise AssertionError("a scrape must not read the machine")

    for name in ("cpu_times", "virtual_memory", "disk_partitions", "net_io_counters"):
        monkeypatch.setattr(psutil, name, fail)
    assert scraped()


def test_no_single_process_is_in_it(scraped, api):
    scraped()
    assert b"secret-name" not in api.get(ADDRESS).content
    assert NewestReading.objects.filter(family="processes").exists()


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/openmetrics-text; version=1.0.0", "text/plain"])
def test_it_answers_whatever_a_scraper_accepts(scraped, api, accept):
    scraped()
    answer = api.get(ADDRESS, headers={"accept": accept})
    kind = "application/openmetrics-text" if "openmetrics" in accept else "text/plain"
    assert answer.headers["Content-Type"].startswith(kind)


def test_openmetrics_ends_as_its_standard_says(record, api):
    record(**a_reading())
    answer = api.get(ADDRESS, headers={"accept": "application/openmetrics-text; version=1.0.0"})
    text = answer.content.decode()
    assert text.endswith("# EOF\n")
    assert "# TYPE node_vmstat_pswpin unknown" in text


def test_before_the_first_sample_it_is_503(db, api):
    answer = api.get(ADDRESS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/json")


def test_a_stranger_may_not(scraped, api, settings):
    scraped()
    settings.SYSMON_API_ACCESS = "authenticated"
    assert api.get(ADDRESS).status_code == 401


PLAIN, OPEN = "text/plain", "application/openmetrics-text"
PROMETHEUS = f"{OPEN};version=1.0.0;q=0.5,{OPEN};version=0.0.1;q=0.4,{PLAIN};version=0.0.4;q=0.3,*/*;q=0.2"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (PROMETHEUS, OPEN),
        (f"{PLAIN};q=0.5, {OPEN};q=0.9", OPEN),
        (f"{OPEN};q=0.1, {PLAIN};q=0.9", PLAIN),
        (f"{OPEN};version=1.0.0;q=0, {PLAIN}", PLAIN),
        (f"{OPEN};q=0.1, */*", PLAIN),
        (f"{OPEN};q=0.9, text/*;q=0.3", OPEN),
        (f"{PLAIN};q=0, */*;q=0.5", OPEN),
        (f"{PLAIN};q=0, {OPEN};q=0.001", OPEN),
        (f"{OPEN};q=0, {PLAIN};q=0", PLAIN),
        (f"{OPEN};q=0, */*", PLAIN),
        (f"{OPEN}, {PLAIN}", OPEN),
        (f"{OPEN}; version=0.0.1", PLAIN),
        (f"{PLAIN};version=0.0.4;q=0.9, {OPEN};version=1.0.0;q=0.8", PLAIN),
        (f"{OPEN.upper()};Q=0.9, {PLAIN};q=0.1", OPEN),
        ("application/*, text/*;q=0.5", OPEN),
        ("*/*;q=0.1", PLAIN),
        ("image/png", PLAIN),
        (f"{OPEN};q=nonsense, {PLAIN};q=0.5", OPEN),
        ("", PLAIN),
        (",;,=;q", PLAIN),
    ],
)
def test_the_format_is_the_one_that_is_wanted_most(scraped, api, accept, kind):
    scraped()
    answer = api.get(ADDRESS, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)


def test_the_answer_says_that_it_depends_on_what_is_accepted(scraped, api):
    scraped()
    assert "Accept" in api.get(ADDRESS).headers.get("Vary", "").split(", ")
