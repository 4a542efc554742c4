"""On PostgreSQL its own tools make a copy and bring it back, with the very words of `backup` and `restore`."""

import subprocess

import pytest

from tests.skips import needs, only_on_postgresql
from tests.supervision.running import Up, eventually

pytestmark = [pytest.mark.live, only_on_postgresql("its own tools")]


@pytest.fixture
def up(tmp_path):
    running = Up(tmp_path / "data")
    yield running
    running.end_for_sure()


def do_as_it_says(up, command, file):
    done = up.run(command, "anywhere")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    program, *words = done.stderr.partition("for PostgreSQL: ")[2].split()
    arguments = [word.replace("DATABASE", up.database.url).replace("FILE", str(file)) for word in words]
    subprocess.run([needs(program), *arguments], check=True, timeout=60)


def test_a_copy_that_was_made_while_it_recorded_brings_everything_back(up, tmp_path):
    up.start()
    assert eventually(lambda: len(up.ticks()) >= 3, 20)
    before = up.ticks()
    do_as_it_says(up, "backup", tmp_path / "copy")
    up.stop()
    last = up.newest_tick()
    up.query("TRUNCATE metrics_tick, metrics_cpusample, django_q_schedule")
    do_as_it_says(up, "restore", tmp_path / "copy")
    assert set(before) <= set(up.ticks())
    assert up.query("SELECT COUNT(DISTINCT timestamp) FROM metrics_cpusample WHERE tier = 0") == [(len(up.ticks()),)]
    assert up.database.damage() == []
    up.start()
    assert eventually(lambda: up.newest_tick() > last, 10), up.log.read_text()
