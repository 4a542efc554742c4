"""What node_exporter calls the values of a reading, wherever it means the same by them.

Where two rows of the table have one name, the first that has a value here gives it: Linux says more than psutil does. A
value that is in no row keeps sysmon's own name.
"""

from typing import NamedTuple

COUNTER, GAUGE, UNTYPED = "counter", "gauge", "unknown"


class NodeName(NamedTuple):
    """The name (without `_total`), type and help of the value `source` of the rows of a kind.

    `factor` turns its unit into node_exporter's. `labels` is name -> value of the row; without it, those of the kind.
    """

    kind: str
    source: str
    name: str
    type: str
    help: str
    factor: float = 1
    labels: dict[str, str] = {}


# The labels of each kind: label name -> value of the reading.
_PARTITION = {name: name for name in ("device", "mountpoint", "fstype")}
LABELS: dict[str, dict[str, str]] = {
    "core_clock": {"cpu": "core"},
    "partition": _PARTITION,
    "filesystem": _PARTITION,
    "device": {"device": "device"},
    "diskstats": {"device": "device"},
    "interface": {"device": "interface"},
    "link": {"device": "interface"},
}

# Kinds of which every value is shown, under its own name: prefix, type, help.
WHOLE_KINDS = {
    "meminfo": ("node_memory_", GAUGE, "Memory information field {}."),
    "vmstat": ("node_vmstat_", UNTYPED, "/proc/vmstat information field {}."),
    "netstat": ("node_netstat_", UNTYPED, "Statistic {}."),
    "sockstat": ("node_sockstat_", GAUGE, "Number of sockets, by protocol and state: {}."),
    "file_handles": ("node_filefd_", GAUGE, "File descriptor statistics: {}."),
}

# Kinds that are shown as one metric of the value 1 with these labels: name, labels, help.
_LINK_LABELS = {name: name for name in ("address", "broadcast", "duplex", "ifalias", "operstate")}
INFO_KINDS = {
    "uname": (
        "node_uname_info",
        {name: name for name in ("sysname", "release", "version", "machine", "nodename", "domainname")},
        "Labeled system information as provided by the uname system call.",
    ),
    "link": (
        "node_network_info",
        {"device": "interface", **_LINK_LABELS},
        "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
    ),
}

# Seconds that Linux counts within others: guests' are in user's and nice's already.
GUEST_MODES = {"guest": "user", "guest_nice": "nice"}


def _memory(source: str, field: str) -> NodeName:
    return NodeName("memory", source, f"node_memory_{field}", GAUGE, f"Memory information field {field}.")


def _pressure(kind: str, share: str, name: str, text: str) -> NodeName:
    return NodeName(kind, f"pressure_{share}_seconds", f"node_pressure_{name}_seconds", COUNTER, text)


def _file_system(kind: str, source: str, name: str, text: str) -> NodeName:
    return NodeName(kind, source, f"node_filesystem_{name}", GAUGE, text)


def _disk(kind: str, source: str, name: str, text: str, of_type: str = COUNTER) -> NodeName:
    return NodeName(kind, source, f"node_disk_{name}", of_type, text)


def _traffic(kind: str, source: str, name: str) -> NodeName:
    return NodeName(kind, source, f"node_network_{name}", COUNTER, f"Network device statistic {name}.")


def _link(kind: str, source: str, name: str, of_type: str = GAUGE, factor: float = 1) -> NodeName:
    return NodeName(kind, source, f"node_network_{name}", of_type, f"Network device property: {name}", factor)


_UP = "Value is 1 if operstate is 'up', 0 otherwise."
_SIZE, _AVAILABLE = "Filesystem size in bytes.", "Filesystem space available to non-root users in bytes."
# What is stored of sockets -> the kernel's own word for it, under which it is shown with all others of its file.
_NETSTAT = {
    "tcp_established": "Tcp_CurrEstab",
    "tcp_opened": "Tcp_ActiveOpens",
    "tcp_accepted": "Tcp_PassiveOpens",
    "tcp_retransmits": "Tcp_RetransSegs",
    "tcp_errors": "Tcp_InErrs",
    "tcp_resets_sent": "Tcp_OutRsts",
    "listen_drops": "TcpExt_ListenDrops",
}
_SOCKSTAT = {
    "used": "sockets_used",
    "tcp_time_wait": "TCP_tw",
    "tcp_orphaned": "TCP_orphan",
    "tcp_memory_bytes": "TCP_mem_bytes",
}


def _socket(source: str, file: str, field: str) -> NodeName:
    prefix, of_type, text = WHOLE_KINDS[file]
    return NodeName("sockets", source, f"{prefix}{field}", of_type, text.format(field))


_COUNTED = "1 where a total counts it: those that are counted carry each byte once between them."
_CLOCK = "{} CPU thread frequency in hertz."
_BLOCKED = "Number of processes blocked waiting for I/O to complete."
_ERROR = "Whether an error occurred while getting statistics for the given device."
_STALLED = "Total time in seconds no process could make progress due to {} congestion"
_SPENT = "This is the total number of seconds spent by all {}."
_DONE = "The total number of {} completed successfully."

