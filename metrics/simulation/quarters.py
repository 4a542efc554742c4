"""A quarter of an hour of the machine: a line for everything that a sample measures."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd
from random import Random
from typing import Any

from metrics.models import (
    CpuSample,
    DeviceSample,
    DiskSample,
    InterfaceSample,
    MemorySample,
    PartitionSample,
    ProcessSample,
    ProcessTotals,
    Sample,
    SocketsSample,
)
from metrics.models.samples import sample_models
from metrics.simulation.events import Event, event_in
from metrics.simulation.lines import QUARTER_SECONDS, Line, Ripple, ripples, sum_of
from metrics.simulation.machine import Disk, Interface, Machine, Partition
from metrics.simulation.residents import SWING_SHARE, Boot, People, Resident, Work, people_of, work_of
from metrics.simulation.things import ProcessThing, Thing, usual_things

# Of 10,000 hundredths of a percent: the base of the CPU stays so low that ripple and burst together fit in.
IDLE_CPU, BUSY_CPU, MAX_IOWAIT = 150, 2800, 150
# The share of each core that a burst may take, in tenths of a percent.
MAX_OF_A_CORE = 400
BYTES_A_PACKET = 900


@dataclass(slots=True)
class Quarter:
    """All that happens from `start` on. `processes` are those that do something or are large."""

    machine: Machine
    boot: Boot
    start: int
    things: dict[type[Sample], list[Thing]]
    processes: list[ProcessThing]
    event: Event | None
    flat: Ripple

    @property
    def ticks(self) -> int:
        """How many ticks it has."""
        return QUARTER_SECONDS // self.machine.interval_seconds


class QuarterPlan:
    """Draws the lines of one quarter."""

    def __init__(self, machine: Machine, boot: Boot, start: int) -> None:
        self.machine, self.boot, self.start = machine, boot, start
        self.chance = Random(f"{machine.story} quarter {start}")  # noqa: S311 (a story, no secret)
        library = ripples(machine.seed, 60 // machine.interval_seconds)
        self.cpu_ripple, self.memory_ripple, self.disk_ripple, self.network_ripple = self.chance.choices(library, k=4)
        self.flat = library[0]
        # A rate is stored in tenths; only multiples of this come from a counter of whole units.
        self.unit = 10 // gcd(10, machine.interval_seconds)
        self.activity = machine.activity(start) * self.chance.uniform(0.75, 1.15)

    def quarter(self) -> Quarter:
        """All lines, with what an event adds to them."""
        cpu = round(IDLE_CPU + (BUSY_CPU - IDLE_CPU) * min(1.0, self.activity) * self.chance.uniform(0.8, 1.0))
        traffic = round(20_000 + 6_000_000 * self.activity * self.chance.uniform(0.3, 1.0))
        things = self.told(cpu, traffic)
        people = people_of(self.machine, self.boot, self.start // 86_400)
        processes = self._processes(people, cpu * self.machine.cores, traffic)
        things[ProcessTotals] = [self._totals(people, processes)]
        others = (model for model in sample_models() if model not in things and model is not ProcessSample)
        things |= {
            model: usual_things(model, self.machine.story, self._usual_line, self._usual_rate) for model in others
        }
        event = event_in(self.machine, self.start, self.start + QUARTER_SECONDS)
        quarter = Quarter(self.machine, self.boot, self.start, things, processes, event, self.flat)
        if event:
            EventPlan(self, quarter, event).apply()
        return quarter

    def told(self, cpu: int, traffic: int) -> dict[type[Sample], list[Thing]]:
        """What the story has to say about the parts of the machine."""
        return {
            CpuSample: [self._cpu(cpu)],
            MemorySample: [self._memory()],
            DiskSample: [Thing({}, self._pressures(self.disk_ripple, traffic // 20_000))],
            PartitionSample: [self._partition(partition) for partition in self.machine.partitions],
            DeviceSample: [self._device(disk, traffic) for disk in self.machine.disks],
            InterfaceSample: [self._interface(interface) for interface in self.machine.interfaces],
            SocketsSample: [self._sockets()],
        }

    def line(self, base: int, ripple: Ripple) -> Line:
        """A line that swings in proportion to its base."""
        return Line(base, base // SWING_SHARE, ripple)

    def rate(self, per_second: int, ripple: Ripple) -> Line:
        """A line of a rate, in tenths, that whole counters can have."""
        base = per_second * 10 // self.unit
        return Line(base * self.unit, base // SWING_SHARE * self.unit, ripple)

    def constant(self, value: int) -> Line:
        """A line that does not swing."""
        return Line(value, 0, self.flat)

    def _usual_line(self, base: int) -> Line:
        return self.line(base, self.memory_ripple)

    def _usual_rate(self, per_second: int) -> Line:
        return self.rate(per_second, self.memory_ripple)

    def _cpu(self, busy: int) -> Thing:
        line, ripple = self.line, self.cpu_ripple
        user, system, iowait = line(busy * 7 // 10, ripple), line(busy * 3 // 10, ripple), line(busy // 20, ripple)
        percent = sum_of((user, system), ripple)
        spent = sum_of((percent, iowait), ripple)
        calm = 3 if self.start - self.boot.booted_at < 2 * QUARTER_SECONDS else 1
        load = busy * self.machine.cores // 90 // calm
        lines = {
            "percent": percent,
            "user_percent": user,
            "system_percent": system,
            "idle_percent": Line(10_000 - spent.base, -spent.swing, ripple),
            "iowait_percent": iowait,
            "steal_percent": self.constant(0),
            "load_1": line(load, ripple),
            "load_5": Line(load, load // 100, ripple),
            "load_15": self.constant(load * 9 // 10),
            "frequency_mhz": Line(24_000 + busy * 3, 60, ripple),
            "context_switches_per_second": self.rate(900 + busy * 6, ripple),
            "interrupts_per_second": self.rate(500 + busy * 3, ripple),
            "pressure_some_percent": line(busy // 12, ripple),
        }
        cores = [line(round(busy * self.chance.uniform(0.06, 0.12)), ripple) for _ in range(self.machine.cores)]
        return Thing({}, lines, {"per_core": cores})

    def _memory(self) -> Thing:
        total, swap = self.machine.memory_bytes, self.machine.swap_bytes
        ripple, thousandth = self.memory_ripple, total // 1000
        taken = 420 + round(200 * self.activity) + self.start // 86_400 % 60
        swap_used = max(0, taken - 560) * 2
        page = 4096
        lines = {
            "available_bytes": Line(total - taken * thousandth, -thousandth, ripple),
            "percent": Line(taken * 10, 10, ripple),
            "used_bytes": Line((taken - 40) * thousandth, thousandth, ripple),
            "free_bytes": Line((1000 - taken) * thousandth // 5, -thousandth // 8, ripple),
            "buffers_bytes": Line(20 * thousandth, 16 * page, ripple),
            "cached_bytes": Line((1000 - taken) * thousandth * 7 // 10, thousandth // 2, ripple),
            "swap_used_bytes": self.constant(swap // 1000 * swap_used),
            "swap_percent": self.constant(swap_used * 10),
            "swap_in_bytes_per_second": self.rate(swap_used * 30, ripple),
            "swap_out_bytes_per_second": self.rate(swap_used * 60, ripple),
            **self._pressures(ripple, swap_used // 3),
        }
        return Thing({"total_bytes": total, "swap_total_bytes": swap}, lines)

    def _pressures(self, ripple: Ripple, some: int) -> dict[str, Line]:
        return {"pressure_some_percent": self.line(some, ripple), "pressure_full_percent": self.line(some // 3, ripple)}

    def _partition(self, partition: Partition) -> Thing:
        total = partition.total_bytes
        usable = total - total // 20
        share = _filled(partition, self.start)
        used = round(usable * share) // 4096 * 4096
        swing = 4096 * (self.chance.randrange(400) if partition.filling_days else 2)
        lines = {
            "used_bytes": Line(used, swing, self.disk_ripple),
            "free_bytes": Line(usable - used, -swing, self.disk_ripple),
            "percent": self.constant(round(share * 1000) * 10),
            "inodes_percent": self.constant(round(share * 300) * 10),
        }
        names = {name: getattr(partition, name) for name in ("device", "mountpoint", "fstype", "total_bytes")}
        return Thing(names, lines)

    def _device(self, disk: Disk, traffic: int) -> Thing:
        ripple, own = self.disk_ripple, traffic * disk.share // 100
        lines = {
            "read_bytes_per_second": self.rate(own // 3, ripple),
            "write_bytes_per_second": self.rate(own - own // 3, ripple),
            "reads_per_second": self.rate(own // 60_000, ripple),
            "writes_per_second": self.rate(own // 24_000, ripple),
            "busy_percent": self.line(min(3000, own // 2500), ripple),
        }
        return Thing({"device": disk.device, "name": disk.device, "lower": "", "is_counted": True}, lines)

    def _interface(self, interface: Interface) -> Thing:
        ripple = self.network_ripple
        own = round((3_000 + 2_500_000 * self.activity * self.chance.uniform(0.4, 1.0)) * interface.share / 100)
        lines = {
            "sent_bytes_per_second": self.rate(own, ripple),
            "received_bytes_per_second": self.rate(own * 2 if interface.speed_mbps else own, ripple),
            "sent_packets_per_second": self.rate(own // BYTES_A_PACKET, ripple),
            "received_packets_per_second": self.rate(own * 2 // BYTES_A_PACKET, ripple),
            "errors_per_second": self.constant(0),
            "drops_per_second": self.rate(self.chance.choice((0, 0, 0, 0, 1)), self.flat),
        }
        names = {"interface": interface.interface, "is_up": True, "speed_mbps": interface.speed_mbps}
        names |= {"lower": "", "is_counted": interface.speed_mbps is not None}
        return Thing(names, lines)

    def _sockets(self) -> Thing:
        """What people's visits make: the share of what is sent again is left out, as it follows from two counters."""
        ripple, visits = self.network_ripple, round(20 + 400 * self.activity)
        lines = {
            "used": self.line(600 + visits, ripple),
            "tcp_established": self.line(40 + visits, ripple),
            "tcp_time_wait": self.line(visits * 2, ripple),
            "tcp_orphaned": self.constant(0),
            "tcp_memory_bytes": Line(visits * 4096 * 6, 4096, ripple),
            "tcp_opened_per_second": self.rate(visits // 8, ripple),
            "tcp_accepted_per_second": self.rate(visits // 4, ripple),
            "tcp_failed_per_second": self.rate(visits // 100, ripple),
            "tcp_retransmits_per_second": self.rate(visits // 40, ripple),
            "tcp_errors_per_second": self.constant(0),
            "tcp_resets_per_second": self.rate(visits // 60, ripple),
            "listen_drops_per_second": self.rate(self.chance.choice((0, 0, 0, 0, 0, 0, 1)), self.flat),
            "udp_in_use": self.constant(14),
            "udp_received_per_second": self.rate(visits // 6, ripple),
            "udp_sent_per_second": self.rate(visits // 6, ripple),
            "udp_errors_per_second": self.constant(0),
        }
        return Thing({}, lines)

    def _processes(self, people: People, cpu: int, traffic: int) -> list[ProcessThing]:
        """Those that do something or are large."""
        work = work_of(self.machine, self.chance, cpu, traffic)
        places = sorted(people.large | work.cpu.keys() | work.io.keys())
        return [self._process(people.residents[place], work, place in people.large) for place in places]

    def _process(self, resident: Resident, work: Work, is_large: bool) -> ProcessThing:
        # A large one grows and shrinks from quarter to quarter. Within one it stays, and so its place among the others.
        grown = resident.rss_kib * self.chance.randrange(6) // 200 if is_large else 0
        read, written = work.io.get(resident.place, (0, 0))
        lines = {
            "cpu_percent": self.line(work.cpu.get(resident.place, 0), self.cpu_ripple),
            "children_cpu_percent": self.constant(0),
            "rss_bytes": self.constant(resident.rss_kib + grown),
            "read_bytes_per_second": self.rate(read, self.disk_ripple),
            "write_bytes_per_second": self.rate(written, self.disk_ripple),
        }
        return ProcessThing(process_constants(resident), lines, place=resident.place)

    def _totals(self, people: People, processes: Iterable[ProcessThing]) -> Thing:
        ripples_of = {"cpu_percent": self.cpu_ripple, "children_cpu_percent": self.flat, "rss_bytes": self.flat}
        summed = {
            name: sum_of((process.lines[name] for process in processes), ripples_of.get(name, self.disk_ripple))
            for name in ProcessTotals.summed
        }
        summed["rss_bytes"].base += people.rss_kib - sum(people.residents[p.place].rss_kib for p in processes)
        counted = {
            "total": self.constant(len(people.residents)),
            "running": self.constant(1 + round(4 * self.activity)),
            "threads": self.constant(people.threads),
        }
        return Thing({}, {**counted, **summed})


class EventPlan:
    """Adds what an event does to the lines of a quarter."""

    def __init__(self, plan: QuarterPlan, quarter: Quarter, event: Event) -> None:
        interval = plan.machine.interval_seconds
        self.plan, self.quarter, self.event = plan, quarter, event
        self.first = max(0, (event.start - quarter.start) // interval)
        self.end = min(quarter.ticks, (event.end - quarter.start) // interval)
        # A whole share of every core, so that the machine's percentage comes out whole.
        cores = plan.machine.cores
        self.cpu = min(round(event.culprit.cores * 10_000), MAX_OF_A_CORE * 10 * cores) // (80 * cores) * (80 * cores)
        self.children_cpu = self.cpu * event.culprit.children_percent // 100
        self.own_cpu = self.cpu - self.children_cpu

    def apply(self) -> None:
        """Raise the lines, and put the culprit among the processes."""
        culprit, things = self.event.culprit, self.quarter.things
        share = self.cpu // self.plan.machine.cores
        load = self.cpu // 100
        self._raise(things[CpuSample], percent=share, user_percent=share, idle_percent=-share)
        self._raise(
            things[CpuSample], load_1=load, load_5=load // 2, load_15=load // 4, pressure_some_percent=share // 9
        )
        self._raise_cores()
        written, read = self._tenths(culprit.write), self._tenths(culprit.read)
        self._raise(things[DeviceSample][:1], read_bytes_per_second=read, write_bytes_per_second=written)
        self._raise(things[DeviceSample][:1], busy_percent=min(4000, (read + written) // 300_000))
        self._raise(things[DiskSample], pressure_some_percent=min(3000, (read + written) // 500_000))
        self._raise(things[InterfaceSample][:1], sent_bytes_per_second=self._tenths(culprit.network))
        self._raise(
            things[ProcessTotals],
            total=1,
            threads=culprit.threads,
            cpu_percent=self.own_cpu,
            children_cpu_percent=self.children_cpu,
            rss_bytes=culprit.rss_bytes // 1024,
            read_bytes_per_second=read,
            write_bytes_per_second=written,
        )
        self.quarter.processes.append(self._culprit(read, written))

    def _raise(self, things: Iterable[Thing], **heights: int) -> None:
        for thing in things:
            for name, height in heights.items():
                if height:
                    thing.lines[name].add(self.first, self.end, height)

    def _raise_cores(self) -> None:
        """A busy program wanders over some of the cores."""
        left = self.cpu // 10
        for line in self.quarter.things[CpuSample][0].lists["per_core"]:
            height = min(MAX_OF_A_CORE, left)
            line.add(self.first, self.end, height)
            left -= height

    def _tenths(self, per_second: int) -> int:
        return self.plan.rate(per_second, self.plan.flat).base

    def _while_it_lives(self, height: int) -> Line:
        line = self.plan.constant(0)
        line.add(self.first, self.end, height)
        return line

    def _culprit(self, read: int, written: int) -> ProcessThing:
        culprit, plan = self.event.culprit, self.plan
        born = self.event.start - plan.boot.booted_at - plan.machine.interval_seconds / 2
        constants = {
            "pid": self.event.pid,
            "start_seconds": born,
            "name": culprit.name,
            "username": culprit.username,
            "command": culprit.command,
            "status": "running",
            "threads": culprit.threads,
        }
        lines = {
            "cpu_percent": self._while_it_lives(self.own_cpu),
            "children_cpu_percent": self._while_it_lives(self.children_cpu),
            "rss_bytes": plan.constant(culprit.rss_bytes // 1024),
            "read_bytes_per_second": self._while_it_lives(read),
            "write_bytes_per_second": self._while_it_lives(written),
        }
        interval = plan.machine.interval_seconds
        first, end = ((moment - plan.start) // interval for moment in (self.event.start, self.event.end))
        return ProcessThing(constants, lines, first=first, end=end)


def process_constants(resident: Resident) -> dict[str, Any]:
    """The values of a process that stay as they are for a quarter."""
    return {
        "pid": resident.pid,
        "start_seconds": resident.start_seconds,
        **{name: getattr(resident, name) for name in ProcessSample.facts},
        "status": "sleeping",
        "threads": resident.threads,
    }


def _filled(partition: Partition, timestamp: int) -> float:
    """The share of a file system that is used: it fills up, is cleared, and fills up again."""
    if not partition.filling_days:
        return 0.41
    days = timestamp / 86_400 % partition.filling_days
    return 0.3 + 0.66 * days / partition.filling_days
