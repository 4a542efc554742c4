from pathlib import Path

import pytest

from metrics.collectors import pressure
from metrics.collectors.pressure import NO_PRESSURE, Pressure, parse_pressure, read_pressure

MEMORY = """\
some avg10=0.12 avg60=0.19 avg300=0.08 total=1435213
full avg10=0.00 avg60=0.00 avg300=0.00 total=500000
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pressure, "PRESSURE_DIRECTORY", tmp_path)
    return tmp_path


def test_totals_are_in_seconds() -> None:
    assert parse_pressure(MEMORY) == Pressure(some_seconds=1.435213, full_seconds=0.5)


def test_an_old_kernel_has_no_full_line_for_the_cpu() -> None:
    assert parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n") == Pressure(7e-6, None)


@pytest.mark.parametrize("text", ["", "\n", "some", "some avg10=0.00", "some total=", "some total=x"])
def test_a_line_without_a_total_says_nothing(text: str) -> None:
    assert parse_pressure(text) == NO_PRESSURE


def test_it_reads_the_file_of_a_resource(directory: Path) -> None:
    (directory / "io").write_text(MEMORY)
    assert read_pressure("io").full_seconds == 0.5


def test_a_kernel_without_psi_has_no_pressure(directory: Path) -> None:
    assert read_pressure("cpu") == NO_PRESSURE


def test_a_kernel_that_refuses_to_read_has_no_pressure(directory: Path) -> None:
    (directory / "cpu").mkdir()  # reading fails, as with psi=0
    assert read_pressure("cpu") == NO_PRESSURE
