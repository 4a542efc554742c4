"""What CI and the image install is what requirements say, each file by its hash, and all of it wheels."""

import re

import pytest

from tests.source import ROOT

PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", re.MULTILINE)
each_lock = pytest.mark.parametrize("name", ["requirements", "requirements-dev"])


def pins(file):
    """The packages that a file lists, with their versions."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PINNED.findall(text_of(file))}


def text_of(file):
    return (ROOT / file).read_text("utf-8")


@each_lock
def test_a_lock_has_the_versions_that_are_required(name):
    wanted = pins("requirements.txt") | pins(f"{name}.txt")
    locked = pins(f"{name}.lock")
    assert wanted.items() - locked.items() == set()
    # pip-audit brings pip along, which nobody has to require.
    assert locked.keys() - wanted.keys() <= {"pip"}


@each_lock
def test_every_package_of_a_lock_has_a_hash(name):
    entries = re.split(r"\n(?=[\w.,\[\]-]+==)", text_of(f"{name}.lock"))[1:]
    assert len(entries) == len(pins(f"{name}.lock"))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@each_lock
def test_a_lock_names_no_address(name):
    assert "://" not in text_of(f"{name}.lock")
    assert "index" not in text_of(f"{name}.lock")


def test_continuous_integration_and_the_image_install_from_the_lock():
    assert "export LOCKED=1" in text_of(".ci/run")
    install = re.search(r"pip install .*", text_of("deploy/Dockerfile"))[0]
    assert "--require-hashes --only-binary :all: --requirement requirements.lock" in install
