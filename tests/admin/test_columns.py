"""Headings and lines that are derived from the fields of a model."""

import pytest

from metrics.admin import columns
from metrics.models import CpuSample, DeviceSample, InterfaceSample, PartitionSample, ProcessSample


@pytest.mark.parametrize(
    ("model", "field", "heading"),
    [
        (CpuSample, "percent", "percent"),
        (CpuSample, "user_percent", "user"),
        (CpuSample, "iowait_percent", "I/O wait"),
        (CpuSample, "load_1", "load 1"),
        (DeviceSample, "read_bytes_per_second", "read"),
        (DeviceSample, "reads_per_second", "reads"),
        (PartitionSample, "mountpoint", "mount point"),
        (ProcessSample, "rss_bytes", "RSS"),
    ],
)
def test_a_heading_leaves_out_the_unit(model, field, heading):
    assert columns.headings(model.measures())[field] == heading


def test_two_headings_never_look_the_same():
    names = columns.headings(InterfaceSample.measures())
    assert names["sent_bytes"] == "sent bytes"
    assert names["sent_bytes_per_second"] == "sent bytes per second"
    assert len(set(names.values())) == len(names)


def test_a_heading_cannot_be_html():
    assert "<b>" not in columns.Column("x", "<b>", str, help="<b>").short_description
