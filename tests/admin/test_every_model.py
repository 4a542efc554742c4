"""What is true of every table of what was recorded."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import RequestFactory

from metrics.admin.pages import UncountedPaginator
from metrics.models import ApiToken, Host, Process, ProcessSample
from tests.admin.conftest import detail_path, list_path, text_of

MODELS = [model for model in apps.get_app_config("metrics").get_models() if model is not ApiToken]
by_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)


@by_model
def test_it_is_registered(model):
    assert admin.site.is_registered(model)


@by_model
def test_its_list_and_its_detail_page_open(model, recorded, superuser_client):
    row = recorded[model]
    assert detail_path(row) in text_of(superuser_client.get(list_path(model)))
    assert str(model._meta.verbose_name) in text_of(superuser_client.get(detail_path(row)))


@by_model
def test_its_list_opens_while_nothing_is_stored(model, superuser_client):
    model.objects.all().delete()
    assert "0 " + str(model._meta.verbose_name_plural) in text_of(superuser_client.get(list_path(model)))


@by_model
def test_nobody_adds_changes_or_deletes(model, recorded, superuser_client):
    row = recorded[model]
    assert superuser_client.get(f"{list_path(model)}add/").status_code == 403
    assert superuser_client.post(detail_path(row), {}).status_code == 403
    assert superuser_client.post(f"{list_path(model)}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@by_model
def test_a_user_without_the_permission_is_refused(model, recorded, viewer, viewer_client):
    viewer.user_permissions.clear()
    assert viewer_client.get(list_path(model)).status_code == 403
    assert viewer_client.get(detail_path(recorded[model])).status_code == 403


@by_model
def test_its_list_does_not_count_the_table_and_offers_no_dates(model):
    pages = admin.site.get_model_admin(model)
    assert not pages.show_full_result_count
    assert pages.date_hierarchy is None
    assert isinstance(pages.get_paginator(_request(), model.objects.order_by("pk"), 10), UncountedPaginator)


@pytest.mark.parametrize("model", [Host, Process, ProcessSample])
@pytest.mark.parametrize("query", ["o=1.-2", "o=x", "all=", "e=1", "p=abc", "p=0", f"p={'9' * 5000}", "_facets=1"])
def test_what_django_itself_understands_is_no_error(model, query, recorded, superuser_client):
    text_of(superuser_client.get(f"{list_path(model)}?{query}"))


@by_model
def test_a_field_that_is_not_offered_cannot_be_filtered_by(model, recorded, superuser_client):
    assert superuser_client.get(f"{list_path(model)}?id__gt=0").status_code == 400


@pytest.mark.parametrize("model", [Host, Process, ProcessSample])
@pytest.mark.parametrize("key", ["0", "abc", "9" * 40, "%00", "-1"])
def test_a_row_that_is_not_there_leads_back_to_the_index(model, key, superuser_client):
    response = superuser_client.get(f"{list_path(model)}{key}/change/")
    assert (response.status_code, response.headers.get("Location")) == (302, "/admin/")


@by_model
def test_its_list_takes_few_queries(model, recorded, superuser_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(13):
        superuser_client.get(list_path(model))


def test_no_model_of_django_q2_has_pages(superuser_client):
    models = list(apps.get_app_config("django_q").get_models())
    assert len(models) >= 5
    for model in models:
        assert not admin.site.is_registered(model)
        assert superuser_client.get(f"/admin/django_q/{model._meta.model_name}/").status_code == 404
    assert "django_q" not in text_of(superuser_client.get("/admin/"))


def test_the_admin_is_called_sysmon_and_leads_to_the_dashboard(superuser_client):
    text = text_of(superuser_client.get("/admin/"))
    assert "sysmon</a></div>" in text
    assert '<a href="/">View site</a>' in text


def _request():
    return RequestFactory().get("/")
