"""Somebody writes rows into the database of a real `up` or `qcluster`, or into its Redis: they are refused, not run."""

import os
import sqlite3
from contextlib import closing, contextmanager

import psycopg
import pytest
import redis
from django_q import core_signing
from django_q.signing import PickleSerializer

from metrics.schedules import JOBS
from tests import postgresql
from tests.redis_server import running_redis
from tests.skips import only_on_sqlite
from tests.supervision.planted import pickled, task
from tests.supervision.running import Up, eventually

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
    only_on_sqlite("each has a database of its own"),
]
KEY = "the key of the machine, which somebody knows"
PAST = "2020-01-01 00:00:00"


class Planter:
    """Somebody who can write rows, and knows the secret key. `marks` is where what runs would leave a file."""

    def __init__(self, up, marks):
        self.up, self.marks = up, marks

    @contextmanager
    def database(self):
        url = self.up.environment["DATABASE_URL"]
        with closing(psycopg.connect(url, autocommit=True) if url else sqlite3.connect(self.up.file, timeout=20)) as db:
            yield db, "%s" if url else "?"
            db.commit()

    def insert(self, table, **values):
        with self.database() as (database, place):
            names, places = ", ".join(values), ", ".join([place] * len(values))
            database.execute(f"INSERT INTO django_q_{table} ({names}) VALUES ({places})", list(values.values()))

    def schedule(self, name, func="os.mkdir", **values):
        row = {"name": name, "func": func, "args": f"'{self.marks / name}'", "schedule_type": "O", "repeats": -1,
               "minutes": 1, "next_run": PAST, "cluster": "web-1"}  # fmt: skip
        self.insert("schedule", **row | values)

    def signed(self, content):
        """As django-q2 signs what it queues."""
        return core_signing.dumps(content, key=KEY, salt="sysmon", serializer=PickleSerializer)

    def payloads(self):
        """Entries of a queue."""
        func = task(func="os.mkdir", args=(str(self.marks / "signed function"),))
        return ["os.system", self.signed(func), self.signed(task(hook="os.system"))]

    def everything(self):
        self.schedule("schedule")
        self.schedule("at once", kwargs="{'q_options': {'sync': True}}")
        self.schedule("no cluster", cluster=None)
        self.schedule("hook", func=JOBS[1].func, args=None, hook="os.system")
        for number, success in enumerate((True, False)):
            self.insert(
                "task", id=f"{number:032}", name=f"n{number}", func=JOBS[0].func, started=PAST, stopped=PAST,
                success=success, attempt_count=1, result=pickled(self.marks / f"result {number}"),
            )  # fmt: skip
        for payload in self.payloads():
            self.insert("ormq", key="web-1", payload=payload, lock=PAST)


@pytest.fixture
def marks(tmp_path):
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


@pytest.fixture
def start(tmp_path):
    """An `up` with its own database, which ends with the test."""
    running = []

    def start(**settings):
        running.append(Up(tmp_path / "data", SYSMON_HOSTNAME="web-1", SYSMON_SECRET_KEY=KEY, **settings))
        return running[-1]

    yield start
    for up in running:
        up.end_for_sure()


def refusals(up):
    return [line for line in up.log.read_text().splitlines() if "refused a task" in line]


def assert_refused_and_recording_goes_on(up, marks, expected):
    def all_refused():
        said = "\n".join(refusals(up))
        return all(text in said for text in expected)

    assert eventually(all_refused, 50), up.log.read_text()
    newest = up.newest_tick()
    assert eventually(lambda: up.newest_tick() > newest + 2, 10)
    assert list(marks.iterdir()) == []
    assert len(refusals(up)) <= 8
    assert "Traceback" not in up.log.read_text()


SCHEDULED = ["of the schedule (row 3)", "of the schedule (row 4)", "of the schedule (row 5)", "hook os.system"]


def test_rows_in_the_file_of_a_running_program_are_refused(start, marks):
    up = start()
    up.start()
    assert eventually(lambda: up.ticks(), 20)
    Planter(up, marks).everything()
    with Planter(up, marks).database() as (database, _place):
        database.execute("ALTER TABLE metrics_upkeeplease RENAME TO away")
    assert_refused_and_recording_goes_on(up, marks, [*SCHEDULED, "of the queue"])
    assert_what_failed_is_kept_as_text(up)


def assert_what_failed_is_kept_as_text(up):
    """The job whose table is away; what was planted is all that django-q2's own table holds."""
    failed = lambda: up.query("SELECT machine, job, message FROM metrics_jobfailure")  # noqa: E731
    assert eventually(failed, 40), up.log.read_text()
    [(machine, job, message), *_] = failed()
    assert (machine, job) == ("web-1", JOBS[1].func)
    assert "metrics_upkeeplease" in message
    assert up.query("SELECT COUNT(*) FROM django_q_task") == [(2,)]


def test_rows_that_are_there_before_a_start_are_refused(start, marks):
    up = start()
    assert up.run("migrate", "-v0").returncode == 0
    Planter(up, marks).everything()
    up.start()
    assert up.query("SELECT COUNT(*) FROM django_q_task") == [(0,)]
    assert_refused_and_recording_goes_on(up, marks, SCHEDULED[:2])


def test_rows_in_a_postgresql_that_others_share_are_refused(start, marks):
    with postgresql.running() as server:
        up = start(DATABASE_URL=server.create_database("sysmon"))
        up.start()
        assert eventually(lambda: up.ticks(), 20)
        Planter(up, marks).everything()
        assert_refused_and_recording_goes_on(up, marks, [*SCHEDULED, "of the queue"])


def test_entries_of_a_redis_that_others_share_are_refused(start, marks, tmp_path):
    with running_redis(tmp_path) as (address, _process):
        up = start(REDIS_URL=address)
        up.start()
        assert eventually(lambda: up.ticks(), 20)
        with redis.Redis.from_url(address) as client:
            client.rpush("django_q:web-1:q", *Planter(up, marks).payloads())
        assert_refused_and_recording_goes_on(up, marks, ["of the queue"])


def test_qcluster_refuses_them_too_and_records(start, marks):
    up = start()
    assert up.run("migrate", "-v0").returncode == 0
    Planter(up, marks).everything()
    up.launch(command="qcluster")
    assert_refused_and_recording_goes_on(up, marks, ["of the schedule (row 3)", "of the queue"])
