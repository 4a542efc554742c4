"""What deleted rows leave free goes back to the file system, in steps that hold up no writer."""

import io
import sqlite3
from collections import namedtuple
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from metrics.management.commands import prune
from metrics.storage import free_pages
from metrics.storage.connections import set_up_file
from metrics.storage.free_pages import MAX_STEP_PAGES, Space, SpaceError, bytes_of_rows, next_step, rewrite, shrink
from metrics.storage.locks import WORKER, hold_data_directory
from tests.skips import only_on_postgresql, only_on_sqlite

ROWS = 4000


def file_with_rows(path, *, can_shrink=True):
    file = sqlite3.connect(path, isolation_level=None)
    if can_shrink:
        set_up_file(file)
    else:
        file.execute("PRAGMA auto_vacuum=NONE")
        file.execute("PRAGMA journal_mode=WAL")
    file.execute("CREATE TABLE t (x)")
    file.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * ROWS)
    return file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.sqlite3"


@pytest.mark.parametrize("kept", [0, 10, ROWS // 2, ROWS - 500])
def test_less_than_a_hundredth_of_the_pages_is_free_afterwards(path, kept):
    file = file_with_rows(path)
    file.execute("DELETE FROM t WHERE rowid % 2 = 0 OR rowid > ?", [kept])
    before, gone = Space.of(file), []
    shrink(file, gone.append, lambda _seconds: None)
    after = Space.of(file)
    assert after.free_pages < 0.01 * after.pages or after.free_pages == 0
    assert sum(gone) == before.free_pages - after.free_pages
    assert file.execute("SELECT COUNT(*) FROM t").fetchone() == (kept // 2 + kept % 2,)
    assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert path.stat().st_size == after.file_bytes


def test_between_any_two_steps_another_one_can_write(path):
    """Each pause finds the lock free, and is there after each step."""
    file = file_with_rows(path)
    file.execute("DELETE FROM t")
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    pauses, gone = [], []

    def pause(seconds):
        pauses.append(seconds)
        other.execute("INSERT INTO t VALUES (1)")

    shrink(file, gone.append, pause)
    assert len(pauses) == len(gone) >= 3
    assert min(pauses) > 0
    assert other.execute("SELECT COUNT(*) FROM t").fetchone() == (len(pauses),)


def test_a_file_with_nothing_to_give_is_left_alone(path):
    file = file_with_rows(path)
    shrink(file, lambda _pages: pytest.fail("a step"), lambda _seconds: pytest.fail("a pause"))


@pytest.mark.parametrize(
    ("pages", "took", "following"),
    [(64, 0.001, 128), (64, 0.01, 64), (64, 0.1, 32), (8, 5.0, 8), (MAX_STEP_PAGES, 0.0, MAX_STEP_PAGES)],
)
def test_a_step_is_as_long_as_no_tick_notices(pages, took, following):
    assert next_step(pages, took) == following


def test_a_file_that_was_made_otherwise_can_be_written_anew_and_shrinks_in_steps_from_then_on(path):
    file = file_with_rows(path, can_shrink=False)
    file.execute("DELETE FROM t WHERE rowid > 100")
    assert not Space.of(file).can_shrink
    rewrite(file, path)
    space = Space.of(file)
    assert (space.can_shrink, space.free_pages) == (True, 0)
    assert file.execute("SELECT COUNT(*) FROM t").fetchone() == (100,)
    assert path.stat().st_size == space.file_bytes < 400_000


def test_without_room_for_a_second_copy_it_is_left_as_it_is(path, monkeypatch):
    file = file_with_rows(path, can_shrink=False)
    monkeypatch.setattr(free_pages.shutil, "disk_usage", lambda _path: namedtuple("Usage", "free")(1000))
    with pytest.raises(SpaceError, match="not free on its disk"):
        rewrite(file, path)


def test_what_rows_take_is_about_their_share_of_the_table(path):
    file = file_with_rows(path)
    taken = bytes_of_rows(file, {"t": ROWS // 2})
    if taken is not None:  # a SQLite without dbstat
        assert taken == pytest.approx(Space.of(file).file_bytes / 2, rel=0.05)


class TestTheCommand:
    """On a file of its own, in the place of the tests' database."""

    @pytest.fixture
    def file(self, path, monkeypatch, settings, tmp_path):
        settings.SYSMON_DATA_DIR = tmp_path

        def use(*, can_shrink=True):
            file = file_with_rows(path, can_shrink=can_shrink)
            file.execute("DELETE FROM t WHERE rowid > 100")
            monkeypatch.setattr(prune.Command, "_file", lambda _self: file)
            used = SimpleNamespace(in_atomic_block=False, vendor="sqlite", settings_dict={"NAME": str(path)})
            monkeypatch.setattr(prune, "connection", used)
            return file

        return use

    def give_back(self):
        out = io.StringIO()
        prune.Command(stdout=out)._give_space_back()
        return out.getvalue()

    @only_on_sqlite("about its file")
    @pytest.mark.parametrize("can_shrink", [True, False])
    def test_it_says_what_went_back(self, file, can_shrink):
        opened = file(can_shrink=can_shrink)
        assert "MiB given back; the file has" in self.give_back()
        assert not Space.of(opened).has_enough_free

    @only_on_sqlite("about its file")
    def test_while_somebody_records_a_file_is_not_written_anew(self, file):
        opened = file(can_shrink=False)
        with hold_data_directory([WORKER]):
            assert "end `up`, then prune again" in self.give_back()
        assert not Space.of(opened).can_shrink

    @only_on_sqlite("about its file")
    def test_a_lock_that_is_held_for_long_is_one_line(self, db, monkeypatch):
        def fail(_self):
            raise sqlite3.OperationalError("database is locked")

        monkeypatch.setattr(prune.Command, "_give_space_back", fail)
        with pytest.raises(CommandError, match="cannot be used: database is locked"):
            call_command("prune", stdout=io.StringIO())

    @only_on_postgresql("about its VACUUM")
    @pytest.mark.django_db(transaction=True)
    def test_postgresql_is_vacuumed(self):
        out = io.StringIO()
        call_command("prune", stdout=out)
        assert "vacuumed: PostgreSQL uses the space" in out.getvalue()
