"""Static files: their address names their state, the modules of a page are one file, what is worth it is compressed."""

import gzip
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from metrics.dashboard.static_files import WRITTEN_FOR, StaticFilesMiddleware
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


@pytest.mark.parametrize("name", ["metrics/js/main.js", "metrics/dashboard.css", "uplot/uPlot.iife.min.js"])
def test_while_developing_a_file_is_the_one_that_was_edited(settings, tmp_path, rf, name):
    """It is read at each request, and a browser asks whether what it has is still right."""
    settings.DEBUG, settings.STATIC_URL, settings.SYSMON_DATA_DIR = True, "/static/debug/", tmp_path
    answer = StaticFilesMiddleware(lambda request: None)(rf.get(settings.STATIC_URL + name))
    assert body(answer) == Path(finders.find(name)).read_bytes()
    assert answer.headers["Cache-Control"] == "max-age=0, public"


def test_while_developing_nothing_of_ours_is_kept_by_a_browser_or_by_django(tmp_path):
    """The address differs from that of what a browser may keep for ever, and templates are read for each page."""
    code = (
        "from sysmon_project import settings; print(settings.STATIC_URL, settings.TEMPLATES[0]['OPTIONS']['loaders'])"
    )
    environment = {**os.environ, "SYSMON_DEBUG": "1", "SYSMON_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=OWN.parents[2], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        "/static/debug/ ['django.template.loaders.filesystem.Loader', "
        "'django.template.loaders.app_directories.Loader']\n"
    )


def test_while_developing_the_words_are_asked_for_again(settings, client):
    address = reverse("metrics:messages", args=["0123456789ab", "ko-kr"])
    assert "immutable" in client.get(address).headers["Cache-Control"]
    settings.DEBUG = True
    assert client.get(address).headers["Cache-Control"] == "no-cache"


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


def test_whitenoise_is_the_version_that_was_looked_at():
    found = version("whitenoise")
    assert found == WRITTEN_FOR, (
        f"whitenoise is {found}: read what middleware.WhiteNoiseMiddleware.get_static_file and responders.StaticFile "
        "with its alternatives do there, then set WRITTEN_FOR in static_files.py"
    )
