"""The database is made ready once, however many programs start on it at once."""

import os
import subprocess
import sys

import pytest

from tests import postgresql
from tests.source import ROOT

pytestmark = pytest.mark.live

PREPARE = "from metrics.supervision.database import prepare_database; prepare_database([])"


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request, tmp_path):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SYSMON_", "DATABASE_"))}
    own |= {"DJANGO_SETTINGS_MODULE": "sysmon_project.settings", "SYSMON_DATA_DIR": str(tmp_path)}
    if request.param == "sqlite":
        yield own
    else:
        with postgresql.running() as server:
            yield own | {"DATABASE_URL": server.url()}


def test_programs_that_start_at_once_on_a_new_database_take_turns(environment):
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", PREPARE]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in started] == [(b"", 0)] * 3
