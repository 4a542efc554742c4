"""Before the first start, and where a database does not answer, every command says in its last line what to do."""

import pytest
from django.db import ProgrammingError, connection

from metrics.storage.unusable import in_words
from tests.supervision.running import Up

COMMANDS = [
    ("top",), ("prune",), ("mark", "deployed 1.2"), ("forget-host", "web-1"), ("clearsessions",),
    ("createsuperuser", "--noinput", "--username=ada", "--email=ada@example.com"), ("changepassword", "ada"),
]  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_tables_it_says_what_makes_them(tmp_path, command):
    up = Up(tmp_path / "data", DATABASE_URL="")
    try:
        done = up.run(*command)
    finally:
        up.end_for_sure()
    assert done.returncode == 1
    assert "its tables are made by `up`, or by `migrate`" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.live
def test_a_server_that_is_not_there_is_named_by_its_setting(tmp_path):
    up = Up(tmp_path / "data", DATABASE_URL="")
    try:
        done = up.run("top", DATABASE_URL="postgres://ada:a-secret@127.0.0.1:1/none")
    finally:
        up.end_for_sure()
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith("DATABASE_URL names it\n")
    assert "a-secret" not in done.stderr


@pytest.mark.live
def test_an_address_that_is_not_there_is_named_by_its_settings(tmp_path):
    up = Up(tmp_path / "data", SYSMON_HOST="nosuch.invalid")
    try:
        done = up.run("up")
    finally:
        up.end_for_sure()
    assert done.returncode == 1
    assert f"cannot listen on nosuch.invalid port {up.port} (SYSMON_HOST, SYSMON_PORT): " in done.stderr


@pytest.mark.parametrize("missing", ["SELECT * FROM no_such_table", "SELECT no_such_column FROM metrics_host"])
def test_tables_of_an_older_version_are_told_from_other_faults_on_each_engine(db, missing):
    with connection.cursor() as cursor, pytest.raises(Exception, match="no_such") as raised:
        cursor.execute(missing)
    assert "made by `up`, or by `migrate`" in in_words(raised.value)


def test_other_faults_are_said_as_they_are(db):
    with connection.cursor() as cursor, pytest.raises(Exception, match="syntax error") as raised:
        cursor.execute("SELEC 1")
    assert "migrate" not in in_words(raised.value)
    assert in_words(ProgrammingError("one\n two")) == "one two"
