import sys
from typing import Any

import pytest

from metrics.collectors import base
from metrics.collectors.base import Collector, NoData, Reading, collectors


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    collectors()
    monkeypatch.setattr(base, "_registry", dict(base._registry))


class Probe(Collector):
    """An intermediate class: no family, nothing to read."""


def test_a_collector_is_registered_by_being_defined() -> None:
    class SensorsCollector(Collector):
        family = "sensors"

        def read(self) -> Reading:
            raise NoData("no sensor")

    assert collectors()["sensors"] is SensorsCollector


def test_collectors_come_ordered_by_family() -> None:
    class AlphaCollector(Probe):
        family = "alpha"

        def read(self) -> Reading:
            return {}

    assert list(collectors()) == sorted(collectors())
    assert next(iter(collectors())) == "alpha"


def test_the_families_are_found() -> None:
    assert set(collectors()) >= {"cpu", "disk", "memory", "network", "processes"}


def test_an_intermediate_class_is_not_registered() -> None:
    assert Probe not in collectors().values()


def test_a_second_collector_of_a_family_is_refused() -> None:
    with pytest.raises(TypeError, match=r"'cpu' is already read by metrics.collectors.cpu.CpuCollector"):
        type("Other", (Probe,), {"family": "cpu", "read": lambda self: {}})
    assert collectors()["cpu"].__name__ == "CpuCollector"


def test_a_collector_without_a_family_is_refused() -> None:
    with pytest.raises(TypeError, match="Nameless can read but names no family"):
        type("Nameless", (Collector,), {"read": lambda self: {}})


def test_a_collector_that_cannot_read_cannot_be_made() -> None:
    blind: Any = type("Blind", (Collector,), {"family": "blind"})
    with pytest.raises(TypeError, match="abstract"):
        blind()


def test_a_module_that_cannot_be_imported_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "metrics.collectors.network", None)
    with pytest.raises(ImportError):
        collectors()
