"""What the program writes is its user's alone; what others have in hand is refused, with one line that names it."""

import os
import stat
from pathlib import Path

import pytest

from metrics.storage import permissions
from metrics.storage.permissions import NotPrivateError, check_place_for_a_copy, make_database_private, make_private
from tests.skips import missing

pytestmark = pytest.mark.skipif(not permissions.HAS_MODES, reason="Windows has no modes")

STRANGER = 54_321


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def data(tmp_path):
    """A data directory that is in use, with every kind of file that the program makes."""
    directory = tmp_path / "data"
    (directory / "static" / "1a2b").mkdir(parents=True, mode=0o700)
    names = ["secret_key", "web.lock", "sysmon.sqlite3.damaged-20261127T000000Z", "monday.backup", "static/1a2b/x.js"]
    for name in [*names, *(f"{base}.sqlite3{end}" for base in ("sysmon", "attempts") for end in ("", "-wal", "-shm"))]:
        (directory / name).touch(0o600)
    directory.chmod(0o700)
    return directory


@pytest.fixture
def given():
    """Give a file to another user, which root alone can."""

    def give(path, uid=STRANGER):
        if os.geteuid():
            missing("needs root, to make files of another user")
        os.chown(path, uid, -1, follow_symlinks=False)

    return give


def refused(directory):
    with pytest.raises(NotPrivateError) as error:
        make_private(directory)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_what_is_made_is_private_from_the_first_moment_under_any_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        permissions.use_private_umask()
        make_private(tmp_path / "a" / "data")
        with (tmp_path / "a" / "data" / "file").open("x"):
            assert mode(tmp_path / "a" / "data" / "file") == 0o600
    finally:
        os.umask(before)
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "data")) == (0o700, 0o700)


@pytest.mark.parametrize("before", [0o755, 0o750, 0o711, 0o701, 0o777, 0o2775, 0o770, 0o740])
def test_a_directory_that_is_open_to_others_is_closed(data, before):
    data.chmod(before)
    assert make_private(data).mode == before
    assert mode(data) == 0o700


@pytest.mark.parametrize("before", [0o644, 0o640, 0o666, 0o604, 0o777])
def test_every_file_that_is_open_to_others_is_closed_however_deep(data, before):
    data.chmod(0o755)
    files = [path for path in data.rglob("*") if path.is_file()]
    for path in data.rglob("*"):
        path.chmod(before | 0o111 if path.is_dir() else before)
    assert sorted(make_private(data).files) == sorted(files)
    assert {mode(path) for path in files} == {0o600}
    assert {mode(path) for path in data.rglob("*") if path.is_dir()} == {0o700}


def test_a_plain_empty_directory_becomes_one_of_its_own(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / ".gitkeep").touch()
    assert make_private(tmp_path).was_open
    assert mode(tmp_path) == 0o700


def test_a_private_directory_is_left_alone(data):
    (data / "sysmon.sqlite3").chmod(0o400)
    mended = make_private(data)
    assert (mended.was_open, mended.files) == (False, [])
    assert mode(data / "sysmon.sqlite3") == 0o400


def test_a_directory_of_somebody_elses_is_refused_for_root_too(data, given):
    given(data)
    assert f"belongs to uid {STRANGER}" in refused(data)


@pytest.mark.parametrize("name", ["secret_key", "sysmon.sqlite3", "web.lock", "static", "static/1a2b/x.js", "anything"])
def test_a_file_of_somebody_elses_in_it_is_refused_and_named(data, given, name):
    (data / name).touch()
    given(data / name)
    assert f"{data / name} belongs to uid {STRANGER}" in refused(data)


