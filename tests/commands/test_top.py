"""`manage.py top`: the process table for now, a moment, a range, or the worst episode."""

import io
import json
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from metrics.management.commands import top as command
from metrics.models import CollectorState, ProcessSample, ProcessTotals, Tick
from metrics.retention.rollup import roll_up
from tests.conftest import FIRST_TICK

# In Seoul it is 02:10 of the 23rd at the first tick.
HOSTILE = "\x1b[31m\u202eevil\x9b2J\n[/]"


@pytest.fixture(autouse=True)
def here(settings, monkeypatch):
    """A terminal of 80 columns in Seoul, ten minutes after the first tick."""
    settings.TIME_ZONE = "Asia/Seoul"
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(time, "time", lambda: FIRST_TICK + 600.0)


@pytest.fixture
def busy(recorded):
    """Five minutes of ticks: `steady` always, `burst` in half a minute of them."""
    for number in range(60):
        is_high = 30 <= number < 36
        burst = {"pid": 7, "name": "burst", "cpu_percent": 380.0, "rss_bytes": 2048 * 1024, "threads": 2}
        steady = {"pid": 8, "name": "steady", "cpu_percent": 5.0, "rss_bytes": 9 * 1024**2, "username": None}
        recorded.tick(
            FIRST_TICK + 5 * number,
            cpu={"percent": 95.0 if is_high else 4.0},
            memory={"percent": 30.0 + number / 100},
            processes={"total": 212},
            process=[*([burst] if is_high else []), steady],
        )
    return recorded


def top(*arguments):
    out = io.StringIO()
    call_command("top", *arguments, stdout=out)
    return out.getvalue()


def names(text):
    return [name for line in text.splitlines() for name in ("burst", "steady") if name in line]


