"""uPlot's two files: published, checked, and nothing else of their package."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.checks import run_checks

from metrics.dashboard.vendored import VENDORED, VendoredFinder


def finder_of(*files):
    made = VendoredFinder()
    made.files = files
    return made


def test_both_files_are_found_by_their_published_names():
    for file in VENDORED:
        assert Path(finders.find(file.name)).name == Path(file.path).name


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
    altered = finder_of(replace(VENDORED[0], sha256="0" * 64))
    assert [error.id for error in altered.check()] == ["metrics.E002"]
    assert altered.find(VENDORED[0].name) == []
    assert list(altered.list(None)) == []


@pytest.mark.parametrize("missing", [{"path": "vendor/none.js"}, {"package": "no_such_package"}])
def test_a_missing_file_is_an_error(missing):
    errors = finder_of(replace(VENDORED[0], **missing)).check()
    assert [error.id for error in errors] == ["metrics.E001"]
    assert "requirements.txt" in errors[0].hint
