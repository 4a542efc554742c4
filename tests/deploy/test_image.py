"""The image of the containers: no engine is needed to see what would be in it, and that this is enough to run."""

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metrics.storage.permissions import make_private
from tests.skips import missing
from tests.source import ROOT

DOCKERFILE = ROOT / "deploy/Dockerfile"
IGNORE = ROOT / ".dockerignore"


def copied():
    """What the last stage copies from the source, as (from, to) below the work directory."""
    last = DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    for *sources, target in (line.split() for line in re.findall(r"^COPY (?!--from)(.*)$", last, re.MULTILINE)):
        yield from ((source, target) for source in sources)


def is_sent(path):
    """Whether .dockerignore lets a file through to the build: its last matching line decides."""
    sent = True
    for line in IGNORE.read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        places = [path, *path.parents] if not line.startswith("**/") else [Path(part) for part in path.parts]
        if line and not line.startswith("#") and any(fnmatch.fnmatchcase(str(place), pattern) for place in places):
            sent = line.startswith("!")
    return sent


def put_in_image(image):
    """Copy what the build would copy."""
    for source, target in copied():
        files = [ROOT / source] if (ROOT / source).is_file() else sorted((ROOT / source).rglob("*"))
        for file in files:
            if file.is_file() and is_sent(file.relative_to(ROOT)):
                inside = file.relative_to((ROOT / source).parent if file == ROOT / source else ROOT / source)
                place = image / target / inside
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    directory = tmp_path_factory.mktemp("image")
    put_in_image(directory)
    return directory


def test_the_linter_has_nothing_to_say():
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    done = subprocess.run(
        [program or missing("needs hadolint"), DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_its_python_has_a_version_and_its_user_is_not_root():
    text = DOCKERFILE.read_text()
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+$", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    assert int(re.findall(r"^USER (\d+)$", text, re.MULTILINE)[-1]) >= 1000


@pytest.mark.parametrize("path", [".env", "deploy/.env", "data/sysmon.sqlite3", ".git/config", "tests/conftest.py"])
def test_nothing_private_and_nothing_useless_is_sent_to_the_build(path):
    assert not is_sent(Path(path))


def test_no_cache_of_this_machine_is_sent_to_the_build():
    assert is_sent(Path("metrics/apps.py"))
    assert not is_sent(Path("metrics/__pycache__/apps.cpython-311.pyc"))


def test_what_is_in_it_is_enough(image, tmp_path):
    environment = {"SYSMON_DATA_DIR": str(tmp_path / "data"), "SYSMON_HOST": "0.0.0.0", "PYTHONDONTWRITEBYTECODE": "1"}
    code = "import metrics.supervision.web as web; web.load_application(); print('ready')"
    for arguments in (
        ["manage.py", "check"],
        ["manage.py", "migrate", "-v0"],
        ["manage.py", "shell", "-v0", "-c", code],
    ):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=image, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert done.stdout.splitlines()[-1] == "ready"


def test_every_file_of_the_program_is_in_it(image):
    inside = {path.relative_to(image) for path in image.rglob("*") if path.is_file()}
    for package in ("metrics", "sysmon_project"):
        files = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if path.is_file()}
        assert {path for path in files - inside if "__pycache__" not in path.parts} == set()


def test_the_data_directory_is_made_by_the_user_that_runs_it_in_a_place_of_roots(tmp_path):
    text = DOCKERFILE.read_text()
    [(mode, place)] = re.findall(r"install --directory --owner root --group root --mode (\d+) (\S+)", text)
    assert re.findall(r"SYSMON_DATA_DIR=(\S+)", text) == [f"{place}/data"]
    assert re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE) == [place]
    # As it is there for a user of the group 0: the place is no user's, and sticky.
    tmp_path.chmod(int(mode, 8))
    make_private(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
