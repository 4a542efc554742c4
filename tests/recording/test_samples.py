"""From two readings to samples."""

import orjson
import pytest

from metrics.models import CpuSample, DeviceSample, InterfaceSample, ProcessSample
from metrics.recording.samples import TakenReading, drafts_of
from tests.recording.fakes import cpu_row, process_row, processes_reading


def taken(rows, uptime=100.0, boot_id="boot"):
    return TakenReading(1_000_000, uptime, boot_id, rows)


def one(model, new, old=None, resolution=5):
    drafts = drafts_of(model.family, new, old, resolution)[model]
    return drafts[0].values


CPU = {"cpu": [cpu_row(10, 100)]}
LATER_CPU = {"cpu": [cpu_row(12, 110)]}


def test_gauges_are_what_the_reading_says():
    assert one(CpuSample, taken(CPU))["load_1"] == 0.5


def test_the_first_reading_has_no_rates():
    values = one(CpuSample, taken(CPU))
    assert values["percent"] is values["context_switches_per_second"] is values["per_core"] is None


def test_rates_come_from_the_reading_before():
    values = one(CpuSample, taken(LATER_CPU, uptime=105), taken(CPU))
    assert values["percent"] == pytest.approx(20)
    assert values["per_core"] == pytest.approx([20, 20])
    assert values["context_switches_per_second"] == pytest.approx(2000)


def test_what_the_platform_lacks_stays_null():
    values = one(CpuSample, taken(LATER_CPU, uptime=105), taken(CPU))
    assert values["iowait_percent"] is values["frequency_mhz"] is values["pressure_some_percent"] is None


@pytest.mark.parametrize(
    ("uptime", "boot_id"),
    [(105, "another boot"), (99, "boot"), (100.01, "boot"), (121, "boot")],
    ids=["after a boot", "from the future", "at once", "after a long pause"],
)
def test_readings_that_cannot_be_compared_give_no_rates(uptime, boot_id):
    values = one(CpuSample, taken(LATER_CPU, uptime, boot_id), taken(CPU))
    assert values["percent"] is None
    assert values["load_1"] == 0.5


def disk(**counters):
    row = {"device": "sda", "read_bytes": 0, "write_bytes": 0, "reads": 0, "writes": 0, "busy_seconds": 0.0}
    return {"disk": [], "partition": [], "device": [{**row, **counters}]}


def test_a_disk_that_was_plugged_in_has_no_rates_at_first():
    old = taken({"disk": [], "partition": [], "device": []})
    assert one(DeviceSample, taken(disk(read_bytes=5000), 105), old)["read_bytes_per_second"] is None


def test_a_reset_counter_leaves_the_others_alone():
    old = taken(disk(read_bytes=9000, write_bytes=100))
    values = one(DeviceSample, taken(disk(read_bytes=10, write_bytes=600), 105), old)
    assert (values["read_bytes_per_second"], values["write_bytes_per_second"]) == (None, 100)


def test_a_disk_is_busy_for_no_more_than_all_the_time():
    values = one(DeviceSample, taken(disk(busy_seconds=5.2), 105), taken(disk(busy_seconds=0.0)))
    assert values["busy_percent"] == 100


def test_things_are_told_apart_by_their_key():
    def interfaces(lo, eth0):
        return {"interface": [{"interface": "lo", "sent_bytes": lo}, {"interface": "eth0", "sent_bytes": eth0}]}

    drafts = drafts_of("network", taken(interfaces(10, 500), 105), taken(interfaces(0, 0)), 5)[InterfaceSample]
    assert [draft.values["sent_bytes_per_second"] for draft in drafts] == [2, 100]