class TestTable:
    def test_it_shows_the_newest_tick_and_says_how_old_it_is(self, busy):
        text = top()
        assert "test-host  2026-11-23 02:14:55+09:00 (5 min 5 s ago)  over 5 s  212 processes" in text
        assert names(text) == ["steady"]

    def test_it_says_what_is_not_seen_of_the_processes_now(self, busy):
        CollectorState.objects.update(message="only 3 processes are seen\x1b[2J")
        assert "\nonly 3 processes are seen\\x1b[2J\n" in top()
        assert "only 3 processes" not in top("--at", "02:12:31")

    def test_a_new_tick_has_no_age(self, busy, monkeypatch):
        monkeypatch.setattr(time, "time", lambda: FIRST_TICK + 297.0)
        assert "ago" not in top()

    @pytest.mark.parametrize(
        "at",
        [
            *("02:12:31", "today 02:12:31", "2:12:31 am", "monday 02:12:31", "449 seconds ago", "-7m29s"),
            *("1795367551", "2026-11-23 02:12:31", "2026-11-22T17:12:31Z", "2026-11-22T17:12:31+00"),
        ],
    )
    def test_at_goes_back_to_a_moment_in_local_time(self, busy, at):
        text = top(f"--at={at}")
        assert "2026-11-23 02:12:30+09:00  over 5 s" in text
        assert names(text) == ["burst", "steady"]
        assert "380.0 %" in text

    def test_a_moment_of_which_only_a_roll_up_is_left_says_so(self, busy):
        roll_up(busy.host)
        for model in (ProcessSample, ProcessTotals):
            model.objects.filter(tier=0).delete()
        Tick.objects.all().delete()
        text = top("--at", "02:12:31")
        assert "2026-11-23 02:12:00+09:00  over 1 min" in text
        assert names(text) == ["burst", "steady"]

    def test_a_range_has_cpu_time_peak_memory_and_when_it_was_seen(self, busy):
        text = top("--from", "02:12", "--to", "02:12:59")
        assert "2026-11-23 02:12:00+09:00 to 2026-11-23 02:12:59+09:00" in text
        assert "1 min recorded  212 processes at the most" in text
        row = next(line for line in text.splitlines() if "burst" in line)
        assert [part.strip() for part in row.split("  ") if part.strip()] == [
            *("7", "190.0 %", "1 min 54 s", "2.0 MiB", "02:12:30", "02:12:55", "burst"),
        ]

    @pytest.mark.parametrize("arguments", [["--at", "02:20"], ["--from", "02:20"]], ids=" ".join)
    def test_the_cpu_is_that_of_a_process_with_its_ended_children(self, recorded, arguments):
        loop = {"pid": 7, "name": "loop", "cpu_percent": 1.0, "children_cpu_percent": 80.0}
        other = {"pid": 8, "name": "other", "cpu_percent": 40.0}
        recorded.tick(FIRST_TICK + 600, processes={"total": 2}, process=[loop, other])
        rows = [line for line in top(*arguments).splitlines() if "loop" in line or "other" in line]
        assert [row.split()[-1] for row in rows] == ["loop", "other"]
        assert "81.0 %" in rows[0]
        assert "40.0 %" in rows[1]

    @pytest.mark.parametrize(
        "arguments",
        [["--last", "7m29s"], ["--from", "-7m29s"], ["--from=-7m29s"], ["--from", "-7m29s", "--to", "now"]],
        ids=" ".join,
    )
    def test_so_long_up_to_now_as_it_is_typed(self, busy, arguments, capsys):
        command.Command().run_from_argv(["manage.py", "top", "--limit", "5", *arguments])
        assert "2026-11-23 02:12:31+09:00 to 2026-11-23 02:20:00+09:00" in capsys.readouterr().out

    def test_a_night_goes_over_midnight(self, busy):
        assert "2026-11-22 23:00:00+09:00 to 2026-11-23 02:13:00+09:00" in top("--from", "23:00", "--to", "02:13")

    def test_the_end_may_be_later_today(self, busy):
        assert "02:12:00+09:00 to 2026-11-23 14:00:00+09:00" in top("--from", "02:12", "--to", "14:00")

    def test_a_range_may_be_open_at_either_end(self, busy):
        assert "to 2026-11-23 02:20:00+09:00" in top("--from", "02:12")
        assert "2026-11-23 02:10:00+09:00 to" in top("--to", "02:12")

    def test_a_day_as_the_end_is_the_end_of_that_day(self, busy):
        assert "to 2026-11-23 23:59:59+09:00" in top("--from", "2026-11-23", "--to", "2026-11-23")

    def test_times_of_several_days_have_the_day(self, busy):
        busy.tick(
            FIRST_TICK - 86_400, processes={"total": 1}, process=[{"pid": 8, "name": "steady", "cpu_percent": 1.0}]
        )
        text = top("--from", "2026-11-01")
        assert "11-22 02:10" in text
        assert "02:12:30" not in text

    @pytest.mark.parametrize(("order", "expected"), [("cpu", "burst"), ("memory", "steady"), ("io", "burst")])
    def test_sort_chooses_the_order(self, busy, order, expected):
        assert names(top("--at", "02:12:31", "--sort", order))[0] == expected

    def test_limit_is_how_many_rows(self, busy):
        assert names(top("--at", "02:12:31", "--limit", "1")) == ["burst"]

    def test_another_host_can_be_looked_at(self, busy, other_host):
        other_host.tick(processes={"total": 3}, process=[{"pid": 9, "name": "there", "cpu_percent": 1.0}])
        text = top("--host", "other-host")
        assert "other-host" in text
        assert "there" in text

    def test_a_tick_without_processes_says_so(self, recorded):
        recorded.tick(processes={"total": 3})
        assert "no process used anything" in top()


