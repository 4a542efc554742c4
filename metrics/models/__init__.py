"""What sysmon stores: hosts, ticks, a sample table for each family or kind, process identities, newest readings,
events."""

from metrics.models.events import Event
from metrics.models.forwarding import ForwardCursor, TickReading
from metrics.models.hosts import Host
from metrics.models.jobs import JobFailure, ScheduledJob
from metrics.models.network import InterfaceSample
from metrics.models.processes import NewestProcesses, Process, ProcessSample, ProcessTotals
from metrics.models.recorders import (
    CollectorState,
    CommandMasking,
    NewestReading,
    Recorder,
    RollUpState,
    Tick,
    UpkeepLease,
)
from metrics.models.samples import (
    CpuSample,
    DeviceSample,
    DiskSample,
    MemorySample,
    PartitionSample,
    Sample,
)
from metrics.models.sockets import SocketsSample
from metrics.models.tokens import ApiToken

__all__ = [
    "ApiToken",
    "CollectorState",
    "CommandMasking",
    "CpuSample",
    "DeviceSample",
    "DiskSample",
    "Event",
    "ForwardCursor",
    "Host",
    "InterfaceSample",
    "JobFailure",
    "MemorySample",
    "NewestProcesses",
    "NewestReading",
    "PartitionSample",
    "Process",
    "ProcessSample",
    "ProcessTotals",
    "Recorder",
    "RollUpState",
    "Sample",
    "ScheduledJob",
    "SocketsSample",
    "Tick",
    "TickReading",
    "UpkeepLease",
]
