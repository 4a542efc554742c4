"""Values as people read them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.formatting import units
from metrics.models.samples import sample_models

KIB, MIB, GIB = 2**10, 2**20, 2**30


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1536, "1.5 KiB"),
        (MIB - 1, "1.0 MiB"),
        (8 * GIB, "8.0 GiB"),
        (1023.4 * GIB, "1,023.4 GiB"),
        (2**80, "1,048,576.0 EiB"),
        (-2048, "-2.0 KiB"),
    ],
)
def test_a_size_counts_in_1024(value, text):
    assert units.size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B/s"), (999, "999 B/s"), (999.6, "1.0 kB/s"), (3_400_000, "3.4 MB/s"), (999_960, "1.0 MB/s")],
)
def test_a_byte_rate_counts_in_1000(value, text):
    assert units.byte_rate(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.345, "percent", "12.3 %"),
        (250.0, "percent", "250.0 %"),
        (2400.4, "mhz", "2,400 MHz"),
        (100, "mbps", "100 Mbit/s"),
        (2500, "mbps", "2.5 Gbit/s"),
        (1234.56, "per_second", "1,234.6 /s"),
        (48.25, "celsius", "48.2 °C"),
        (90, "seconds", "1 min 30 s"),
        (0.25, "", "0.25"),
        (1_234_567, "", "1,234,567"),
        (100, "", "100"),
        (7, "watts_per_hour", "7 watts per hour"),
        (None, "percent", "-"),
        (True, "", "yes"),
        (False, "", "no"),
        ("a\nb", "", "a\\x0ab"),
        ([], "percent", ""),
        ([1.0, None, 2.5], "percent", "1.0, -, 2.5 %"),
        ([1.0, None], "percent", "1.0 %, -"),
        ([1000, 2**20], "bytes", "1,000 B, 1.0 MiB"),
    ],
)
def test_a_measure_is_shown_in_its_unit(value, unit, text):
    assert units.measured(value, unit) == text


def test_a_long_list_is_cut_and_counted():
    assert units.measured([1.0] * 20, "percent", limit=2) == "1.0, 1.0 %, … (20)"


def test_every_unit_of_a_model_has_a_format():
    used = {field.unit for model in sample_models() for field in model.measures()}
    assert used <= set(units._BY_UNIT)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.35, "350 ms"),
        (5, "5 s"),
        (59.96, "60 s"),
        (60, "1 min"),
        (900, "15 min"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (93_784, "1 d 2 h"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_duration_has_its_two_highest_parts(seconds, text):
    assert units.duration(seconds) == text


def test_a_moment_is_local_and_says_its_offset_when_asked(settings):
    settings.TIME_ZONE = "Asia/Seoul"
    moment = datetime(2026, 11, 22, 17, 40, 5, 999_999, tzinfo=UTC)
    assert units.local_time(moment) == "2026-11-23 02:40:05"
    assert units.local_time(moment, offset=True) == "2026-11-23 02:40:05+09:00"
    assert units.local_time(None) == "-"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("한국어 é", "한국어 é"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\x00b", "a\\x00b"),
        ("\u202egpj", "\\u202egpj"),
        ("\udcff", "\\udcff"),
        ("\U000e0001", "\\U000e0001"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_text_cannot_steer_a_terminal(text, shown):
    assert units.visible(text) == shown


@given(st.text())
def test_visible_text_is_always_printable_and_bounded(text):
    shown = units.visible(text, 20)
    assert shown.isprintable()
    assert len(shown) <= 200


def test_lines_are_kept_and_a_cut_is_counted():
    assert units.visible_lines("a\n\x1bb", 10) == "a\n\\x1bb"
    assert units.visible_lines("x" * 12, 10) == "x" * 10 + "\n… 2 more characters"
