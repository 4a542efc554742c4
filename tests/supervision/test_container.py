"""`manage.py up` as a container runs it: the first process, without a user's name, on a root that is read-only."""

import psutil
import pytest

from tests.supervision.boxed import BoxedUp
from tests.supervision.running import eventually

pytestmark = pytest.mark.live


@pytest.fixture
def boxed(tmp_path):
    up = BoxedUp(tmp_path / "data")
    up.check_that_it_can()
    yield up
    up.end_for_sure()


@pytest.mark.parametrize("only", ["worker", "web"])
def test_one_part_runs_alone_and_ends_in_order(boxed, only):
    boxed.start("--only", only)
    assert psutil.Process(boxed.process.pid).children() == [boxed.first()]
    assert boxed.stop() == 0
    assert boxed.processes() == []
    assert "Traceback" not in boxed.errors().read_text()


def test_what_loses_its_parent_leaves_nothing_behind(boxed):
    boxed.environment["SYSMON_WEB_PROCESSES"] = "2"
    boxed.start("--only", "web")
    first = boxed.first()
    server = first.children()[0]
    adopted = server.children(recursive=True)
    assert len(adopted) == 2
    server.kill()
    assert eventually(lambda: "is started again" in boxed.errors().read_text(), 10)
    gone, left = psutil.wait_procs(adopted, timeout=5)
    assert (len(gone), left) == (len(adopted), [])
    assert eventually(lambda: len(first.children(recursive=True)) == 1 + len(adopted), 20)
    assert boxed.stop() == 0