def test_whose_it_is_counts_and_not_whether_it_can_be_used(data, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert f"this program runs as uid {STRANGER}" in refused(data)


def test_a_link_of_somebody_elses_is_refused(data, given, tmp_path):
    (tmp_path / "link").symlink_to(data)
    assert make_private(tmp_path / "link").files == []
    given(tmp_path / "link")
    assert f"{tmp_path / 'link'}, on the way to it, belongs to uid {STRANGER}" in refused(tmp_path / "link")


def test_a_link_is_followed_to_what_is_above_its_target(data, tmp_path):
    (tmp_path / "open").mkdir()
    data.rename(tmp_path / "open" / "data")
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(Path("open", "data"))
    assert "open, on the way to it, may be written by everybody (mode 0777)" in refused(tmp_path / "link")


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "is a link to itself" in refused(tmp_path / "a")


@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_in_one_that_everybody_may_write_is_refused_but_in_a_sticky_one_it_is_not(tmp_path, exists):
    if exists:
        (tmp_path / "open" / "data").mkdir(parents=True)
    else:
        (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert "may be written by everybody" in refused(tmp_path / "open" / "data")
    (tmp_path / "open").chmod(0o1777)
    make_private(tmp_path / "open" / "data")
    assert mode(tmp_path / "open" / "data") == 0o700


@pytest.mark.parametrize("is_private", [True, False])
def test_a_group_of_others_may_not_write_above_it_but_a_group_of_ones_own_may(tmp_path, monkeypatch, is_private):
    monkeypatch.setattr(permissions, "_is_private_group", lambda _gid: is_private)
    (tmp_path / "team").mkdir()
    (tmp_path / "team").chmod(0o775)
    if is_private:
        make_private(tmp_path / "team" / "data")
    else:
        assert "may be written by its group" in refused(tmp_path / "team" / "data")


def test_a_group_is_private_where_nobody_else_is_known_in_it(monkeypatch):
    import grp
    import pwd

    users = [pwd.struct_passwd((name, "x", uid, gid, "", "/", "")) for name, uid, gid in (
        ("jin", STRANGER, 500), ("ada", 777, 600), ("root", 0, 0),
    )]  # fmt: skip
    groups = {500: [], 600: [], 700: ["jin"], 800: ["jin", "ada"], 900: ["nobody-knows"]}
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((str(gid), "x", gid, groups[gid])))
    found = {gid: permissions._is_private_group(gid) for gid in [0, *groups, 1000]}
    assert found == {0: True, 500: True, 600: False, 700: True, 800: False, 900: False, 1000: True}


@pytest.mark.parametrize("before", [0o755, 0o777])
def test_a_directory_with_files_of_other_programs_is_not_closed_to_those(tmp_path, before):
    (tmp_path / "index.html").touch(0o644)
    tmp_path.chmod(before)
    assert "files that are not sysmon's (index.html)" in refused(tmp_path)
    assert (mode(tmp_path), mode(tmp_path / "index.html")) == (before, 0o644)


def test_a_directory_for_everybody_is_not_closed(tmp_path):
    (tmp_path / "sysmon.sqlite3").touch()
    tmp_path.chmod(0o1777)
    assert "everybody's" in refused(tmp_path)
    assert mode(tmp_path) == 0o1777


def test_the_root_of_all_files_is_never_closed(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: Path("/").stat().st_uid)
    monkeypatch.setattr(Path, "chmod", lambda *_: pytest.fail("closed"))
    with pytest.raises(NotPrivateError):
        make_private(Path("/"))


def test_where_the_file_system_keeps_no_modes_it_is_refused(data, monkeypatch):
    data.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    assert "keeps no modes" in refused(data)


def test_a_file_with_a_second_name_is_not_mended_where_others_could_have_made_it(data, tmp_path):
    (tmp_path / "passwords").touch(0o644)
    (data / "sysmon.sqlite3").unlink()
    (data / "sysmon.sqlite3").hardlink_to(tmp_path / "passwords")
    (tmp_path / "passwords").chmod(0o644)
    data.chmod(0o777)
    assert "has a second name" in refused(data)
    assert mode(tmp_path / "passwords") == 0o644


def test_what_a_link_in_it_names_keeps_its_mode(data, tmp_path):
    (tmp_path / "elsewhere").touch()
    (tmp_path / "elsewhere").chmod(0o644)
    (data / "notes").symlink_to(tmp_path / "elsewhere")
    make_private(data)
    assert mode(tmp_path / "elsewhere") == 0o644


def test_a_database_elsewhere_is_closed_with_its_companions_and_its_directory_is_not(tmp_path):
    files = [tmp_path / f"x.sqlite3{ending}" for ending in ("", "-wal", "-shm")]
    for file in files:
        file.touch()
        file.chmod(0o644)
    tmp_path.chmod(0o755)
    assert make_database_private(files[0]) == files
    assert ({mode(file) for file in files}, mode(tmp_path)) == ({0o600}, 0o755)


@pytest.mark.parametrize("before", [0o777, 0o1777])
def test_a_database_in_a_directory_that_everybody_may_write_is_refused(tmp_path, before):
    tmp_path.chmod(before)
    with pytest.raises(NotPrivateError, match="may be written by everybody"):
        make_database_private(tmp_path / "x.sqlite3")


@pytest.mark.parametrize("ending", ["", "-wal"])
def test_a_database_of_somebody_elses_is_refused(tmp_path, given, ending):
    for name in ("x.sqlite3", "x.sqlite3-wal"):
        (tmp_path / name).touch()
    given(tmp_path / f"x.sqlite3{ending}")
    with pytest.raises(NotPrivateError, match=f"belongs to uid {STRANGER}"):
        make_database_private(tmp_path / "x.sqlite3")


def test_a_database_behind_a_link_is_closed_where_it_is(data, tmp_path):
    (tmp_path / "disk").mkdir()
    real = (data / "sysmon.sqlite3").rename(tmp_path / "disk" / "real.sqlite3")
    real.chmod(0o644)
    (data / "sysmon.sqlite3").symlink_to(real)
    assert make_database_private(data / "sysmon.sqlite3") == [real]
    assert mode(real) == 0o600


@pytest.mark.parametrize(("before", "is_refused"), [(0o755, False), (0o775, False), (0o1777, False), (0o777, True)])
def test_a_copy_is_not_put_where_everybody_could_replace_it(tmp_path, before, is_refused):
    tmp_path.chmod(before)
    if is_refused:
        with pytest.raises(NotPrivateError, match="0777"):
            check_place_for_a_copy(tmp_path)
    else:
        check_place_for_a_copy(tmp_path)
