"""Samples as lines: types, tags, what is left out, and what would break a line."""

import gzip

import pytest

from metrics.forwarding.line_protocol import encode, escaped, lines_of
from metrics.history.ticks import shipped_tables, ticks_after
from metrics.models import CpuSample, InterfaceSample, PartitionSample, ProcessSample


def test_a_sample_is_a_line_with_the_fields_of_the_api(recorded):
    at = recorded.tick(cpu={"percent": 12.5, "load_1": 2, "per_core": [50.0, None, 0.0]})
    assert list(lines_of(recorded.host, CpuSample, [at])) == [
        f"sysmon_cpu,host=test-host percent=12.5,load_1=2.0 {at}",
        f"sysmon_cpu_per_core,host=test-host,index=0 percent=50.0 {at}",
        f"sysmon_cpu_per_core,host=test-host,index=2 percent=0.0 {at}",
    ]


def test_numbers_keep_the_type_of_their_field(recorded):
    interface = {"interface": "eth0", "is_up": True, "sent_bytes": 2**40, "sent_bytes_per_second": 3}
    at = recorded.tick(interface=interface)
    assert list(lines_of(recorded.host, InterfaceSample, [at])) == [
        f"sysmon_interface,host=test-host,interface=eth0 is_up=true,sent_bytes={2**40}i,sent_bytes_per_second=3.0 {at}"
    ]


def test_labels_are_tags_and_an_empty_one_is_left_out(recorded):
    at = recorded.tick(partition={"device": "a b", "mountpoint": "/x,y=z", "fstype": "", "percent": 1.0})
    [line] = lines_of(recorded.host, PartitionSample, [at])
    assert line.startswith(r"sysmon_partition,device=a\ b,host=test-host,mountpoint=/x\,y\=z percent=1.0 ")


def test_a_sample_without_a_value_is_no_line(recorded):
    at = recorded.tick(cpu={})
    assert list(lines_of(recorded.host, CpuSample, [at])) == []


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("C:\\", "C:\\\\"), ("a\\b", "a\\b"), ("a\\,b", "a\\\\\\,b"), ("a\nb", "a\\nb"), ("한 글", "한\\ 글"),
        ("\\", "\\\\"),
    ],
)  # fmt: skip
def test_what_would_break_a_line_is_escaped(text, tag):
    assert escaped(text) == tag


def test_single_processes_are_not_shipped(recorded):
    recorded.tick(cpu={"percent": 1.0}, process=[{"pid": 7, "cpu_percent": 99.0}])
    batch = encode(recorded.host, ticks_after(recorded.host, 0, 10))
    assert ProcessSample not in shipped_tables()
    assert b"p7" not in gzip.decompress(batch.body)
    assert batch.points == 1


def test_the_same_ticks_are_the_same_bytes(recorded):
    recorded.ticks(3)
    ticks = ticks_after(recorded.host, 0, 10)
    assert encode(recorded.host, ticks) == encode(recorded.host, ticks)


def test_roll_ups_and_other_hosts_are_not_shipped(recorded, other_host):
    at = recorded.tick(cpu={"percent": 1.0})
    other_host.tick(at, cpu={"percent": 2.0})
    CpuSample.objects.filter(host=recorded.host).update(tier=60)
    assert list(lines_of(recorded.host, CpuSample, [at])) == []
