"""A real Redis for a test: on a free port of its own, without a file, ended with the test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import redis

from tests.skips import needs
from tests.supervision.running import eventually, free_port


@contextmanager
def running_redis(directory: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Its address, and the process."""
    address = f"redis://127.0.0.1:{free_port()}/0"
    process = start_redis(directory, address)
    try:
        yield address, process
    finally:
        process.kill()
        process.wait(timeout=10)


def start_redis(directory: Path, address: str) -> "subprocess.Popen[bytes]":
    """Start one there, and return when it answers."""
    options = ["--port", str(urlsplit(address).port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    process = subprocess.Popen([needs("redis-server"), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert eventually(lambda: _answers(address), 10)
    return process


def _answers(address: str) -> bool:
    try:
        with redis.Redis.from_url(address) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False
