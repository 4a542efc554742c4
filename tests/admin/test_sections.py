"""The index and the sidebar: what people come for first, the program's own work folded away."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User

from metrics.admin.sections import ACCESS, IN_ORDER, INTERNALS, MACHINES, SAMPLES, section_of
from metrics.models import ApiToken, Event, Host, Process, Tick
from metrics.models.samples import sample_models
from tests.admin.conftest import list_path, text_of


def sections(response):
    """The models of each section, in order."""
    return {app["app_label"]: [one["model"] for one in app["models"]] for app in response.context["app_list"]}


def test_what_people_come_for_is_first_and_every_model_is_somewhere(superuser_client):
    found = sections(superuser_client.get("/admin/"))
    assert list(found) == [section.name for section in IN_ORDER]
    assert found["samples"] == list(sample_models())
    assert found["machines"] == [Event, Host, Process]
    assert found["access"] == [ApiToken, Group, User]
    assert sorted(str(model) for models in found.values() for model in models) == sorted(map(str, admin.site._registry))


def test_only_what_the_program_keeps_for_itself_is_folded():
    folded = {model for model, pages in admin.site._registry.items() if section_of(model, pages).is_folded}
    own = set(apps.get_app_config("metrics").get_models())
    assert Tick in folded
    assert not folded & {*sample_models(), Host, Process, ApiToken, User}
    assert all(section_of(model, admin.site._registry[model]) == INTERNALS for model in folded | own & folded)
    assert [section.is_folded for section in (SAMPLES, MACHINES, ACCESS)] == [False] * 3


def test_internals_are_folded_until_one_of_them_is_looked_at(recorded, superuser_client):
    fold = re.compile(r'<details class="folded"( open)?><summary>Internals</summary>')
    assert fold.search(text_of(superuser_client.get("/admin/")))[1] is None
    sidebar = {model: fold.search(text_of(superuser_client.get(list_path(model))))[1] for model in (Host, Tick)}
    assert sidebar == {Host: None, Tick: " open"}
    assert 'aria-current="page">Ticks</a>' in text_of(superuser_client.get(list_path(Tick)))


def test_who_may_see_little_has_no_empty_sections(viewer, viewer_client):
    viewer.user_permissions.set(Permission.objects.filter(codename="view_host", content_type__app_label="metrics"))
    assert sections(viewer_client.get("/admin/")) == {"machines": [Host]}
    viewer.user_permissions.clear()
    assert "permission to view or edit anything" in text_of(viewer_client.get("/admin/"))


@pytest.mark.parametrize("app", ["metrics", "auth"])
def test_the_page_of_an_app_stays_as_it_is(app, superuser_client):
    [listed] = superuser_client.get(f"/admin/{app}/").context["app_list"]
    assert listed["app_label"] == app
