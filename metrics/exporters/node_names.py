"""What node_exporter calls the values of a reading, wherever it means the same by them.

A row is (kind, value of the reading, name without `_total`, type, help, factor); labels are the label values of the
kind. A value that is not listed keeps sysmon's own name.
"""

from typing import NamedTuple

COUNTER, GAUGE = "counter", "gauge"


class NodeName(NamedTuple):
    """The name of a value in node_exporter's words; `factor` turns its unit into theirs. `labels` are those of the kind
    where they are empty."""

    kind: str
    source: str
    name: str
    type: str
    help: str
    factor: float = 1
    labels: dict[str, str] = {}


# The labels of each kind: label name -> value of the reading.
LABELS: dict[str, dict[str, str]] = {
    "partition": {"device": "device", "mountpoint": "mountpoint", "fstype": "fstype"},
    "device": {"device": "device"},
    "interface": {"device": "interface"},
}

NODE_NAMES = (
    NodeName("cpu", "load_1", "node_load1", GAUGE, "1m load average."),
    NodeName("cpu", "load_5", "node_load5", GAUGE, "5m load average."),
    NodeName("cpu", "load_15", "node_load15", GAUGE, "15m load average."),
    NodeName("cpu", "context_switches", "node_context_switches", COUNTER, "Total number of context switches."),
    NodeName("cpu", "interrupts", "node_intr", COUNTER, "Total number of interrupts serviced."),
    NodeName(
        "cpu",
        "pressure_some_seconds",
        "node_pressure_cpu_waiting_seconds",
        COUNTER,
        "Total time in seconds that processes have waited for CPU time",
    ),
    NodeName("memory", "total_bytes", "node_memory_MemTotal_bytes", GAUGE, "Memory information field MemTotal_bytes."),
    NodeName(
        "memory",
        "available_bytes",
        "node_memory_MemAvailable_bytes",
        GAUGE,
        "Memory information field MemAvailable_bytes.",
    ),
    NodeName("memory", "free_bytes", "node_memory_MemFree_bytes", GAUGE, "Memory information field MemFree_bytes."),
    NodeName("memory", "buffers_bytes", "node_memory_Buffers_bytes", GAUGE, "Memory information field Buffers_bytes."),
    NodeName(
        "memory", "swap_total_bytes", "node_memory_SwapTotal_bytes", GAUGE, "Memory information field SwapTotal_bytes."
    ),
    NodeName(
        "memory",
        "pressure_some_seconds",
        "node_pressure_memory_waiting_seconds",
        COUNTER,
        "Total time in seconds that processes have waited for memory",
    ),
    NodeName(
        "memory",
        "pressure_full_seconds",
        "node_pressure_memory_stalled_seconds",
        COUNTER,
        "Total time in seconds no process could make progress due to memory congestion",
    ),
    NodeName(
        "disk",
        "pressure_some_seconds",
        "node_pressure_io_waiting_seconds",
        COUNTER,
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    NodeName(
        "disk",
        "pressure_full_seconds",
        "node_pressure_io_stalled_seconds",
        COUNTER,
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    NodeName("partition", "total_bytes", "node_filesystem_size_bytes", GAUGE, "Filesystem size in bytes."),
    NodeName(
        "partition",
        "free_bytes",
        "node_filesystem_avail_bytes",
        GAUGE,
        "Filesystem space available to non-root users in bytes.",
    ),
    NodeName("device", "read_bytes", "node_disk_read_bytes", COUNTER, "The total number of bytes read successfully."),
    NodeName(
        "device", "write_bytes", "node_disk_written_bytes", COUNTER, "The total number of bytes written successfully."
    ),
    NodeName(
        "device", "reads", "node_disk_reads_completed", COUNTER, "The total number of reads completed successfully."
    ),
    NodeName(
        "device", "writes", "node_disk_writes_completed", COUNTER, "The total number of writes completed successfully."
    ),
    NodeName(
        "device",
        "read_seconds",
        "node_disk_read_time_seconds",
        COUNTER,
        "The total number of seconds spent by all reads.",
    ),
    NodeName(
        "device",
        "write_seconds",
        "node_disk_write_time_seconds",
        COUNTER,
        "This is the total number of seconds spent by all writes.",
    ),
    NodeName("device", "busy_seconds", "node_disk_io_time_seconds", COUNTER, "Total seconds spent doing I/Os."),
    NodeName("interface", "is_up", "node_network_up", GAUGE, "Value is 1 if operstate is 'up', 0 otherwise."),
    NodeName(
        "interface",
        "speed_mbps",
        "node_network_speed_bytes",
        GAUGE,
        "Network device property: speed_bytes",
        125_000,
    ),
    NodeName(
        "interface",
        "received_bytes",
        "node_network_receive_bytes",
        COUNTER,
        "Network device statistic receive_bytes.",
    ),
    NodeName(
        "interface", "sent_bytes", "node_network_transmit_bytes", COUNTER, "Network device statistic transmit_bytes."
    ),
    NodeName(
        "interface",
        "received_packets",
        "node_network_receive_packets",
        COUNTER,
        "Network device statistic receive_packets.",
    ),
    NodeName(
        "interface",
        "sent_packets",
        "node_network_transmit_packets",
        COUNTER,
        "Network device statistic transmit_packets.",
    ),
    NodeName("interface", "errors_in", "node_network_receive_errs", COUNTER, "Network device statistic receive_errs."),
    NodeName(
        "interface", "errors_out", "node_network_transmit_errs", COUNTER, "Network device statistic transmit_errs."
    ),
    NodeName("interface", "drops_in", "node_network_receive_drop", COUNTER, "Network device statistic receive_drop."),
    NodeName(
        "interface", "drops_out", "node_network_transmit_drop", COUNTER, "Network device statistic transmit_drop."
    ),
)

# Seconds that Linux counts within others: guests' are in user's and nice's already.
GUEST_MODES = {"guest": "user", "guest_nice": "nice"}
