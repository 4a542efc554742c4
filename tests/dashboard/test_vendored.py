"""uPlot's two files: published, checked, and nothing else of their packages."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.checks import run_checks

from metrics.dashboard.vendored import VENDORED, VendoredFile, VendoredFinder

SCRIPT = VENDORED[0]
PREFERRED, FALLBACK = SCRIPT.carriers


def finder_of(*carriers):
    made = VendoredFinder()
    made.files = (VendoredFile(SCRIPT.name, carriers),)
    return made


@pytest.fixture
def fallback(tmp_path, monkeypatch):
    """The second carrier, installed with a file of its own, and how it is listed with that file's checksum."""
    file = tmp_path / FALLBACK.package / FALLBACK.path
    file.parent.mkdir(parents=True)
    file.write_text("var uPlot;")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, FALLBACK.package, raising=False)
    return replace(FALLBACK, sha256=hashlib.sha256(file.read_bytes()).hexdigest())


def test_both_files_are_found_by_their_published_names():
    for file in VENDORED:
        assert Path(finders.find(file.name)).name == Path(file.carriers[0].path).name


def test_nothing_else_of_the_package_is_published():
    listed = [name for name, _storage in VendoredFinder().list(None)]
    assert listed == ["uplot/uPlot.iife.min.js", "uplot/uPlot.min.css"]
    assert finders.find("youplot/figure.py") is None


def test_a_listed_storage_leads_to_the_file():
    for name, storage in VendoredFinder().list(None):
        assert Path(storage.path(name)).is_file()


def test_the_check_is_content_with_what_is_installed():
    assert VendoredFinder().check() == []
    assert [error for error in run_checks() if error.id in {"metrics.E001", "metrics.E002"}] == []


def test_an_altered_file_is_an_error_and_is_not_published():
    altered = finder_of(replace(PREFERRED, sha256="0" * 64))
    assert [error.id for error in altered.check()] == ["metrics.E002"]
    assert altered.find(SCRIPT.name) == []
    assert list(altered.list(None)) == []


@pytest.mark.parametrize("missing", [{"path": "vendor/none.js"}, {"package": "no_such_package"}])
def test_a_missing_file_is_an_error(missing):
    errors = finder_of(replace(PREFERRED, **missing)).check()
    assert [error.id for error in errors] == ["metrics.E001"]
    assert "requirements.txt" in errors[0].hint


@pytest.mark.parametrize("fault", [{"package": "no_such_package"}, {"sha256": "0" * 64}], ids=["missing", "altered"])
def test_the_second_carrier_stands_in_for_the_first(fallback, fault):
    finder = finder_of(replace(PREFERRED, **fault), fallback)
    assert finder.check() == []
    assert Path(finder.find(SCRIPT.name)).read_text() == "var uPlot;"


def test_the_first_carrier_is_preferred(fallback):
    assert Path(finder_of(PREFERRED, fallback).find(SCRIPT.name)).name == Path(PREFERRED.path).name


def test_an_altered_file_of_the_second_carrier_is_not_published(fallback):
    finder = finder_of(replace(PREFERRED, package="no_such_package"), replace(fallback, sha256="0" * 64))
    assert [error.id for error in finder.check()] == ["metrics.E002"]
    assert finder.find(SCRIPT.name) == []