class TestPeak:
    def test_it_goes_to_the_worst_episode_and_says_which_it_is(self, busy):
        lines = top("--peak").splitlines()
        assert lines[0] == "highest cpu percent: 95.0 % at 2026-11-23 02:12:30+09:00, mean 95.0 %"
        assert "02:12:30+09:00 to 2026-11-23 02:12:59+09:00" in lines[1]
        assert names("\n".join(lines)) == ["burst", "steady"]

    def test_a_family_has_a_peak_and_an_order_of_its_own(self, busy):
        text = top("--peak", "memory")
        assert text.startswith("highest memory percent: 30.6 % at 2026-11-23 02:14:55+09:00")
        assert names(top("--peak", "memory", "--from", "02:12:30", "--to", "02:12:55"))[0] == "steady"

    def test_sort_beats_the_order_of_the_family(self, busy):
        assert names(top("--peak", "memory", "--from", "02:12:30", "--to", "02:12:55", "--sort", "cpu"))[0] == "burst"

    def test_it_looks_at_the_last_day_only(self, busy, monkeypatch):
        monkeypatch.setattr(time, "time", lambda: FIRST_TICK + 90_000.0)
        with pytest.raises(CommandError, match="nothing was recorded from 2026-11-23 03:10:00"):
            top("--peak")
        assert "highest" in top("--peak", "--from", "2026-11-22")

    def test_where_nothing_rose_it_says_so(self, recorded):
        for number in range(5):
            recorded.tick(FIRST_TICK + 5 * number, cpu={"percent": 4.0}, processes={"total": 1})
        with pytest.raises(CommandError, match="cpu never rose above what is usual from 2026-11-22 02:20:00"):
            top("--peak")


class TestJson:
    def test_it_is_the_answer_of_the_api(self, busy, api):
        assert json.loads(top("--json", "--limit", "10")) == api.get("/api/v1/metrics/processes").json()
        query = {"start": "2026-11-22T17:12:00Z", "end": "2026-11-22T17:13:00Z"}
        assert (
            json.loads(top("--json", "--from", "02:12", "--to", "02:13"))
            == api.get("/api/v1/metrics/processes", query).json()
        )

    def test_of_a_peak_it_is_the_answer_of_the_api(self, busy, api):
        assert json.loads(top("--json", "--peak")) == api.get("/api/v1/metrics/cpu/peaks", {"limit": 1}).json()


class TestTerminal:
    @pytest.fixture
    def hostile(self, recorded):
        process = {"pid": 7, "name": HOSTILE, "username": HOSTILE, "command": HOSTILE * 9, "cpu_percent": 1.0}
        for number in range(2):
            recorded.tick(
                FIRST_TICK + 5 * number, cpu={"percent": 9.0 * number}, processes={"total": 1}, process=[process]
            )
        return recorded

    @pytest.mark.parametrize("width", ["80", "200"])
    @pytest.mark.parametrize("arguments", [[], ["--from", "02:00"], ["--peak"], ["--json"]], ids=" ".join)
    def test_no_name_can_steer_it(self, hostile, monkeypatch, arguments, width):
        monkeypatch.setenv("COLUMNS", width)
        text = top(*arguments)
        assert all(character.isprintable() or character == "\n" for character in text)
        assert "31m" in text

    @pytest.mark.parametrize("width", [80, 120, 200])
    @pytest.mark.parametrize("arguments", [[], ["--from", "2026-11-01"]], ids=" ".join)
    def test_every_line_fits(self, recorded, monkeypatch, arguments, width):
        monkeypatch.setenv("COLUMNS", str(width))
        process = {"pid": 4_000_000, "name": "n" * 40, "username": "u" * 40, "command": "c" * 400}
        uses = dict.fromkeys(("read_bytes_per_second", "write_bytes_per_second"), 999_900_000.0)
        for moment in (FIRST_TICK, FIRST_TICK + 86_400):
            sample = {**process, **uses, "cpu_percent": 12_345.6, "rss_bytes": 1023 * 1024**2}
            recorded.tick(moment, processes={"total": 212}, process=[sample])
        lines = top(*arguments).splitlines()
        assert max(map(len, lines)) <= width
        assert any("4000000" in line and "12,345.6 %" in line and "nnnn" in line for line in lines)

    def test_the_command_is_there_where_there_is_room(self, busy, monkeypatch):
        assert "p8 --run" not in top()
        monkeypatch.setenv("COLUMNS", "200")
        assert "p8 --run" in top()

    def test_characters_of_double_width_are_cut_as_well(self, recorded):
        recorded.tick(processes={"total": 1}, process=[{"pid": 7, "name": "호스트" * 9, "cpu_percent": 1.0}])
        assert "호스트호스트호…" in top()


