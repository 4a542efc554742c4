"""`manage.py forget-host`: what a machine that is gone leaves behind goes, and nothing else."""

import builtins
import io
import itertools
import re
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models
from django_q.models import Task

from metrics.models import ApiToken, Host, JobFailure, Recorder, ScheduledJob, Tick
from metrics.models.fields import EpochField
from metrics.retention import forgetting
from metrics.retention.forgetting import forget, is_alive, recorded_since, tables_of_hosts
from metrics.storage.locks import RECORDER, WORKER, hold_data_directory
from tests.conftest import FIRST_TICK
from tests.supervision.running import Up, eventually

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def tables_that_point_to_hosts():
    """Table -> its column, as the database itself says."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        found = {name: connection.introspection.get_relations(cursor, name) for name in names}
    return {
        name: column
        for name, relations in found.items()
        for column, (_other_column, other, *_rest) in relations.items()
        if other == Host._meta.db_table
    }


def counts(host):
    with connection.cursor() as cursor:
        found = {}
        for table, column in tables_that_point_to_hosts().items():
            cursor.execute(f"SELECT COUNT(*) FROM {table} WHERE {column} = %s", [host.pk])
            found[table] = cursor.fetchone()[0]
        return found


def row_of(model, host):
    """A row of any table, with something in each column that needs it."""
    values = {}
    for field in model._meta.concrete_fields:
        if field.related_model is Host:
            values[field.name] = host
        elif field.related_model:
            values[field.name] = field.related_model._default_manager.filter(host=host).first()
        elif not field.null and not field.has_default() and not field.primary_key:
            is_time = isinstance(field, (EpochField, models.DateTimeField))
            values[field.name] = LONG_AGO if is_time else b"" if isinstance(field, models.BinaryField) else 1
    return model._default_manager.create(**values)


@pytest.fixture
def gone(other_host):
    """A host with a row in every table there is."""
    host = other_host.host
    for model in reversed(tables_of_hosts()):
        row_of(model, host)
    JobFailure.objects.create(machine=host.name, job="x", started_at=LONG_AGO, failed_at=LONG_AGO)
    Task.objects.create(
        id="1", name="t", func="metrics.tasks.prune", cluster=host.name, started=LONG_AGO, stopped=LONG_AGO
    )
    return host


@pytest.fixture
def answer(monkeypatch):
    """What is typed where the command asks; nothing at all ends the input."""

    def type_in(text):
        def read(_question):
            if text is None:
                raise EOFError
            return text

        monkeypatch.setattr(builtins, "input", read)

    return type_in


def run(*arguments):
    out = io.StringIO()
    call_command("forget-host", *arguments, stdout=out)
    return out.getvalue()


def test_every_table_of_hosts_is_found_and_what_others_point_to_goes_last(db):
    order = tables_of_hosts()
    assert {model._meta.db_table for model in order} == set(tables_that_point_to_hosts())
    for place, model in enumerate(order):
        pointed_to = [field.related_model for field in model._meta.concrete_fields if field.related_model in order]
        assert all(order.index(other) > place for other in pointed_to)


def test_every_other_table_is_known_to_be_of_no_host_or_to_go_by_its_name():
    of_no_host = {Host, ApiToken}
    by_its_name = {JobFailure, ScheduledJob}
    others = set(apps.get_app_config("metrics").get_models()) - set(tables_of_hosts())
    assert others == of_no_host | by_its_name


def test_all_of_it_goes_and_nothing_of_another_host(gone, recorded, answer):
    recorded.tick(cpu={"percent": 1})
    others, before = counts(recorded.host), counts(gone)
    assert all(before.values())
    answer("y")
    text = run("other-host")
    assert set(counts(gone).values()) == {0}
    assert not Host.objects.filter(name="other-host").exists()
    assert not JobFailure.objects.exists()
    assert not Task.objects.exists()
    assert counts(recorded.host) == others
    assert "other-host is forgotten" in text


def test_it_says_beforehand_how_many_rows_how_much_and_since_when(gone, answer):
    answer("n")
    text = run("other-host")
    rows = sum(counts(gone).values())
    total = re.search(
        r"^ *(\d+)  rows of other-host would go(?:, some ([\d.]+ \w+))?, recorded since (\S+)$", text, re.M
    )
    assert int(total[1]) == rows == sum(map(int, re.findall(r"^ *(\d+)  (?!rows of)", text, re.M)))
    assert datetime.fromisoformat(total[3]) == recorded_since(gone) == LONG_AGO


@pytest.mark.parametrize("typed", ["", "n", "no", "Y!", "other-host", None])
def test_anything_but_a_yes_deletes_nothing(gone, answer, typed):
    before = counts(gone)
    answer(typed)
    assert run("other-host").endswith("nothing was deleted\n")
    assert counts(gone) == before


def test_with_yes_it_does_not_ask(gone, answer):
    answer(None)
    run("other-host", "--yes")
    assert not Host.objects.filter(name="other-host").exists()


def test_an_unknown_name_is_answered_with_those_there_are(recorded, other_host):
    with pytest.raises(CommandError, match="there is no host nobody; there are: other-host, test-host"):
        run("nobody", "--yes")


@pytest.mark.parametrize("part", [WORKER, RECORDER])
def test_the_host_that_is_recorded_here_is_refused_while_it_runs(recorded, settings, tmp_path, part):
    settings.SYSMON_DATA_DIR, settings.SYSMON_HOSTNAME = tmp_path, "test-host"
    with hold_data_directory([part]), pytest.raises(CommandError, match="this machine itself, and another sysmon"):
        run("test-host", "--yes")
    run("test-host", "--yes")
    assert not Host.objects.exists()


@pytest.mark.parametrize(("released_at", "is_refused"), [(None, True), (FIRST_TICK + 1, False)])
def test_one_that_another_machine_records_is_refused(other_host, at_noon, released_at, is_refused):
    other_host.tick(cpu={"percent": 1})
    Recorder.objects.create(host=other_host.host, pid=1, taken_over_at=0, released_at=released_at)
    if is_refused:
        with pytest.raises(CommandError, match="other-host is being recorded; end its sysmon first"):
            run("other-host", "--yes")
    else:
        run("other-host", "--yes")
    assert Host.objects.filter(name="other-host").exists() is is_refused


@pytest.mark.parametrize("newest", [0, FIRST_TICK + 3_600, 4_070_908_800], ids=["1970", "in an hour", "2099"])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_by_a_clock_that_was_wrong_it_is_recorded_if_another_tick_comes_in(
    other_host, at_noon, monkeypatch, newest, is_recorded
):
    other_host.tick(newest, cpu={"percent": 1})
    seconds = itertools.count()
    monkeypatch.setattr(forgetting.time, "monotonic", lambda: next(seconds))

    def record(_seconds):
        if is_recorded and Tick.objects.count() == 1:
            other_host.tick(newest + 5, cpu={"percent": 1})

    monkeypatch.setattr(forgetting.time, "sleep", record)
    assert is_alive(other_host.host) is is_recorded


def test_a_clock_that_has_been_set_back_is_believed_again(other_host, at_noon, monkeypatch):
    monkeypatch.setattr(forgetting.time, "sleep", lambda _seconds: pytest.fail("nothing is to be waited for"))
    other_host.tick(4_070_908_800, cpu={"percent": 1})
    other_host.tick(FIRST_TICK - 3_600, cpu={"percent": 1})
    assert not is_alive(other_host.host)
    other_host.tick(FIRST_TICK, cpu={"percent": 1})
    assert is_alive(other_host.host)


def test_it_goes_in_batches_and_goes_on_where_it_was_interrupted(other_host, monkeypatch):
    other_host.ticks(25)
    monkeypatch.setattr(forgetting, "BATCH_ROWS", 10)
    monkeypatch.setattr("metrics.retention.pruning.BATCH_ROWS", 10)
    assert max(itertools.islice(forget(other_host.host), 4)) == 10
    assert Host.objects.filter(name="other-host").exists()
    assert max(forget(other_host.host)) <= 10
    assert not Host.objects.filter(name="other-host").exists()


def test_what_comes_in_meanwhile_goes_too(other_host):
    other_host.tick(cpu={"percent": 1})
    for number, _rows in enumerate(forget(other_host.host)):
        if Host.objects.filter(name="other-host").exists():
            other_host.tick(FIRST_TICK + 5 * (number + 1), cpu={"percent": 1})
    assert not Host.objects.filter(name="other-host").exists()
    assert not Tick.objects.exists()


@pytest.mark.live
def test_whoever_is_recorded_meanwhile_loses_no_tick(tmp_path):
    up = Up(tmp_path / "data", SYSMON_HOSTNAME="web-1")
    past = {"SYSMON_HOSTNAME": "gone", "SYSMON_INTERVAL": "5", "SYSMON_MAX_POINTS": "300"}
    assert up.run("simulate", "--days", "1", **past).returncode == 0
    web = "FROM metrics_tick WHERE host_id = (SELECT id FROM metrics_host WHERE name = 'web-1')"
    try:
        up.start("--only", "worker")
        assert eventually(lambda: len(up.query(f"SELECT timestamp {web}")) > 2, 20)
        # For 20 seconds more it could be that somebody records what was made up to this moment.
        assert eventually(lambda: up.run("forget-host", "gone", "--yes").returncode == 0, 60)
        last = up.newest_tick()
        assert eventually(lambda: up.newest_tick() > last + 1, 20)
        ticks = sorted(row[0] for row in up.query(f"SELECT timestamp {web}"))
        assert {after - before for before, after in itertools.pairwise(ticks)} == {1}
        assert up.query("SELECT name FROM metrics_host") == [("web-1",)]
    finally:
        up.end_for_sure()
