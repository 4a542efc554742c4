"""`manage.py collect`: look once, or record in the foreground."""

import io
import json
import time

import pytest
from django.core.management import CommandError, call_command

from metrics.models import CpuSample, Host, Process, Recorder, Tick
from metrics.recording import once, rivals
from metrics.recording.runner import Outcome, Run
from metrics.storage.locks import RECORDER, WORKER, hold_data_directory, lock_of
from tests.recording.fakes import Clock, ScriptedRunner, cpu_row, process_row, processes_reading
from tests.supervision.running import Up

HOSTILE = "\x1b[31m[/]"


@pytest.fixture
def machine(monkeypatch):
    """A frozen machine: two readings, ten seconds apart."""
    clock = Clock(100.0)
    runners = [
        ScriptedRunner("cpu", [{"cpu": [cpu_row(0, 100)]}, {"cpu": [cpu_row(5, 120)]}], clock),
        ScriptedRunner("disk", [ValueError("broken"), ValueError("broken")], clock),
        ScriptedRunner(
            "processes",
            [
                processes_reading(process_row(7, name=HOSTILE), process_row(8)),
                processes_reading(process_row(7, name=HOSTILE, cpu_seconds=4.0), process_row(8)),
            ],
            clock,
        ),
    ]
    monkeypatch.setattr(once, "runners", lambda: runners)
    monkeypatch.setattr(once.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(once, "look_once", once.look_once)
    monkeypatch.setattr(
        "metrics.management.commands.collect.look_once", lambda: once.look_once(lambda _: clock.sleep(5))
    )


def collect(*arguments):
    out = io.StringIO()
    call_command("collect", *arguments, stdout=out)
    return out.getvalue()


class TestOnce:
    @pytest.fixture(autouse=True)
    def unknown_version(self, monkeypatch):
        """Whether the database is a newer one is asked by tests/storage/test_versions.py."""
        monkeypatch.setattr("metrics.management.commands.collect.check_version", lambda: None)

    def test_it_shows_a_table_of_every_family(self, machine):
        text = collect("--once")
        assert "test-host" in text
        assert "25.0 %" in text
        assert "disk: nothing here" in text
        assert "p8" in text

    def test_json_has_the_shape_of_the_newest_tick(self, machine):
        found = json.loads(collect("--once", "--json"))
        assert found["cpu"]["percent"] == 25.0
        assert found["disk"] is None
        assert [row["pid"] for row in found["processes"]["results"]] == [7, 8]
        assert found["processes"]["results"][0]["cpu_percent"] == 80.0
        assert found["timestamp"].endswith("Z")

    def test_json_cannot_steer_the_terminal_either(self, machine, monkeypatch):
        monkeypatch.setattr(
            "metrics.management.commands.collect.look_once", lambda: {"timestamp": 0, "x": "\x9b31m\u202e"}
        )
        assert collect("--once", "--json").isascii()

    def test_what_is_not_kept_by_name_is_listed(self, machine, monkeypatch):
        excluded = {"reason": "excluded", "setting": "SYSMON_EXCLUDE_MOUNTS", "count": 3, "names": ["/a\x1b[31m", "/b"]}
        summed = {"reason": "summed", "setting": "", "count": 1, "names": ["tap7"]}
        left_out = [{"what": "mounts", **excluded}, {"what": "interfaces", **summed}]
        found = {**once.look_once(lambda _seconds: None), "left_out": left_out}
        monkeypatch.setattr("metrics.management.commands.collect.look_once", lambda: dict(found))
        text = collect("--once")
        assert r"mounts not kept, by SYSMON_EXCLUDE_MOUNTS: /a\x1b[31m, /b, and 1 more" in text
        assert "interfaces only in the sum, as the 64 busiest are shown: tap7" in text
        assert json.loads(collect("--once", "--json"))["left_out"] == left_out

    def test_it_needs_no_database(self, machine):
        collect("--once")  # the db fixture is not there: a query would raise

    @pytest.mark.live
    @pytest.mark.parametrize("address", ["", "postgres://nobody:x@127.0.0.1:1/none"])
    def test_a_database_that_is_not_there_is_not_made_and_one_that_does_not_answer_is_left_alone(
        self, tmp_path, address
    ):
        here = Up(tmp_path / "data", DATABASE_URL=address)
        done = here.run("collect", "--once", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        assert "cpu" in json.loads(done.stdout)
        assert not (here.directory / "sysmon.sqlite3").exists()

    def test_a_hostile_name_cannot_steer_the_terminal(self, machine):
        text = collect("--once")
        assert "\x1b[31m" not in text
        assert "\\x1b[31m[/]" in text

    @pytest.mark.parametrize(
        "arguments", [["--json"], ["--once", "--interval", "5"], ["--once", "--duration", "5"]], ids=" ".join
    )
    def test_options_that_do_not_go_together_are_refused(self, arguments):
        with pytest.raises(CommandError):
            collect(*arguments)

    @pytest.mark.live
    def test_the_live_machine_has_every_family(self):
        found = json.loads(collect("--once", "--json"))
        assert found["cpu"]["percent"] >= 0
        assert found["memory"]["total_bytes"] > 0
        assert found["network"]["interfaces"]
        assert found["processes"]["results"]


@pytest.mark.parametrize("value", ["0", "61", "abc", "2.5", "-1", "\u0665"])
def test_an_interval_out_of_range_is_refused(value):
    with pytest.raises(CommandError, match="whole number from 1 to 60"):
        collect("--interval", value)


@pytest.mark.parametrize("value", ["0", "-5", "abc", "inf", "nan"])
def test_a_duration_that_is_none_is_refused(value):
    with pytest.raises(CommandError, match="above 0"):
        collect("--duration", value)


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_it_records_for_the_duration_and_notes_that_it_has_ended():
    text = collect("--interval", "1", "--duration", "0.2")
    assert "ticks recorded" in text
    assert Tick.objects.count() == CpuSample.objects.count() >= 1
    assert Process.objects.exists()
    assert Recorder.objects.get().released_at is not None


def test_it_is_refused_while_another_holds_the_data_directory(db):
    with hold_data_directory([WORKER]), pytest.raises(CommandError, match="uses the data directory"):
        collect("--duration", "1")


@pytest.mark.django_db(transaction=True)
def test_it_is_refused_while_a_run_of_this_data_directory_records():
    Host.objects.create(name="test-host")
    with lock_of(RECORDER), pytest.raises(CommandError, match="another recorder samples test-host now"):
        collect("--duration", "1")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("machine_id", "age_seconds", "released_at", "is_refused"),
    [
        ("another", 3, None, True),
        ("another", 3, 1, False),
        ("another", 300, None, False),
        ("", 3, None, False),
        ("own", 3, None, False),
    ],
)
def test_it_is_refused_while_another_machine_records_under_the_name(
    monkeypatch, machine_id, age_seconds, released_at, is_refused
):
    monkeypatch.setattr(rivals, "_noted_boot", None)
    own = rivals.recorder_id() if machine_id == "own" else machine_id
    host = Host.objects.create(name="test-host", machine_id=own)
    Recorder.objects.create(host=host, pid=1, taken_over_at=0, released_at=released_at)
    at = int(time.time()) - age_seconds
    Tick.objects.create(host=host, timestamp=at, resolution=5, lag_milliseconds=0, duration_milliseconds=0)
    monkeypatch.setattr("metrics.management.commands.collect.RecordingRun.run", lambda *_: 0)
    if is_refused:
        with pytest.raises(CommandError, match="another recorder samples test-host now"):
            collect("--duration", "1")
    else:
        assert "0 ticks recorded" in collect("--duration", "1")


def test_a_family_that_failed_is_null():
    assert once._point(Run("cpu", Outcome.FAILED, 0.0, 0.0), None, []) is None
