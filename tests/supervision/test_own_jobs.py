"""What is said in the log of what was refused."""

from metrics.schedules import JOBS
from metrics.supervision.own_jobs import MAX_ENTRY_CHARACTERS, entry_of, package_for, package_of, refuse


def test_a_line_is_cut_and_what_steers_a_terminal_is_written_out(refused):
    refuse("\x1b[2J\r\nall is well " + "x" * 100_000, "the queue")
    [line] = refused()
    assert line.isprintable()
    assert r"\x1b[2J\x0d\x0a" in line
    assert len(line) < 300


def test_many_that_were_refused_at_once_are_one_line(refused):
    refuse("os.system", "the queue", 1000)
    refuse("os.system", "the queue")
    many, one = refused()
    assert "999 others" in many
    assert "others" not in one


def test_every_job_finds_its_way_through_a_queue():
    for job in JOBS:
        entry = entry_of(package_of(job))
        assert entry == job.func
        assert len(entry) < MAX_ENTRY_CHARACTERS
        assert package_for(entry)


def test_a_job_that_the_settings_do_not_ask_for_is_none(settings):
    settings.SYSMON_FORWARD_URL = ""
    assert package_for("metrics.tasks.forward") is None