class TestProcesses:
    def samples(self, new, old, uptime=105):
        drafts = drafts_of("processes", taken(processes_reading(*new), uptime), taken(processes_reading(*old)), 5)
        return {draft.row["pid"]: draft for draft in drafts[ProcessSample]}

    def test_cpu_may_pass_100_percent(self):
        found = self.samples([process_row(1, cpu_seconds=20.0)], [process_row(1, cpu_seconds=0.0)])
        assert found[1].values["cpu_percent"] == pytest.approx(400)

    def test_one_that_was_born_between_two_ticks_counts_from_zero(self):
        found = self.samples([process_row(7, start_seconds=102.0, cpu_seconds=2.0)], [])
        assert found[7].values["cpu_percent"] == pytest.approx(40)

    def test_an_old_one_that_was_overlooked_has_no_rate(self):
        found = self.samples([process_row(7, start_seconds=3.0, cpu_seconds=9000.0)], [])
        assert found[7].values["cpu_percent"] is None

    def test_a_reused_pid_is_another_process(self):
        new = process_row(7, start_seconds=103.0, cpu_seconds=0.5)
        found = self.samples([new], [process_row(7, start_seconds=3.0, cpu_seconds=9000.0)])
        assert found[7].values["cpu_percent"] == pytest.approx(10)

    def test_what_ended_children_used_is_told_with_their_parent(self):
        shell = process_row(7, cpu_seconds=1.0, children_cpu_seconds=30.0, parent_pid=1)
        child = process_row(8, cpu_seconds=12.0, children_cpu_seconds=0.0, parent_pid=7)
        later = {**shell, "children_cpu_seconds": 46.0}
        found = self.samples([later], [shell, child])
        assert (found[7].values["cpu_percent"], found[7].values["children_cpu_percent"]) == (0, pytest.approx(80))

    def test_what_it_is_told_from_outlives_the_recorder(self):
        rows = [process_row(7, children_cpu_seconds=seconds, parent_pid=1) for seconds in (1.0, 30.0, 46.0)]
        first, second, third = (taken(processes_reading(row), 100.0 + 5 * number) for number, row in enumerate(rows))
        drafts_of("processes", second, first, 5)
        kept = TakenReading(second.timestamp, second.uptime_seconds, second.boot_id, orjson.loads(second.to_json()))
        [draft] = drafts_of("processes", third, kept, 5)[ProcessSample]
        assert draft.values["children_cpu_percent"] == pytest.approx(320)

    def test_where_it_cannot_be_told_it_is_unknown(self):
        found = self.samples([process_row(7, children_cpu_seconds=None)], [process_row(7, children_cpu_seconds=None)])
        assert found[7].values["children_cpu_percent"] is None

    def test_a_counter_of_children_that_fell_was_reset(self):
        found = self.samples([process_row(7, children_cpu_seconds=1.0)], [process_row(7, children_cpu_seconds=2.0)])
        assert found[7].values["children_cpu_percent"] is None

    def test_the_ten_highest_of_each_order_stay(self):
        rows = [process_row(pid, cpu_seconds=0.0) for pid in range(1, 200)]
        later = [{**row, "cpu_seconds": row["pid"] / 100} for row in rows[:50]] + rows[50:]
        later[120] = {**later[120], "write_bytes": 10_000}
        kept = {pid for pid, draft in self.samples(later, rows).items() if draft.is_kept}
        assert kept == {*range(41, 51), *range(190, 200), 121}

    def test_a_hundred_of_each_order_are_there_at_the_newest_tick(self):
        rows = [process_row(pid) for pid in range(1, 400)]
        assert len(self.samples(rows, rows)) >= 100

    def test_who_used_nothing_is_not_kept_for_it(self):
        rows = [process_row(pid, rss_bytes=0) for pid in range(1, 30)]
        assert not any(draft.is_kept for draft in self.samples(rows, rows).values())


def test_facts_that_never_change_are_not_kept_with_the_newest_reading():
    text = taken(processes_reading(process_row(1, command="secret"))).to_json()
    assert "secret" not in text
    assert "cpu_seconds" in text

    def test_command_lines_are_kept_or_never_stored(self, settings):
        rows = [process_row(7, command="node --token=***")]
        assert self.samples(rows, rows)[7].row["command"] == "node --token=***"
        settings.SYSMON_COMMANDS = "names"
        assert self.samples(rows, rows)[7].row["command"] is None
        assert rows[0]["command"] == "node --token=***"
