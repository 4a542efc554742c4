"""A file that is damaged, removed or replaced while it is used: a new one is begun, and what can be read is saved."""

import contextlib
import io
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, connections

from metrics.models import ApiToken, Host, Recorder, RollUpState, Tick
from metrics.models.events import Event
from metrics.recording import writing
from metrics.recording.recording import this_host
from metrics.recording.writing import TickRecord, TickWriter
from metrics.storage import recovery, saved_history
from metrics.storage.commit_watch import CommitWatch
from metrics.storage.damage import damage_in
from metrics.storage.damage_report import report_damage, reported_damage
from metrics.storage.incidents import Kind, incidents
from metrics.storage.locks import PARTS, hold_data_directory
from metrics.storage.new_file import history_tables
from metrics.storage.saved_history import save_history
from tests.conftest import FIRST_TICK, RecordedHost
from tests.skips import only_on_sqlite

pytestmark = [pytest.mark.django_db, only_on_sqlite("about its file")]

PAGE_BYTES = 4096
TICKS = 60
GARBAGE = b"\xa5"


@contextlib.contextmanager
def database(file):
    """A file as the database of this thread."""
    own = connections["default"]
    other = own.copy()
    other.settings_dict["NAME"] = file
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = own


@pytest.fixture(scope="module")
def recorded_file(tmp_path_factory, django_db_blocker):
    """A file with a user, a token, a group's member and ticks, of which none was rolled up yet."""
    file = tmp_path_factory.mktemp("recorded") / "sysmon.sqlite3"
    with django_db_blocker.unblock(), database(file):
        call_command("migrate", verbosity=0, interactive=False)
        user = User.objects.create_user("ada", password="pw")
        user.groups.set(Group.objects.all())
        token = ApiToken(user=user, name="t")
        token.draw_secret()
        token.save()
        host = RecordedHost("test-host")
        for number in range(TICKS):
            rows = [{"pid": 100 + place, "cpu_percent": 1.0} for place in range(10)]
            host.tick(FIRST_TICK + 5 * number, cpu={"percent": number}, process=rows)
        RollUpState.objects.create(host=host.host, last_tick=TICKS - 10)
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def file(recorded_file, tmp_path, settings, db):
    """A copy of it in a data directory of its own."""
    settings.SYSMON_DATA_DIR = tmp_path / "data"
    settings.SYSMON_DATA_DIR.mkdir(mode=0o700)
    copy = settings.SYSMON_DATA_DIR / "sysmon.sqlite3"
    shutil.copyfile(recorded_file, copy)
    copy.chmod(0o600)
    with database(copy):
        yield copy


@pytest.fixture
def recorder(file, monkeypatch):
    """What the recorder of this process knows of the file, which it uses."""
    monkeypatch.setattr(recovery, "RETRY_SECONDS", 0.0)
    own = recovery.FileRecovery()
    monkeypatch.setattr(writing, "usable_file", own.usable_file)
    look(own)
    yield own
    if own._witness is not None:
        own._witness.connection.close()


def look(recorder):
    with recorder.usable_file() as changes:
        return changes


def overwrite(file, page, data=GARBAGE * PAGE_BYTES, pages=1):
    with file.open("r+b") as stream:
        stream.seek((page - 1) * PAGE_BYTES)
        stream.write(data * pages)


def root_of(file, name):
    with contextlib.closing(sqlite3.connect(file)) as opened:
        return opened.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name]).fetchone()[0]


def rows(file, statement):
    with contextlib.closing(sqlite3.connect(file)) as opened:
        return opened.execute(statement).fetchall()


def can_list_tables(file):
    try:
        return bool(rows(file, "SELECT name FROM sqlite_master"))
    except sqlite3.DatabaseError:
        return False


def kept(file, word="damaged"):
    found = [path for path in file.parent.glob(f"{file.name}.{word}-*") if not path.name.endswith(("-wal", "-shm"))]
    return found[0] if found else None


def test_a_sound_file_stays(recorder, file):
    before = file.stat().st_ino
    assert look(recorder) == 0
    assert (file.stat().st_ino, incidents(file), kept(file)) == (before, [], None)


