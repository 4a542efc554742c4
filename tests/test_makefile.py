"""make says what it can do, and what is missing, before it makes anything."""

import os
import shutil
import subprocess

import pytest

from tests.skips import needs
from tests.source import ROOT


@pytest.fixture
def make(tmp_path):
    """Run make as on a fresh checkout, also when make runs the tests."""
    program = needs("make")
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    environment = {"PATH": os.environ["PATH"]}

    def run(*arguments):
        return subprocess.run(
            [program, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def old_python(tmp_path):
    """A Python that starts, but says nothing of what is asked of 3.11."""
    program = tmp_path / "old-python"
    program.write_text('#!/bin/sh\ncase "$2" in *version_info*) ;; *) echo 1 ;; esac\n')
    program.chmod(0o755)
    return str(program)


def test_without_a_target_it_lists_all_of_them(make):
    done = make()
    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["make", target]
        for target in (
            "help",
            "run",
            "test",
            "test-slow",
            "test-all",
            "test-postgresql",
            "soak",
            "bench",
            "check",
            "lock",
            "licences",
        )
    ]


def test_a_python_that_is_not_there_is_one_line(make, tmp_path):
    done = make("run", "PYTHON=no-such-python")
    assert done.returncode == 2
    assert 'needs Python 3.11 or newer, but "no-such-python" does not start' in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_is_too_old_is_one_line(make, old_python, tmp_path):
    done = make("test", f"PYTHON={old_python}")
    assert f'"{old_python}" is older' in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()
