"""What is loaded only because it is installed."""

import inspect
import os
import re
import subprocess
import sys

import pytest
import rest_framework.compat

from sysmon_project.optional_imports import OPTIONAL_IN_REST_FRAMEWORK, load_without
from tests.source import ROOT

UNUSED = ("psycopg", "requests", "pygments", "redis")
LOAD = f"""
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from metrics.supervision.web import load_application
load_application()
print([name for name in {UNUSED} if name in sys.modules])
"""


def test_on_sqlite_the_program_loads_no_driver_and_no_client_that_it_does_not_use():
    command = [sys.executable, "-c", LOAD]
    environment = {name: value for name, value in os.environ.items() if name != "SYSMON_TEST_DATABASE_URL"}
    output = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert output.strip() == "[]"


def test_what_is_hidden_while_a_module_is_loaded_is_there_afterwards(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "curious.py").write_text(
        "try:\n    import left_out\n    found = True\nexcept ImportError:\n    found = False"
    )
    (tmp_path / "left_out.py").write_text("")
    load_without("curious", ["left_out"])
    import curious
    import left_out

    assert not curious.found
    assert left_out


def test_what_is_loaded_already_stays(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "careful.py").write_text("import json")
    load_without("careful", ["json"])
    assert sys.modules["json"]


@pytest.mark.parametrize("name", OPTIONAL_IN_REST_FRAMEWORK)
def test_rest_framework_still_looks_for_what_is_hidden_from_it(name):
    # `django.contrib.postgres` is what it tries for the two drivers.
    wanted = "django.contrib.postgres" if name.startswith("psycopg") else name
    source = inspect.getsource(rest_framework.compat)
    assert re.search(rf"^    (?:import|from) {wanted}\b", source, re.MULTILINE), (
        f"REST framework looks for {name} no more: take it out of optional_imports.py"
    )