@pytest.mark.parametrize("table", ["metrics_tick", "metrics_cpusample", "metrics_processsample", "process_sample_line"])
def test_nobody_is_locked_out_by_a_damaged_page_of_the_history(recorder, file, table):
    overwrite(file, root_of(file, table))
    damaged = file.read_bytes()
    report_damage(file, "said a reader")
    assert look(recorder) == 1
    assert kept(file).read_bytes() == damaged
    assert damage_in(file, None, thorough=True) is None
    assert User.objects.get(username="ada").check_password("pw")
    assert (ApiToken.objects.count(), User.objects.get().groups.count(), Host.objects.count()) == (1, 1, 1)
    assert (reported_damage(file), [found.kind for found in incidents(file)]) == (None, [Kind.DAMAGE])
    assert "new one is begun" in incidents(file)[0].reason


# Of a file of some 140 pages: the header, tables and indexes of each kind, what is in the middle and at the end.
PAGES = [1, 2, 4, 7, 12, 20, 33, 47, 64, 80, 95, 101, 108, 115, 122, 129]


@pytest.mark.parametrize("page", PAGES)
def test_wherever_the_damage_is_a_sound_file_follows_with_what_is_elsewhere(recorder, file, page):
    tables = ["auth_user", "metrics_host", *history_tables()]
    before = {name: set(rows(file, f"SELECT * FROM {name}")) for name in tables}
    overwrite(file, page)
    lists_tables = can_list_tables(file)
    report_damage(file, "said a reader")
    is_damaged = damage_in(file, None, thorough=True) is not None
    assert look(recorder) == is_damaged
    save_history(None)
    assert damage_in(file, None, thorough=True) is None
    assert rows(file, "PRAGMA foreign_key_check") == []
    now = {name: set(rows(file, f"SELECT * FROM {name}")) for name in tables}
    assert all(now[name] <= before[name] for name in tables if name != "metrics_host")
    if page != 1:
        # What else the row of a host held is found out anew, under its id and its name.
        assert rows(file, "SELECT id, name FROM metrics_host") == [(1, "test-host")]
        before["metrics_host"] = now["metrics_host"]
    # A page belongs to one table, but for those that list the tables.
    assert len([name for name in tables if now[name] != before[name]]) <= 1 or not lists_tables
    assert write(recorder) > 0


@pytest.mark.parametrize("has_index", [True, False], ids=["by the index", "without the index"])
def test_hosts_whose_rows_are_gone_keep_their_history(recorder, file, has_index):
    RecordedHost("other-host").tick(FIRST_TICK, cpu={"percent": 7})
    index = root_of(file, "sqlite_autoindex_metrics_host_1")
    overwrite_checkpointed(file, root_of(file, "metrics_host"))
    if not has_index:
        overwrite(file, index)
    report_damage(file, "said a reader")
    assert look(recorder) == 1
    save_history(None)
    names = {name for (name,) in rows(file, "SELECT name FROM metrics_host")}
    # Which of two is this machine nobody can tell then.
    assert names == ({"test-host", "other-host"} if has_index else {"unreadable-1", "unreadable-2"})
    assert rows(file, "SELECT COUNT(DISTINCT host_id) FROM metrics_tick") == [(2,)]


def overwrite_checkpointed(file, page):
    with connections["default"].cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(file, page)


@pytest.fixture
def file_of_many_ticks(file):
    """The one above with as many ticks as a day has, which is most of it: its tables are listed at its beginning."""
    columns = "host_id, timestamp, resolution, lag_milliseconds, duration_milliseconds"
    with contextlib.closing(sqlite3.connect(file)) as opened, opened:
        opened.execute(
            f"INSERT INTO metrics_tick ({columns}) WITH RECURSIVE later(number) AS"
            " (SELECT 1 UNION ALL SELECT number + 1 FROM later WHERE number < 17280)"
            " SELECT host_id, timestamp + number * 5, resolution, lag_milliseconds, duration_milliseconds"
            " FROM later, (SELECT * FROM metrics_tick ORDER BY id DESC LIMIT 1)"
        )
    return file


