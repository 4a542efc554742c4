"""The views for programs that speak SQL, on PostgreSQL."""

import pytest
from django.core.management import call_command
from django.db import connection

from metrics.exporters.sql_views import SCHEMA, create_views
from metrics.history.metadata import all_tables, output_names
from metrics.models import CpuSample
from metrics.retention.rollup import roll_up
from tests.conftest import FIRST_TICK
from tests.skips import only_on_postgresql

pytestmark = [pytest.mark.django_db, only_on_postgresql("views in a schema of their own")]

MINUTE = FIRST_TICK - FIRST_TICK % 900


def select(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_there_is_a_view_for_each_kind_and_one_for_the_machines():
    names = {name for (name,) in select(f"SELECT viewname FROM pg_views WHERE schemaname = '{SCHEMA}'")}
    assert names == {"host", *(model.kind for model in all_tables())}


def test_a_view_shows_what_the_api_shows(recorded):
    recorded.tick(cpu={"percent": 12.34, "load_1": 0.5, "context_switches_per_second": 7.1})
    row = select(f"SELECT host, extract(epoch FROM time), timestamp, percent, load_1, seconds, tier FROM {SCHEMA}.cpu")
    assert row == [("test-host", FIRST_TICK, FIRST_TICK, 12.34, 0.5, 5, 0)]


def test_what_is_unknown_stays_unknown(recorded):
    recorded.tick(cpu={"percent": None})
    assert select(f"SELECT percent FROM {SCHEMA}.cpu") == [(None,)]


def test_a_list_of_numbers_is_left_out():
    query = f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}' AND table_name = 'cpu'"
    columns = {name for (name,) in select(query)}
    assert "percent_max" in columns
    assert not {"per_core", "per_core_max"} & columns
    assert set(output_names(CpuSample, None, maxima=True)) - {"per_core", "per_core_max"} <= columns


def test_a_moment_is_shown_once_from_the_finest_tier_that_has_it(recorded):
    for number in range(180):
        recorded.tick(MINUTE + number * 5, cpu={"percent": float(number)})
    roll_up(recorded.host)
    CpuSample.objects.filter(tier=0, timestamp__lt=MINUTE + 300).delete()
    rows = select(f"SELECT tier, COUNT(*), MIN(timestamp), MAX(timestamp), SUM(seconds) FROM {SCHEMA}.cpu GROUP BY 1")
    assert sorted(rows) == [(0, 120, MINUTE + 300, MINUTE + 895, 600), (60, 5, MINUTE, MINUTE + 240, 300)]


def test_a_row_of_a_process_says_who_it_is_and_not_what_it_was_told(recorded):
    for number in range(2):  # the processes of the newest tick are kept elsewhere
        recorded.tick(FIRST_TICK + 5 * number, process=[{"pid": 7, "cpu_percent": 50.0, "rss_bytes": 2048}])
    assert select(f"SELECT pid, name, username, cpu_percent, rss_bytes FROM {SCHEMA}.process LIMIT 1") == [
        (7, "p7", "root", 50.0, 2048)
    ]
    query = f"SELECT column_name FROM information_schema.columns WHERE table_schema = '{SCHEMA}'"
    assert ("command",) not in select(query)


def test_machines_are_told_apart(recorded, other_host):
    recorded.tick(cpu={"percent": 1.0})
    other_host.tick(cpu={"percent": 2.0})
    assert sorted(select(f"SELECT host, percent FROM {SCHEMA}.cpu")) == [("other-host", 2.0), ("test-host", 1.0)]
    assert sorted(select(f"SELECT host FROM {SCHEMA}.host")) == [("other-host",), ("test-host",)]


@pytest.mark.django_db(transaction=True)
def test_tables_can_change_below_the_views():
    before = "0004_newest_processes"
    call_command("migrate", "metrics", before, verbosity=0)
    call_command("migrate", "metrics", verbosity=0)
    assert select(f"SELECT COUNT(*) FROM {SCHEMA}.cpu") == [(0,)]


def test_without_the_right_to_make_a_schema_it_says_so_and_goes_on(caplog):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        cursor.execute("CREATE ROLE stranger; SET ROLE stranger")
        create_views("default")
        cursor.execute("RESET ROLE")
    assert "may not make the schema panels" in caplog.text