NODE_NAMES = (
    NodeName("cpu", "load_1", "node_load1", GAUGE, "1m load average."),
    NodeName("cpu", "load_5", "node_load5", GAUGE, "5m load average."),
    NodeName("cpu", "load_15", "node_load15", GAUGE, "15m load average."),
    NodeName("cpu", "context_switches", "node_context_switches", COUNTER, "Total number of context switches."),
    NodeName("cpu", "interrupts", "node_intr", COUNTER, "Total number of interrupts serviced."),
    NodeName("core_clock", "frequency_hertz", "node_cpu_scaling_frequency_hertz", GAUGE, _CLOCK.format("Current")),
    NodeName("core_clock", "lowest_hertz", "node_cpu_frequency_min_hertz", GAUGE, _CLOCK.format("Minimum")),
    NodeName("core_clock", "highest_hertz", "node_cpu_frequency_max_hertz", GAUGE, _CLOCK.format("Maximum")),
    NodeName("stat", "forks", "node_forks", COUNTER, "Total number of forks."),
    NodeName("stat", "procs_running", "node_procs_running", GAUGE, "Number of processes in runnable state."),
    NodeName("stat", "procs_blocked", "node_procs_blocked", GAUGE, _BLOCKED),
    _pressure("cpu", "some", "cpu_waiting", "Total time in seconds that processes have waited for CPU time"),
    _memory("total_bytes", "MemTotal_bytes"),
    _memory("available_bytes", "MemAvailable_bytes"),
    _memory("free_bytes", "MemFree_bytes"),
    _memory("buffers_bytes", "Buffers_bytes"),
    _memory("swap_total_bytes", "SwapTotal_bytes"),
    _pressure("memory", "some", "memory_waiting", "Total time in seconds that processes have waited for memory"),
    _pressure("memory", "full", "memory_stalled", _STALLED.format("memory")),
    _pressure("disk", "some", "io_waiting", "Total time in seconds that processes have waited due to IO congestion"),
    _pressure("disk", "full", "io_stalled", _STALLED.format("IO")),
    _file_system("filesystem", "size_bytes", "size_bytes", _SIZE),
    _file_system("partition", "total_bytes", "size_bytes", _SIZE),
    _file_system("filesystem", "available_bytes", "avail_bytes", _AVAILABLE),
    _file_system("partition", "free_bytes", "avail_bytes", _AVAILABLE),
    _file_system("filesystem", "free_bytes", "free_bytes", "Filesystem free space in bytes."),
    _file_system("filesystem", "files", "files", "Filesystem total file nodes."),
    _file_system("filesystem", "files_free", "files_free", "Filesystem total free file nodes."),
    _file_system("filesystem", "is_read_only", "readonly", "Filesystem read-only status."),
    _file_system("filesystem", "has_error", "device_error", _ERROR),
    _disk("device", "read_bytes", "read_bytes", "The total number of bytes read successfully."),
    _disk("device", "write_bytes", "written_bytes", "The total number of bytes written successfully."),
    _disk("device", "reads", "reads_completed", _DONE.format("reads")),
    _disk("device", "writes", "writes_completed", _DONE.format("writes")),
    _disk("device", "read_seconds", "read_time_seconds", "The total number of seconds spent by all reads."),
    _disk("device", "write_seconds", "write_time_seconds", _SPENT.format("writes")),
    _disk("device", "busy_seconds", "io_time_seconds", "Total seconds spent doing I/Os."),
    _disk("diskstats", "reads_merged", "reads_merged", "The total number of reads merged."),
    _disk("diskstats", "writes_merged", "writes_merged", "The number of writes merged."),
    _disk("diskstats", "io_now", "io_now", "The number of I/Os currently in progress.", GAUGE),
    _disk("diskstats", "weighted_seconds", "io_time_weighted_seconds", "The weighted # of seconds spent doing I/Os."),
    _disk("diskstats", "discards", "discards_completed", _DONE.format("discards")),
    _disk("diskstats", "discards_merged", "discards_merged", "The total number of discards merged."),
    _disk("diskstats", "discarded_sectors", "discarded_sectors", "The total number of sectors discarded successfully."),
    _disk("diskstats", "discard_seconds", "discard_time_seconds", _SPENT.format("discards")),
    _disk("diskstats", "flushes", "flush_requests", _DONE.format("flush requests").removesuffix(".")),
    _disk("diskstats", "flush_seconds", "flush_requests_time_seconds", _SPENT.format("flush requests")),
    NodeName("link", "is_operational", "node_network_up", GAUGE, _UP),
    NodeName("interface", "is_up", "node_network_up", GAUGE, _UP),
    _link("interface", "speed_mbps", "speed_bytes", factor=125_000),
    _link("link", "mtu", "mtu_bytes"),
    _link("link", "tx_queue_len", "transmit_queue_length"),
    _link("link", "carrier", "carrier"),
    _link("link", "carrier_changes", "carrier_changes", COUNTER),
    _traffic("interface", "received_bytes", "receive_bytes"),
    _traffic("interface", "received_packets", "receive_packets"),
    _traffic("interface", "errors_in", "receive_errs"),
    _traffic("interface", "drops_in", "receive_drop"),
    _traffic("interface", "sent_bytes", "transmit_bytes"),
    _traffic("interface", "sent_packets", "transmit_packets"),
    _traffic("interface", "errors_out", "transmit_errs"),
    _traffic("interface", "drops_out", "transmit_drop"),
    *(_socket(source, "netstat", field) for source, field in _NETSTAT.items()),
    *(_socket(source, "sockstat", field) for source, field in _SOCKSTAT.items()),
    # Not node_exporter's, but under its labels: a sum of its metrics times this one counts each byte once.
    NodeName("interface", "is_counted", "sysmon_interface_is_counted", GAUGE, _COUNTED),
    NodeName("device", "is_counted", "sysmon_device_is_counted", GAUGE, _COUNTED),
    *(_traffic("link", name, name) for name in ("receive_fifo", "receive_frame", "receive_compressed")),
    *(_traffic("link", name, name) for name in ("receive_multicast", "transmit_fifo", "transmit_colls")),
    *(_traffic("link", name, name) for name in ("transmit_carrier", "transmit_compressed")),
)
