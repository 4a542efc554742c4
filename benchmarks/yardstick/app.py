"""The yardstick: the same job as a plain FastAPI application that keeps the newest 3600 samples in memory.

INTERVAL is in seconds; with PREFILL so many samples are invented at the start, as if it had run for hours.
"""

import os
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import psutil
from apscheduler.schedulers.background import BackgroundScheduler
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel

KEPT = 3600
INTERVAL = int(os.environ.get("INTERVAL", "5"))
PREFILL = int(os.environ.get("PREFILL", "0"))


class Cpu(BaseModel):
    """The processors."""

    timestamp: datetime
    percent: float
    per_core: list[float]
    load_average: tuple[float, float, float]
    frequency: dict[str, float] | None


class Memory(BaseModel):
    """Memory and swap."""

    timestamp: datetime
    virtual: dict[str, float]
    swap: dict[str, float]


class Disk(BaseModel):
    """File systems and traffic."""

    timestamp: datetime
    partitions: list[dict[str, Any]]
    io: dict[str, int] | None


class Network(BaseModel):
    """Interfaces."""

    timestamp: datetime
    interfaces: list[dict[str, Any]]


class Process(BaseModel):
    """One process."""

    pid: int
    name: str
    cpu_percent: float
    memory_percent: float
    rss: int
    status: str
    username: str | None


class Processes(BaseModel):
    """All processes of a moment."""

    timestamp: datetime
    processes: list[Process]


class Series(BaseModel):
    """Points of the CPU."""

    count: int
    data: list[Cpu]


class Ranking(BaseModel):
    """The highest processes."""

    timestamp: datetime
    total: int
    processes: list[Process]


class Current(BaseModel):
    """The newest sample of each family."""

    timestamp: datetime
    cpu: Cpu
    memory: Memory
    disk: Disk
    network: Network


def read_cpu(now: datetime) -> Cpu:
    """One sample of the CPU."""
    cores, frequency = psutil.cpu_percent(percpu=True), psutil.cpu_freq()
    clock = None if frequency is None else frequency._asdict()
    mean = round(sum(cores) / len(cores), 1)
    return Cpu(timestamp=now, percent=mean, per_core=cores, load_average=psutil.getloadavg(), frequency=clock)


def read_memory(now: datetime) -> Memory:
    """One sample of the memory."""
    return Memory(timestamp=now, virtual=psutil.virtual_memory()._asdict(), swap=psutil.swap_memory()._asdict())


def read_disk(now: datetime) -> Disk:
    """One sample of the disks."""
    partitions = []
    for partition in psutil.disk_partitions():
        try:
            usage = psutil.disk_usage(partition.mountpoint)._asdict()
        except OSError:
            continue
        partitions.append({"device": partition.device, "mountpoint": partition.mountpoint, **usage})
    traffic = psutil.disk_io_counters()
    return Disk(timestamp=now, partitions=partitions, io=None if traffic is None else traffic._asdict())


def read_network(now: datetime) -> Network:
    """One sample of the interfaces."""
    counters = psutil.net_io_counters(pernic=True)
    return Network(timestamp=now, interfaces=[{"interface": name, **c._asdict()} for name, c in counters.items()])


def read_processes(now: datetime) -> Processes:
    """Every process, by psutil's own sweep."""
    names = ["pid", "name", "cpu_percent", "memory_percent", "memory_info", "status", "username"]
    found = []
    for process in psutil.process_iter(names):
        info = process.info
        memory = info.pop("memory_info")
        numbers = {name: info[name] or 0.0 for name in ("cpu_percent", "memory_percent")}
        found.append(Process(**{**info, **numbers, "name": info["name"] or ""}, rss=memory.rss if memory else 0))
    return Processes(timestamp=now, processes=found)


READERS: dict[str, Callable[[datetime], Any]] = {
    "cpu": read_cpu,
    "memory": read_memory,
    "disk": read_disk,
    "network": read_network,
    "processes": read_processes,
}
history: dict[str, deque[Any]] = {family: deque(maxlen=KEPT) for family in READERS}


def collect() -> None:
    """One sample of each family."""
    now = datetime.now(UTC)
    for family, read in READERS.items():
        history[family].append(read(now))


def noisy(value: Any) -> Any:
    """Nearly the same: a history whose samples are objects of their own."""
    if isinstance(value, dict):
        return {key: item if key == "pid" else noisy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [noisy(item) for item in value]
    if type(value) is float:
        return round(value + random.random(), 1)
    return value + random.randrange(9) if type(value) is int else value


def invent(count: int) -> None:
    """Fill the history with what might have been."""
    now = datetime.now(UTC)
    for family, read in READERS.items():
        model = read(now)
        values = model.model_dump(exclude={"timestamp"})
        for number in range(count, 0, -1):
            moment = now - timedelta(seconds=INTERVAL * number)
            history[family].append(type(model)(timestamp=moment, **noisy(values)))


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Collect while the server runs."""
    psutil.cpu_percent(percpu=True)
    invent(PREFILL)
    collect()
    scheduler = BackgroundScheduler()
    scheduler.add_job(collect, "interval", seconds=INTERVAL, max_instances=1, coalesce=True)
    scheduler.start()
    yield
    scheduler.shutdown(wait=False)


app = FastAPI(lifespan=lifespan)


def newest(family: str) -> Any:
    """The newest sample."""
    if not history[family]:
        raise HTTPException(503, "no sample yet")
    return history[family][-1]


@app.get("/api/v1/health")
async def health() -> dict[str, str]:
    """Whether it is there."""
    return {"status": "healthy"}


@app.get("/api/v1/metrics/current", response_model=Current)
async def current() -> Any:
    """The newest sample of each family."""
    families = {family: newest(family) for family in READERS if family != "processes"}
    return Current(timestamp=families["cpu"].timestamp, **families)


@app.get("/api/v1/metrics/cpu", response_model=Series)
async def cpu(
    start: datetime | None = None, end: datetime | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Any:
    """The newest points of the range, oldest first."""
    wanted = (
        point
        for point in reversed(history["cpu"])
        if (start is None or point.timestamp >= start) and (end is None or point.timestamp <= end)
    )
    found = list(islice(wanted, limit))[::-1]
    return Series(count=len(found), data=found)


@app.get("/api/v1/metrics/processes", response_model=Ranking)
async def processes(limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Any:
    """The highest by CPU."""
    sample = newest("processes")
    ranked = sorted(sample.processes, key=lambda process: process.cpu_percent, reverse=True)
    return Ranking(timestamp=sample.timestamp, total=len(ranked), processes=ranked[:limit])
