"""The version stands in one place, and is the same wherever it is shown."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from metrics import __version__

ROOT = Path(__file__).resolve().parents[1]


def test_it_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_package_takes_it_from_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "metrics.__version__"}


@pytest.mark.parametrize("words", [["--version"], ["version"], ["up", "--version"], ["migrate", "--version"]])
def test_the_terminal_shows_it(words):
    done = subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(rf"sysmon {re.escape(__version__)} \(Django \S+, Python \S+\)\n", done.stdout)


@pytest.mark.parametrize("address", ["/", "/api/v1"])
def test_the_api_shows_it(api, recorded, address):
    assert api.get(address).json()["version"] == __version__


def test_the_document_of_the_api_has_it(api):
    assert api.get("/openapi.json").json()["info"]["version"] == __version__


def test_the_foot_of_the_page_has_it(api, recorded):
    assert f"<p>sysmon {__version__}</p>" in api.get("/", headers={"accept": "text/html"}).content.decode()


def test_what_is_newest_in_the_changelog_is_that_version_or_to_come():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    releases = headings[1:] if headings[0] == "Unreleased" else headings
    versions = [re.fullmatch(r"(\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)", release)[1] for release in releases]
    assert versions[0] == __version__
