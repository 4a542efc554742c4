"""`GET /metrics`: what Prometheus scrapes."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from metrics.models import Host, NewestReading
from metrics.recording.recording import Recording
from tests.recording.fakes import Clock, ScriptedRunner, cpu_row, process_row, processes_reading

ADDRESS = "/metrics"
TICK = 1_795_367_400
CORE = {"core": 0, "user_seconds": 7.5, "idle_seconds": 90.0, "iowait_seconds": None, "guest_seconds": 1.0}
INTERFACE = {
    "interface": "eth0", "is_up": True, "speed_mbps": 1000, "sent_bytes": 10, "received_bytes": 20,
    "sent_packets": 1, "received_packets": 2, "errors": 3, "drops": 0,
    "errors_in": 2, "errors_out": 1, "drops_in": 0, "drops_out": 0,
}  # fmt: skip


@pytest.fixture
def scraped(db, api):
    """Record one frozen tick and return what a scrape of it says: (name, labels) -> value."""

    def scrape(mountpoint="/"):
        host = Host.objects.create(
            name="test-host", boot_id="b", booted_at=TICK - 1000, kernel="6.1", architecture="x86_64"
        )
        host.refresh_from_db()
        partition = {
            "device": "/dev/sda1", "mountpoint": mountpoint, "fstype": "ext4",
            "total_bytes": 100, "used_bytes": 40, "free_bytes": 60, "percent": 40.0, "inodes_percent": 1.0,
        }  # fmt: skip
        readings = {
            "cpu": {"cpu": [cpu_row(5, 100)], "core": [CORE]},
            "disk": {"disk": [], "device": [], "partition": [partition]},
            "memory": ValueError("broken"),
            "network": {"interface": [INTERFACE]},
            "processes": processes_reading(process_row(1, name="secret-name"), process_row(2)),
        }
        clock = Clock(100.0)
        Recording(host, 5, [ScriptedRunner(family, [reading], clock) for family, reading in readings.items()]).tick(
            TICK
        )
        answer = api.get(ADDRESS)
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}

    return scrape


def test_values_have_node_exporters_names_and_labels(scraped):
    found = scraped()
    assert found[("node_cpu_seconds_total", (("cpu", "0"), ("mode", "user")))] == 7.5
    assert found[("node_cpu_guest_seconds_total", (("cpu", "0"), ("mode", "user")))] == 1.0
    assert found[("node_load1", ())] == 0.5
    where = (("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/"))
    assert found[("node_filesystem_avail_bytes", where)] == 60
    assert found[("node_network_receive_bytes_total", (("device", "eth0"),))] == 20
    assert found[("node_network_speed_bytes", (("device", "eth0"),))] == 125_000_000
    assert found[("node_boot_time_seconds", ())] == TICK - 1000


def test_the_recorder_tells_of_itself(scraped):
    found = scraped()
    assert found[("sysmon_tick_timestamp_seconds", ())] == TICK
    assert found[("sysmon_collector_success", (("collector", "memory"),))] == 0
    assert found[("sysmon_collector_failures_total", (("collector", "memory"),))] == 1
    assert found[("sysmon_collector_success", (("collector", "cpu"),))] == 1


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


def test_before_the_first_sample_it_is_503(db, api):
    answer = api.get(ADDRESS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/json")


def test_a_stranger_may_not(scraped, api, settings):
    scraped()
    settings.SYSMON_API_ACCESS = "authenticated"
    assert api.get(ADDRESS).status_code == 401
