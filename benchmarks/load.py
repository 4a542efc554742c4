"""Loads an address with wrk, and says what came of it."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.tree import cpu_seconds

REPORT = """
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests":%d,"seconds":%f,"p99":%f,"longest":%f,"errors":%d,"unanswered":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, latency.max / 1e3, e.status,
    e.connect + e.read + e.write + e.timeout))
end
"""
# Another range and another limit at each request: whole answers cannot be used again, only what they are made of.
VARYING = """
local now, count = {now}, 0
local function moment(seconds) return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) end
request = function()
  count = count + 1
  local start, stop = now - {span} - count * 7 % {slack}, now - count * 13 % {slack}
  return wrk.format("GET", string.format("/api/v1/metrics/cpu?start=%s&end=%s&limit=%d",
    moment(start), moment(stop), 950 + count * 17 % 51))
end
"""


@dataclass(frozen=True)
class Load:
    """What a run came to; times are in milliseconds. `errors` are answers from 400 on, and none at all."""

    requests_per_second: float
    cpu_milliseconds: float
    p99: float
    longest: float
    errors: int


def load(address: str, connections: int, seconds: int, pid: int, script: str = "") -> Load:
    """One run of wrk against an address of a server."""
    before = cpu_seconds(pid)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script + REPORT)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", file.name, address]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = json.loads(output.splitlines()[-1])
    count = figures["requests"] or 1
    return Load(
        count / figures["seconds"],
        (cpu_seconds(pid) - before) / count * 1000,
        figures["p99"],
        figures["longest"],
        figures["errors"] + figures["unanswered"],
    )


def varying(interval: int) -> str:
    """A script that asks for some thousand points, each time others, within a history of 3600."""
    now = int(datetime.now(UTC).timestamp())
    span, slack = 1200 * interval, 400 * interval
    return VARYING.replace("{now}", str(now)).replace("{span}", str(span)).replace("{slack}", str(slack))


def errors_in(file: Path, before: int) -> list[str]:
    """The lines of a log that should not be there after a load, but for those of its first `before` bytes."""
    words = ("locked", "Traceback", "lost", "ERROR")
    lines = file.read_bytes()[before:].decode(errors="replace").splitlines()
    return [line for line in lines if any(word in line for word in words)]
