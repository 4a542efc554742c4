"""A long table: how far it is counted, how its pages are found, and that the index answers."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.admin.pages import MAX_ROWS, UncountedPaginator
from metrics.models import CpuSample, DeviceSample, Process, ProcessSample, Tick
from metrics.models.samples import sample_models
from tests.admin.conftest import AT, list_path, text_of
from tests.skips import only_on_sqlite


@pytest.fixture
def long_table(host):
    CpuSample.objects.bulk_create(
        CpuSample(host=host, timestamp=AT + timedelta(seconds=second), resolution=1) for second in range(1250)
    )


def test_the_first_page_counts_ten_pages_ahead(long_table, superuser_client):
    response = superuser_client.get(list_path(CpuSample))
    assert "more than 1100" in text_of(response)
    assert len(response.context["cl"].result_list) == 100
    assert response.context["cl"].result_list[0].timestamp == AT + timedelta(seconds=1249)


def test_a_later_page_goes_on_where_the_one_before_ended(long_table, superuser_client):
    first = superuser_client.get(f"{list_path(CpuSample)}?p=11").context["cl"].result_list
    second = superuser_client.get(f"{list_path(CpuSample)}?p=12").context["cl"].result_list
    assert first[-1].timestamp - second[0].timestamp == timedelta(seconds=1)


def test_the_last_page_knows_how_many_there_are(long_table, superuser_client):
    response = superuser_client.get(f"{list_path(CpuSample)}?p=13")
    assert len(response.context["cl"].result_list) == 50
    assert "1250" in text_of(response)
    assert "more than" not in text_of(response)


@pytest.mark.parametrize("page", ["-1", "0", "14", "999999999", "9" * 30])
def test_a_page_that_is_not_there_leads_to_the_first(page, long_table, superuser_client):
    response = superuser_client.get(f"{list_path(CpuSample)}?p={page}")
    assert (response.status_code, response.headers["Location"]) == (302, f"{list_path(CpuSample)}?e=1")


def test_no_page_begins_behind_the_bound():
    paginator = UncountedPaginator(CpuSample.objects.order_by("pk"), CpuSample.objects.all(), 100, 10**9)
    assert paginator.bound == MAX_ROWS


def test_an_uncounted_table_is_not_walked_through(long_table):
    with pytest.raises(TypeError):
        iter(UncountedPaginator(CpuSample.objects.order_by("pk"), CpuSample.objects.all(), 100, 1))


def plans_of(client, path):
    """What the database says about each query on the tables of samples: the plan, as text."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    asked = [query["sql"] for query in captured if 'FROM "metrics_' in query["sql"]]
    plans = []
    with connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
            plans.append((sql, "; ".join(row[3] for row in cursor.fetchall())))
    return plans


@only_on_sqlite("reads its query plans")
@pytest.mark.parametrize("query", ["", "last=week", "from=2026-11-01&to=2026-12-01", "p=2&host=test-host"])
@pytest.mark.parametrize("model", [*sample_models(), Tick], ids=lambda model: model._meta.model_name)
def test_the_index_answers_the_list(model, query, host, make_sample, superuser_client):
    if model is Tick:
        Tick.objects.create(host=host, timestamp=AT, resolution=5, lag_milliseconds=1, duration_milliseconds=1)
    else:
        make_sample(model)
    pages = admin.site.get_model_admin(model)
    pages_before, pages.list_per_page = pages.list_per_page, 1
    try:
        _fill_another_tick(model, host, make_sample)
        plans = plans_of(superuser_client, f"{list_path(model)}?{query}")
    finally:
        pages.list_per_page = pages_before
    own = [(sql, plan) for sql, plan in plans if f'FROM "{model._meta.db_table}"' in sql]
    assert own
    for sql, plan in own:
        assert "SCAN metrics_" not in plan, sql
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, sql


def _fill_another_tick(model, host, make_sample):
    for seconds in (5, 10):
        at = AT + timedelta(seconds=seconds)
        if model is Tick:
            Tick.objects.create(host=host, timestamp=at, resolution=5, lag_milliseconds=1, duration_milliseconds=1)
        else:
            make_sample(model, timestamp=at)


@only_on_sqlite("reads its query plans")
def test_the_samples_of_one_process_are_found_by_its_own_index(process, make_sample, superuser_client):
    make_sample(ProcessSample, process=process)
    plans = plans_of(superuser_client, f"{list_path(ProcessSample)}?process={process.pk}")
    assert any("process_sample_line" in plan for _sql, plan in plans)
    assert not any("SCAN metrics_processsample" in plan for _sql, plan in plans)


@pytest.mark.parametrize("rows", [5, 60])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    rows, host, make_sample, superuser_client, django_assert_max_num_queries
):
    for pid in range(rows):
        owner = Process.objects.create(host=host, pid=pid, started_at=AT, name="p")
        make_sample(ProcessSample, process=owner)
        make_sample(DeviceSample, device=f"sd{pid}")
    for model in (ProcessSample, DeviceSample, Process):
        with django_assert_max_num_queries(12):
            superuser_client.get(list_path(model))