class TestErrors:
    def test_where_nothing_was_recorded_the_nearest_moment_is_named(self, busy):
        with pytest.raises(CommandError) as error:
            top("--at", "2026-11-20 12:00")
        assert str(error.value) == (
            "nothing was recorded at 2026-11-20 12:00:00+09:00; "
            "the nearest recorded moment is 2026-11-23 02:10:00+09:00"
        )
        assert error.value.returncode == 1
        with pytest.raises(CommandError, match="nearest recorded moment is 2026-11-23 02:14:55"):
            top("--from", "02:16", "--to", "02:20")

    def test_before_the_first_tick_it_says_what_to_do(self, db):
        with pytest.raises(CommandError, match="nothing has been recorded on this machine yet; `manage"):
            top()

    def test_ticks_without_processes_are_named(self, recorded):
        recorded.ticks(1)
        with pytest.raises(CommandError, match="no process was ever recorded on test-host"):
            top()

    def test_an_unknown_host_is_told_which_are_known(self, busy):
        with pytest.raises(CommandError, match="nothing was recorded for the host x; known hosts: test-host"):
            top("--host", "x")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--at", "02:10", "--from", "02:10"], "--at does not go with"),
            (["--at", "02:10", "--to", "02:10"], "--at does not go with"),
            (["--at", "02:10", "--peak"], "--at does not go with"),
            (["--from", "02:11", "--to", "02:10"], "--from is after --to"),
            (["--at", "soon"], "must be a time such as 03:12"),
            (["--at", "9999-12-31T23:59-14:00"], "must be a time such as 03:12"),
            (["--at", "12"], "must be a time such as 03:12"),
            (["--at", "tomorrow 12:00"], "must be a time such as 03:12"),
            (["--at", "2026-11-24 12:00"], "at 2026-11-24 12:00:00.09:00 lies in the future; the newest recorded"),
            (["--from", "2026-11-24"], "from 2026-11-24 00:00:00.09:00 lies in the future"),
            (["--last", "2h", "--from", "02:10"], "--last does not go with"),
            (["--last", "2h", "--at", "02:10"], "--last does not go with"),
            (["--last", "2h", "--peak", "--to", "02:10"], "--last does not go with"),
            (["--last", "120"], "must be a length of time such as 90m"),
            (["--last", "0s"], "must be longer than nothing"),
            (["--last", "999999999w"], "must be a length of time such as 90m"),
            (["--limit", "0"], "whole number from 1 to 100"),
            (["--limit", "101"], "whole number from 1 to 100"),
            (["--limit", "٣"], "whole number from 1 to 100"),
            (["--sort", "name"], "invalid choice"),
            (["--peak", "processes"], "invalid choice"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_what_makes_no_sense_is_refused_in_one_line(self, busy, arguments, message):
        with pytest.raises(CommandError, match=message) as error:
            top(*arguments)
        assert "\n" not in str(error.value)

    def test_a_database_that_cannot_be_used_is_one_line(self, busy, monkeypatch):
        def fail(_name):
            raise OperationalError("no such table: metrics_host")

        monkeypatch.setattr(command, "find_host", fail)
        with pytest.raises(CommandError, match="cannot be used: no such table"):
            top()


def test_the_help_has_examples():
    text = command.Command().create_parser("manage.py", "top").format_help()
    assert 'manage.py top --at "yesterday 03:12"' in text
    assert "TIME is local: 03:12 or 3am" in text
