"""Static files: their address names their state, the modules of a page are one file, what is worth it is compressed."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from metrics.dashboard.static_files import StaticFilesMiddleware
from sysmon_project.static_state import state_of

OWN = Path(__file__).resolve().parents[2] / "metrics" / "static" / "metrics"
SCRIPTS = sorted(OWN.rglob("*.js"))


@pytest.fixture
def served(settings, tmp_path, rf):
    """The answer to a request for a static file."""
    settings.SYSMON_DATA_DIR = tmp_path
    middleware = StaticFilesMiddleware(lambda request: None)

    def get(name, **headers):
        return middleware(rf.get(settings.STATIC_URL + name, headers=headers))

    return get


def body(response):
    return b"".join(response.streaming_content)


def test_the_address_changes_with_the_content(tmp_path):
    (tmp_path / "a.js").write_text("1")
    before = state_of(tmp_path)
    (tmp_path / "a.js").write_text("2")
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert state_of(tmp_path) != before


def test_a_browser_may_keep_a_file_for_ever(served):
    assert "immutable" in served("metrics/js/main.js").headers["Cache-Control"]


@pytest.mark.parametrize("name", ["metrics/js/chart.js", "metrics/colors.css"])
def test_a_file_that_nothing_is_joined_to_is_sent_as_it_is(served, name):
    assert body(served(name)) == Path(finders.find(name)).read_bytes()


def test_those_of_others_are_sent_as_they_are(served):
    name = "uplot/uPlot.iife.min.js"
    assert body(served(name)) == Path(finders.find(name)).read_bytes()


def test_they_are_compressed_for_who_takes_that(served):
    plain, small = served("metrics/js/main.js"), served("metrics/js/main.js", accept_encoding="gzip")
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body(small)) == body(plain)


def test_what_was_made_of_an_older_state_is_thrown_away(served, settings, tmp_path):
    older = tmp_path / "static" / "0123456789ab"
    older.mkdir()
    StaticFilesMiddleware(lambda request: None)
    assert not older.exists()


def test_a_directory_that_takes_nothing_does_no_harm(settings, tmp_path, rf):
    (tmp_path / "static").write_text("no directory")
    settings.SYSMON_DATA_DIR = tmp_path
    middleware = StaticFilesMiddleware(lambda request: None)
    assert body(middleware(rf.get(settings.STATIC_URL + "metrics/js/main.js"))) == (OWN / "js" / "main.js").read_bytes()


def test_no_script_of_ours_makes_markup_of_text():
    for script in SCRIPTS:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.read_text()), (
            script
        )