def test_after_a_file_was_cut_its_users_and_what_was_before_the_cut_are_there(file_of_many_ticks, recorder, file):
    before = set(rows(file, "SELECT id, timestamp FROM metrics_tick"))
    os.truncate(file, file.stat().st_size // PAGE_BYTES * 3 // 4 * PAGE_BYTES)
    report_damage(file, "said a reader")
    assert look(recorder) == 1
    assert User.objects.get(username="ada").check_password("pw")
    assert (ApiToken.objects.count(), Host.objects.get().name) == (1, "test-host")
    save_history(None)
    saved = set(rows(file, "SELECT id, timestamp FROM metrics_tick"))
    assert len(before) // 2 < len(saved) < len(before)
    assert saved < before
    assert damage_in(file, None, thorough=True) is None
    assert write(recorder) > 0


def test_after_the_list_of_its_tables_was_cut_off_recording_goes_on(recorder, file):
    os.truncate(file, file.stat().st_size * 3 // 4)
    report_damage(file, "said a reader")
    assert look(recorder) == 1
    save_history(None)
    assert damage_in(file, None, thorough=True) is None
    assert write(recorder) > 0


def write(recorder):
    """Store a tick as the recorder does, and return its id."""
    host = this_host()
    writer = TickWriter(host, this_host)
    assert writer.write(TickRecord(int(time.time()), 5, 0.0, 0.01, []))
    return Tick.objects.filter(host=writer.host).order_by("-id").first().pk


def test_new_ticks_get_ids_behind_the_old_ones_which_are_rolled_up_again(recorder, file):
    overwrite(file, root_of(file, "process_sample_line"))
    report_damage(file, "said a reader")
    look(recorder)
    first = write(recorder)
    assert first == TICKS + 1
    RollUpState.objects.update(last_tick=first)
    assert save_history(None) > TICKS
    assert Tick.objects.count() == TICKS + 1
    assert RollUpState.objects.get().last_tick == TICKS - 10
    [incident] = incidents(file)
    assert (incident.left, incident.unreadable_rows, incident.finished_at is not None) == ({}, 0, True)
    assert save_history(None) == 0


def test_saving_goes_on_where_it_was(recorder, file, monkeypatch):
    monkeypatch.setattr(saved_history, "CHUNK_ROWS", 7)
    overwrite(file, root_of(file, "process_sample_line"))
    report_damage(file, "said a reader")
    look(recorder)
    turns, saved = 0, 0
    while any(incident.left for incident in incidents(file)):
        saved += save_history(0.005)
        turns += 1
        assert turns < 1000
    assert turns > 1
    assert saved == sum(len(rows(file, f"SELECT 1 FROM {name}")) for name in history_tables())


def test_a_file_that_was_removed_is_begun_anew_with_its_users_and_without_its_history(recorder, file):
    for ending in ("", "-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)
    assert look(recorder) == 1
    assert User.objects.get().check_password("pw")
    assert (Tick.objects.count(), write(recorder)) == (0, TICKS + 1)
    assert [found.kind for found in incidents(file)] == [Kind.REPLACED]
    assert save_history(None) == 0


def test_a_directory_that_was_moved_is_made_again_and_what_was_moved_stays_as_it_is(recorder, file):
    moved = file.parent.rename(file.parent.with_name("moved"))
    assert look(recorder) == 1
    assert (file.parent.stat().st_mode & 0o777, User.objects.count()) == (0o700, 1)
    assert damage_in(moved / file.name) is None
    write(recorder)
    assert len(rows(moved / file.name, "SELECT 1 FROM metrics_tick")) == TICKS
    recorder._held_again.close()


@pytest.mark.parametrize("endings", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_what_is_only_in_a_log_that_was_removed_is_not_lost(recorder, file, endings):
    known = write(recorder)
    assert Path(f"{file}-wal").stat().st_size > 0
    for ending in endings:
        Path(f"{file}{ending}").unlink()
    assert look(recorder) == 1
    connections["default"].close()
    assert Tick.objects.filter(pk=known).exists()
    assert Tick.objects.count() == TICKS + 1
    assert damage_in(file, None, thorough=True) is None


def test_a_log_that_was_cut_costs_what_was_in_it_and_no_more(recorder, file):
    write(recorder)
    os.truncate(f"{file}-wal", 0)
    connections["default"].close()
    with pytest.raises(DatabaseError):
        list(Tick.objects.all())
    assert reported_damage(file) is not None
    assert look(recorder) == 1
    assert Tick.objects.count() == TICKS
    assert kept(file) is not None


def replacement(kind, recorded_file, tmp_path):
    new = tmp_path / "new"
    if kind == "text":
        new.write_text("this is no database\n" * 500)
    elif kind == "empty":
        new.touch()
    elif kind == "damaged":
        shutil.copyfile(recorded_file, new)
        overwrite(new, root_of(new, "metrics_tick"))
    else:
        shutil.copyfile(recorded_file, new)
        with contextlib.closing(sqlite3.connect(new)) as opened, opened:
            # The same name under another id, and an id that is another host's.
            opened.execute("UPDATE metrics_host SET name = 'other'")
            opened.execute("UPDATE auth_user SET username = 'eve'")
            if kind == "newer":
                opened.execute("INSERT INTO django_migrations VALUES (999, 'metrics', '9999_later', '2026-01-01')")
    new.chmod(0o600)
    return new


@pytest.mark.parametrize("kind", ["text", "empty", "damaged"])
def test_what_cannot_be_used_in_the_place_of_the_file_is_set_aside(recorder, file, recorded_file, tmp_path, kind):
    new = replacement(kind, recorded_file, tmp_path)
    content = new.read_bytes()
    new.replace(file)
    assert look(recorder) == 1
    assert kept(file).read_bytes() == content
    assert User.objects.get().username == "ada"
    assert write(recorder) > 0


def test_another_database_in_its_place_is_used_under_the_ids_that_it_has(recorder, file, recorded_file, tmp_path):
    writer = TickWriter(this_host(), this_host)
    assert writer.write(TickRecord(FIRST_TICK - 10, 5, 0.0, 0.01, []))
    replacement("other", recorded_file, tmp_path).replace(file)
    assert writer.write(TickRecord(FIRST_TICK - 5, 5, 0.0, 0.01, []))
    assert User.objects.get().username == "eve"
    assert Tick.objects.get(timestamp=FIRST_TICK - 5).host.name == "test-host"
    assert (Tick.objects.filter(host__name="other").count(), kept(file)) == (TICKS, None)


def test_a_newer_database_is_left_alone_and_said_to_be_one(recorder, file, recorded_file, tmp_path):
    new = replacement("newer", recorded_file, tmp_path)
    content = new.read_bytes()
    new.replace(file)
    for _time in range(2):
        with pytest.raises(OperationalError, match=r"newer sysmon.*9999_later"):
            look(recorder)
    assert (file.read_bytes(), kept(file)) == (content, None)
    shutil.copyfile(recorded_file, tmp_path / "right")
    (tmp_path / "right").replace(file)
    assert look(recorder) == 1


def test_what_a_fresh_look_does_not_find_is_no_damage(recorder, file):
    before = file.stat().st_ino
    report_damage(file, "said a reader")
    assert look(recorder) == 0
    assert (file.stat().st_ino, reported_damage(file), incidents(file)) == (before, None, [])


def test_the_third_damage_within_a_day_is_the_last(recorder, file):
    for _time in range(2):
        overwrite(file, root_of(file, "metrics_tick"))
        report_damage(file, "said a reader")
        look(recorder)
    overwrite(file, root_of(file, "metrics_tick"))
    report_damage(file, "said a reader")
    for _time in range(2):
        with pytest.raises(OperationalError, match=r"3\. time within a day: nothing is stored any more"):
            look(recorder)
    assert len(incidents(file)) == 3
    assert len([path for path in file.parent.iterdir() if "damaged-" in path.name and path.name.endswith("Z")]) >= 1
    assert file.exists()


def test_where_there_is_no_room_nothing_is_changed_and_it_is_tried_again(recorder, file, monkeypatch):
    overwrite(file, root_of(file, "metrics_tick"))
    report_damage(file, "said a reader")
    damaged = file.read_bytes()

    def fails(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("metrics.storage.new_file._sync", fails)
        with pytest.raises(OperationalError, match="No space left"):
            look(recorder)
    assert (file.read_bytes(), kept(file)) == (damaged, None)
    assert look(recorder) == 1


def test_whoever_reads_reports_damage_and_opens_the_new_file_by_itself(recorder, file):
    watch = CommitWatch()
    mark = watch.mark()
    overwrite(file, root_of(file, "metrics_cpusample"))
    connections["default"].close()
    with connections["default"].cursor() as cursor, pytest.raises(DatabaseError):
        cursor.execute("SELECT SUM(percent) FROM metrics_cpusample").fetchall()
    assert "malformed" in reported_damage(file)
    reader = connections["default"].copy()
    with reader.cursor() as cursor:
        cursor.execute("SELECT 1")
    opened = reader.opened
    assert look(recorder) == 1
    with reader.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM metrics_cpusample")
    assert reader.opened != opened
    reader.close()
    assert watch.mark() not in {None, mark}
    watch._own.close()


def test_who_only_reads_makes_no_file_in_the_place_of_one_that_was_removed(file):
    list(User.objects.all())
    for ending in ("", "-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)
    assert User.objects.count() == 1
    connections["default"].close()
    with pytest.raises(OperationalError, match="was removed"):
        User.objects.count()
    assert not file.exists()


def repair(*arguments):
    said = io.StringIO()
    call_command("repair", *arguments, stdout=said)
    return said.getvalue()


def test_repair_brings_over_what_a_damaged_database_still_holds_while_nothing_runs(file):
    ticks = set(rows(file, "SELECT id, timestamp FROM metrics_tick"))
    overwrite(file, root_of(file, "metrics_cpusample"))
    said = " ".join(repair().split())
    assert set(rows(file, "SELECT id, timestamp FROM metrics_tick")) == ticks
    saved = sum(len(rows(file, f"SELECT 1 FROM {name}")) for name in history_tables())
    assert f"{saved} rows of the history were saved; " in said
    assert "could not be read" in said
    assert str(kept(file)).replace("/", "") in said.replace(" ", "").replace("/", "")
    assert (User.objects.get().username, damage_in(file, None, thorough=True)) == ("ada", None)
    assert [found.kind for found in incidents(file)] == [Kind.DAMAGE]
    # It may be done again, for all of them or for one.
    assert "0 rows of the history were saved" in repair()
    assert "0 rows of the history were saved" in repair(str(kept(file)))


def test_repair_of_a_sound_database_says_so_and_changes_nothing(file):
    content = file.read_bytes()
    assert "is sound, and no damaged file was set aside" in repair()
    assert file.read_bytes() == content


@pytest.mark.parametrize("part", PARTS)
def test_repair_leaves_a_damaged_database_alone_while_a_part_runs(file, part):
    overwrite(file, root_of(file, "metrics_cpusample"))
    damaged = file.read_bytes()
    with hold_data_directory([part]), pytest.raises(CommandError, match="uses the data directory"):
        repair()
    assert (file.read_bytes(), kept(file)) == (damaged, None)


def test_repair_refuses_what_is_not_there_and_the_file_of_another_database(file, recorded_file, tmp_path):
    with pytest.raises(CommandError, match="is not there"):
        repair(str(tmp_path / "none"))
    with pytest.raises(CommandError, match="other rows under the ids"):
        repair(str(replacement("other", recorded_file, tmp_path)))
    (tmp_path / "text").write_text("this is no database\n" * 500)
    with pytest.raises(CommandError, match="nothing can be brought over"):
        repair(str(tmp_path / "text"))


def test_what_happened_is_an_event_once(recorder, file):
    overwrite(file, root_of(file, "metrics_cpusample"))
    report_damage(file, "said a reader")
    writer = TickWriter(this_host(), this_host)
    for number in range(2):
        assert writer.write(TickRecord(int(time.time()) + number, 5, 0.0, 0.01, []))
        writer = TickWriter(this_host(), this_host)
    [event] = Event.objects.filter(kind__in=("damage", "file_replaced"))
    assert (event.kind, event.severity, event.details["kept_as"]) == ("damage", "critical", kept(file).name)
    assert event.title == incidents(file)[0].reason
    assert str(file.parent) not in event.title


def test_who_records_is_said_in_the_new_file_too(recorder, file):
    writer = TickWriter(this_host(), this_host)
    writer.recorder = {"host": writer.host.pk, "pid": 7, "taken_over_at": 5.0, "machine_id": ""}
    assert writer.write(TickRecord(FIRST_TICK - 10, 5, 0.0, 0.01, []))
    for ending in ("", "-wal", "-shm"):
        Path(f"{file}{ending}").unlink(missing_ok=True)
    assert writer.write(TickRecord(FIRST_TICK - 5, 5, 0.0, 0.01, []))
    assert list(Recorder.objects.values_list("host", "pid")) == [(writer.host.pk, 7)]
