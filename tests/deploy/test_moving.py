"""To PostgreSQL and back, by what docs/settings.md tells people to type, right after Ctrl-C."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from tests import postgresql
from tests.deploy.documented import Terminal, below, installed
from tests.supervision.running import eventually, free_port

pytestmark = pytest.mark.live
THERE, BACK = below("docs/settings.md", "PostgreSQL and Redis")
PASSWORD = "a-right-long-one-7"
# Who administers it needs none; everybody else needs a password, as on most servers.
WHO_IS_LET_IN = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@pytest.fixture(scope="module")
def server():
    """One whose databases belong to somebody else than sysmon, with the rights that it comes with."""
    with postgresql.running("postgres") as server:
        (server.directory / "pg_hba.conf").write_text(WHO_IS_LET_IN)
        with psycopg.connect(server.url()) as database:
            database.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def program(tmp_path):
    return installed(tmp_path / "sysmon", SYSMON_PORT=str(free_port()), SYSMON_INTERVAL="1", SYSMON_HOSTNAME="web-1")


@pytest.fixture
def terminal(server, program):
    places = {"PASSWORD": PASSWORD, "db.example.org": f"127.0.0.1:{server.port}"}
    administrator = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres"}
    terminal = Terminal(program, places, [postgresql.programs()], **administrator)
    yield terminal
    terminal.close()


def ticks_of(file):
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        return {row[0] for row in opened.execute("SELECT timestamp FROM metrics_tick")}


def test_a_history_moves_to_postgresql_and_back_as_the_page_says(terminal, server, program):
    file = program / "data" / "sysmon.sqlite3"
    address = f"postgres://sysmon:{PASSWORD}@127.0.0.1:{server.port}/sysmon"

    def ticks_there():
        with psycopg.connect(address) as database:
            return {row[0] for row in database.execute("SELECT timestamp FROM metrics_tick")}

    terminal.start("python manage.py up")
    assert eventually(lambda: len(ticks_of(file)) > 2, 20), terminal.screen()
    terminal.press_ctrl_c()
    before = ticks_of(file)

    first, *others, last = THERE.lines
    terminal.type(first, PASSWORD, PASSWORD)
    for line in others:
        terminal.type(line)
    assert ticks_there() == before
    terminal.start(last)
    assert eventually(lambda: len(ticks_there()) > len(before) + 2, 20), terminal.screen()
    terminal.press_ctrl_c()
    moved = ticks_there()
    assert moved > before

    *others, last = BACK.lines
    for line in others:
        terminal.type(line)
    assert ticks_of(file) == moved
    [kept] = [found for found in file.parent.glob("sysmon.sqlite3.replaced-*") if found.suffix.endswith("Z")]
    assert ticks_of(kept) == before
    terminal.start(last)
    assert eventually(lambda: ticks_of(file) > moved, 20), terminal.screen()
    terminal.press_ctrl_c()
    assert "Traceback" not in terminal.screen()
