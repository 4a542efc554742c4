"""The containers of compose.yaml without an engine: the same commands, settings and sockets, in boxes of the kernel."""

import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import postgresql
from tests.deploy.test_compose import SERVICES
from tests.skips import needs
from tests.supervision.boxed import BoxedUp
from tests.supervision.running import eventually

pytestmark = pytest.mark.live

HOST = "box-1"


@pytest.fixture
def sockets():
    """Where PostgreSQL and Redis listen: on nothing but a socket, as in compose.yaml."""
    with tempfile.TemporaryDirectory(prefix="sysmon-containers-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        # PostgreSQL runs as another user.
        directory.chmod(0o777)
        with running_postgresql(directory), running_redis(directory):
            yield directory


@contextmanager
def running_postgresql(directory):
    server = postgresql.PostgreSQL(directory / "cluster", 5432)
    server.create()
    with (server.directory / "postgresql.conf").open("a") as settings:
        settings.write(f"listen_addresses = ''\nunix_socket_directories = '{directory}'\n")
    server.start()
    try:
        yield
    finally:
        server.stop("immediate")


@contextmanager
def running_redis(directory):
    socket = directory / "redis.sock"
    command = [argument.replace("/data/redis.sock", str(socket)) for argument in SERVICES["redis"]["command"]]
    process = subprocess.Popen([needs(command[0]), *command[1:]], cwd=directory, stdout=subprocess.DEVNULL)
    try:
        assert eventually(socket.exists, 10)
        yield
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def container(tmp_path, sockets):
    """Start a service of compose.yaml with its own settings."""
    started = []

    def start(name):
        values = {
            "SYSMON_HOSTNAME": HOST, "SYSMON_SECRET_KEY": "one for all", "POSTGRES_PASSWORD": "none",
        }  # fmt: skip
        settings = {key: filled(value, values) for key, value in SERVICES[name]["environment"].items()}
        settings["DATABASE_URL"] = settings["DATABASE_URL"].replace("%2Fvar%2Frun%2Fpostgresql", quoted(sockets))
        settings["DATABASE_URL"] = f"{settings['DATABASE_URL'].removesuffix('/sysmon')}/postgres"
        settings["REDIS_URL"] = settings["REDIS_URL"].replace("/run/redis", str(sockets))
        up = BoxedUp(tmp_path / name, **settings)
        up.check_that_it_can()
        started.append(up)
        up.start(*SERVICES[name]["command"][1:])
        return up

    yield start
    for up in started:
        up.end_for_sure()


def filled(value, values):
    """A value of compose.yaml with its variables filled in, as Compose does it."""
    return re.sub(r"\$\{(\w+):[?-]([^}]*)\}", lambda match: values.get(match[1], match[2]), value)


def quoted(path):
    return str(path).replace("/", "%2F")


def test_three_containers_share_a_database_and_a_queue_and_each_ends_in_order(container):
    worker, web, exporter = container("worker"), container("web"), container("exporter")
    assert eventually(lambda: web.get("/api/v1/health")[0] == 200, 20), web.errors().read_text()
    assert web.get("/api/v1/metrics/current")[0] == 401
    assert exporter.get("/api/v1/metrics/current")[1]["host"] == HOST
    for up in (exporter, web, worker):
        assert up.stop() == 0
        assert up.processes() == []
        assert up.errors().read_text() == ""
