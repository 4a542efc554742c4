"""The recorder's own work: ticks, newest readings, states of collectors, and who records."""

import pytest
from django.utils.timezone import now

from metrics.admin import recorders
from metrics.models import CollectorState, MemorySample, NewestReading, Recorder, Tick
from tests.admin.conftest import AT, ATTACK, detail_path, list_path, text_of


def test_a_tick_says_how_late_it_was_and_leads_to_its_samples(recorded, superuser_client):
    text = text_of(superuser_client.get(detail_path(recorded[Tick])))
    assert "3 ms" in text
    assert "40 ms" in text
    assert f"{list_path(MemorySample)}?host=test-host&amp;tick={int(AT.timestamp())}" in text


def test_a_reading_is_printed_in_lines(recorded, superuser_client):
    text = text_of(superuser_client.get(detail_path(recorded[NewestReading])))
    assert "    {\n      &quot;user_seconds&quot;: 1.5\n    }" in text
    assert "1 d 1 h" in text


def test_the_rows_of_a_reading_are_not_loaded_for_a_list(recorded, superuser_client):
    response = superuser_client.get(list_path(NewestReading))
    assert "rows" in response.context["cl"].result_list[0].get_deferred_fields()


def test_a_long_reading_is_cut_and_says_so(recorded, superuser_client, monkeypatch):
    monkeypatch.setattr(recorders, "READING_CHARACTERS", 30)
    assert "more characters" in text_of(superuser_client.get(detail_path(recorded[NewestReading])))


@pytest.mark.parametrize("rows", ["{not json", "", ATTACK, '["\x1b[31m"]'])
def test_a_reading_that_is_no_json_is_shown_as_it_is_but_harmless(rows, recorded, superuser_client):
    NewestReading.objects.update(rows=rows)
    text = text_of(superuser_client.get(detail_path(recorded[NewestReading])))
    assert ATTACK not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("outcome", "shown"), [("ok", "● ok"), ("no_data", "○ no data here"), ("failed", "▲ failed")])
def test_an_outcome_is_a_shape_and_a_word(outcome, shown, recorded, superuser_client):
    CollectorState.objects.update(outcome=outcome, message=ATTACK)
    text = text_of(superuser_client.get(list_path(CollectorState)))
    assert shown in text
    assert ATTACK not in text
    assert shown in text_of(superuser_client.get(detail_path(recorded[CollectorState])))


def test_what_is_not_kept_by_name_is_shown_harmlessly(recorded, superuser_client):
    CollectorState.objects.update(left_out=f'[{{"what": "interfaces", "names": ["{ATTACK}"]}}]')
    text = text_of(superuser_client.get(detail_path(recorded[CollectorState])))
    assert "interfaces" in text
    assert ATTACK not in text


def test_an_outcome_of_a_newer_version_is_shown_too(recorded, superuser_client):
    CollectorState.objects.update(outcome="late")
    assert "? late" in text_of(superuser_client.get(list_path(CollectorState)))


def test_a_recorder_says_whether_it_holds_the_token(recorded, superuser_client):
    assert "● records" in text_of(superuser_client.get(list_path(Recorder)))
    Recorder.objects.update(released_at=now())
    assert "○ released" in text_of(superuser_client.get(detail_path(recorded[Recorder])))
