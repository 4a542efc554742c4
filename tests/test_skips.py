"""A test that needs what is not there is never left out silently."""

import os
import re

import pytest

from tests.skips import FORBIDDEN_BY, needs
from tests.source import ROOT
from tests.supervision.databases import ServerDatabase
from tests.supervision.running import Up


def test_what_is_installed_is_found(monkeypatch, tmp_path):
    program = tmp_path / "second"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs("first", "second") == os.fspath(program)


def test_what_is_missing_skips_the_test_with_the_reason(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(FORBIDDEN_BY, raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs one or other, which is not installed"):
        needs("one", "other")


def test_where_skipping_is_forbidden_it_fails(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(FORBIDDEN_BY, "1")
    with pytest.raises(pytest.fail.Exception, match="needs one, which is not installed"):
        needs("one")


def test_a_test_of_one_engine_says_so_in_one_way():
    by_hand = re.compile(r"skip(if)?\([^)]*vendor")
    files = [path for path in (ROOT / "tests").rglob("*.py") if by_hand.search(path.read_text())]
    assert [path.name for path in files] == ["skips.py"]


def test_a_test_of_the_file_cannot_pass_for_one_of_postgresql(tmp_path):
    up = Up(tmp_path, DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert isinstance(up.database, ServerDatabase)
    with pytest.raises(AssertionError, match="marked only_on_sqlite"):
        up.file  # noqa: B018
