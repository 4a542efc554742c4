"""The secret key is made once, for the owner's eyes only."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from sysmon_project.env import SettingError
from sysmon_project.secret_key import data_directory, generated_secret_key


def test_it_is_made_once(tmp_path):
    key = generated_secret_key(tmp_path)
    assert len(key) >= 50
    assert generated_secret_key(tmp_path) == key


def test_nobody_else_may_read_it(tmp_path):
    generated_secret_key(tmp_path)
    assert [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()] == [0o600]


def test_two_processes_that_start_at_once_get_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: generated_secret_key(tmp_path), range(16)))
    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_file_is_filled(tmp_path):
    (tmp_path / "secret_key").touch(mode=0o600)
    assert len(generated_secret_key(tmp_path)) >= 50


def test_the_data_directory_is_for_its_owner(tmp_path):
    made = data_directory(tmp_path / "a" / "data")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_file_in_its_place_is_refused_in_one_line(tmp_path):
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingError, match=r"^SYSMON_DATA_DIR=.*data: ") as error:
        data_directory(tmp_path / "data")
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SettingError, match="SYSMON_DATA_DIR"):
        data_directory(tmp_path / "data")
