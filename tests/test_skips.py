"""A test that needs what is not there is never left out silently."""

import os

import pytest

from tests.skips import FORBIDDEN_BY, needs


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
