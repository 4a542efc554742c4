"""A real Redis for a test: on a free port of its own, without a file, ended with the test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.skips import needs
from tests.supervision.running import eventually, free_port


@contextmanager
def running_redis(directory: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Its address, and the process."""
    program, port = needs("redis-server"), free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"redis://127.0.0.1:{port}/0"
        assert eventually(lambda: _answers(address), 10)
        yield address, process
    finally:
        process.kill()
        process.wait(timeout=10)


def _answers(address: str) -> bool:
    try:
        with redis.Redis.from_url(address) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
