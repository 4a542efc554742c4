"""`GET /metrics` beside the real node_exporter, promtool and Prometheus, as Debian has them."""

import json
import subprocess
import time
from itertools import count
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from metrics.forwarding.destinations import parse_destinations
from metrics.recording.recording import Recording, this_host
from tests.exporters.conftest import a_reading
from tests.programs import running
from tests.skips import needs
from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live

# node_exporter's own names break this one rule of promtool: they are the kernel's words.
KERNEL_WORDS = ("node_memory_", "node_netstat_", "node_sockstat_")
# Compressed memory is no disk here. And a speed that is not known is a negative one there.
ONLY_THERE = {"zram0"}
# A speed that is known here, and what newer versions than Debian's show of netstat.
ONLY_HERE = {"node_network_speed_bytes", "node_netstat_TcpExt_TCPOFOQueue", "node_netstat_TcpExt_TCPRcvQDrop"}
# What goes up and down may do so between the three looks: by how much, at the most.
TOLERANCE = {"node_memory_": 64 * 2**20, "node_filesystem_": 64 * 2**20, "node_load": 2, "node_procs_": 100}
TOLERANCE |= {"node_netstat_Tcp_CurrEstab": 200, "node_sockstat_TCP_mem_bytes": 64 * 2**20, "node_sockstat_": 20_000}
TOLERANCE |= {"node_disk_io_now": 200, "node_filefd_allocated": 4000, "node_time_seconds": 1}
# The kernel's own is in whole seconds; ours follows the clock that counts since the boot.
TOLERANCE |= {"node_boot_time_seconds": 1}


@pytest.fixture
def node_exporter(tmp_path):
    with running(tmp_path, "/metrics", "prometheus-node-exporter", "--web.listen-address=127.0.0.1:{port}") as server:
        yield server


def families_of(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def series_of(families):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        for sample in family.samples
    }


@pytest.fixture
def look(node_exporter, transactional_db, api):
    """Gives node_exporter before a tick, sysmon at it, and node_exporter after it."""
    # Of now: what is older is not shown.
    ticks = count(int(time.time()) // 5 * 5 - 10, 5)

    def looked():
        before = families_of(node_exporter.get("/metrics"))
        Recording(this_host(), 5).tick(next(ticks))
        ours = families_of(api.get("/metrics").content.decode())
        return before, ours, families_of(node_exporter.get("/metrics"))

    return looked


@pytest.fixture
def looks(look):
    return look()


def test_every_shared_name_has_the_type_and_the_labels_of_node_exporter(looks):
    before, ours, _after = looks
    shared = before.keys() & ours.keys()
    names = ("cpu_seconds", "memory_MemTotal_bytes", "load1", "boot_time_seconds", "netstat_Tcp_RetransSegs")
    assert {f"node_{name}" for name in (*names, "sockstat_TCP_alloc", "sockstat_sockets_used")} <= shared
    assert {name for name in ours if name.startswith("node_")} - shared <= ONLY_HERE
    assert {name: ours[name].type for name in shared} == {name: before[name].type for name in shared}
    assert {name: labels(ours[name]) for name in shared} == {name: labels(before[name]) for name in shared}


def labels(family):
    return {(sample.name, *sorted(sample.labels)) for sample in family.samples}


def test_every_series_of_the_kinds_that_are_shown_is_there(looks):
    before, ours, _after = looks
    of_shared = {name: family for name, family in before.items() if name in ours}
    missing = [
        (name, where)
        for name, where in series_of(of_shared).keys() - series_of(ours).keys()
        if not ONLY_THERE & {value for _label, value in where} and name != "node_network_speed_bytes"
    ]
    assert missing == []


def test_every_shared_value_is_that_of_node_exporter_within_the_tick(look):
    """Where a busy machine moves a value up and down between the looks, they are repeated: what is wrong stays so."""
    wrong = what_differs(look())
    for _repeated in range(4):
        wrong = {place: values for place, values in what_differs(look()).items() if place in wrong} if wrong else {}
    assert wrong == {}


def what_differs(looks):
    counters = {name for name, family in looks[1].items() if family.type == "counter"}
    first, middle, last = map(series_of, looks)
    shared = first.keys() & middle.keys() & last.keys()
    assert len(shared) > 150
    values = {place: (first[place], middle[place], last[place]) for place in shared}
    return {
        place: three
        for place, three in values.items()
        if not is_between(place[0], *three, place[0].removesuffix("_total") in counters)
    }


def is_between(name, first, middle, last, is_counter):
    """A counter lies between the two looks, a hundredth of a second apart at most; the rest near them."""
    allowed = 0.011 if is_counter else next((by for start, by in TOLERANCE.items() if name.startswith(start)), 0)
    if name.startswith("node_cpu_seconds"):
        allowed = 0.05  # idle and iowait go back a little now and then, and the kernel counts in steps
    return min(first, last) - allowed <= middle <= max(first, last) + allowed


def test_promtool_finds_nothing_but_the_words_of_the_kernel(record, api, settings):
    settings.SYSMON_FORWARD_URL = parse_destinations("influx://127.0.0.1:1/db remote-write://127.0.0.1:1")
    record(**a_reading())
    text = api.get("/metrics").content
    found = subprocess.run([needs("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    lines = (found.stdout + found.stderr).decode().splitlines()
    assert [line for line in lines if not (line.startswith(KERNEL_WORDS) and "camelCase" in line)] == []


def test_promtool_would_find_a_fault(record):
    program = [needs("promtool"), "check", "metrics"]
    found = subprocess.run(program, input=b"# TYPE a counter\na 1\n", capture_output=True, check=False)
    assert b"counter metrics should have" in found.stdout + found.stderr


CONFIGURATION = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.fixture
def prometheus(tmp_path):
    """A real `up`, and a real Prometheus that scrapes it."""
    up = Up(tmp_path / "data")
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "prometheus/prometheus.yml").write_text(CONFIGURATION.format(port=up.port))
    needs("prometheus")
    up.start()
    arguments = (
        "--config.file={directory}/prometheus.yml", "--storage.tsdb.path={directory}/tsdb",
        "--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip
    try:
        with running(tmp_path / "prometheus", "/-/ready", "prometheus", *arguments) as server:
            yield server
    finally:
        up.stop()
        up.end_for_sure()


def test_prometheus_scrapes_it_and_answers_what_dashboards_ask(prometheus):
    def ask(query):
        return json.loads(prometheus.get(f"/api/v1/query?query={quote(query)}"))["data"]["result"]

    def is_scraped():
        return ask('up{job="node"} == 1') and ask("rate(node_cpu_seconds_total[1m])")

    assert eventually(is_scraped, 40)
    busy = '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m])))'
    free = "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
    for query in (busy, free, "node_time_seconds - node_boot_time_seconds", "node_uname_info", "sysmon_host_info"):
        assert len(ask(query)) == 1, query
    [target] = json.loads(prometheus.get("/api/v1/targets"))["data"]["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
