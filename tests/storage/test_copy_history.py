"""What belongs to a history."""

from django.apps import apps

from metrics.models import ApiToken, CommandMasking, JobFailure, Recorder, ScheduledJob, UpkeepLease
from metrics.storage.copy_history import copied_models

STAYS = {ApiToken, CommandMasking, JobFailure, Recorder, ScheduledJob, UpkeepLease}


def test_every_table_is_copied_but_those_that_belong_to_the_machine():
    assert set(copied_models()) == set(apps.get_app_config("metrics").get_models()) - STAYS


def test_no_row_of_another_app_is_copied():
    assert {model._meta.app_label for model in copied_models()} == {"metrics"}


def test_what_others_point_to_goes_first():
    order = copied_models()
    for model in order:
        for field in model._meta.concrete_fields:
            if field.related_model:
                assert order.index(field.related_model) < order.index(model)
