"""Headings and lines that are derived from the fields of a model."""

import re

import pytest
from django.utils.translation import override

from metrics.admin import columns
from metrics.models.samples import sample_models

SAME_IN_KOREAN = {"CPU", "TCP TIME-WAIT"}


by_model = pytest.mark.parametrize("model", list(sample_models()), ids=lambda model: model._meta.model_name)
MAX_CHARACTERS = 26


@by_model
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_field_is_called_something_short_and_no_two_of_a_table_the_same(model, language):
    with override(language):
        names = [str(field.verbose_name) for field in (*model.measures(), *_relations(model))]
    assert [name for name in names if len(name) > MAX_CHARACTERS or "_" in name] == []
    assert len(set(names)) == len(names)


@by_model
def test_every_column_is_korean_for_koreans(model):
    fields = [*model.measures(), *model.extremes()]
    with override("ko"):
        names = [str(field.verbose_name) for field in fields]
    english = [name for name in names if not re.search("[가-힣]", name) and name not in SAME_IN_KOREAN]
    assert english == []


@by_model
def test_an_extreme_is_called_after_its_field(model):
    for field in model.extremes():
        name, _underscore, extreme = field.name.rpartition("_")
        word = {"max": "highest", "min": "lowest"}[extreme]
        assert str(field.verbose_name) == f"{model._meta.get_field(name).verbose_name}, {word}"


def _relations(model):
    return [model._meta.get_field(name) for name in model.key if model._meta.get_field(name).is_relation]


def test_a_heading_cannot_be_html():
    assert "<b>" not in columns.Column("x", "<b>", str, help="<b>").short_description
