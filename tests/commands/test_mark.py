"""`manage.py mark`: an event by hand."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from metrics.management.commands import mark as mark_module
from metrics.models import Event
from tests.conftest import FIRST_TICK


def mark(*arguments):
    out = io.StringIO()
    call_command("mark", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def now(at_noon, settings):
    settings.TIME_ZONE = "UTC"
    return at_noon


def test_a_mark_is_an_event_of_now(api, recorded, now):
    assert mark("deployed 1.2").endswith("  deployed 1.2\n")
    [event] = api.get("/api/v1/events", {"kind": "mark"}).json()["results"]
    assert (event["title"], event["started_at"], event["ended_at"]) == (
        "deployed 1.2",
        "2026-11-22T17:10:02.000Z",
        None,
    )
    assert (event["severity"], event["culprits"]) == ("info", [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2026-11-22T17:09:00Z", -60), ("-2h", 2 - 7200), ("now", 2), (str(FIRST_TICK - 5), -5)],
)
def test_at_says_when_it_was(recorded, text, seconds):
    mark("it", f"--at={text}")
    assert Event.objects.get().started_at.timestamp() == FIRST_TICK + seconds


def test_a_moment_that_begins_with_a_minus_is_no_option(recorded, capsys):
    mark_module.Command().run_from_argv(["manage.py", "mark", "it", "--at", "-2h"])
    assert capsys.readouterr().out == "2026-11-22 15:10:02  it\n"


def test_the_same_said_twice_is_one_mark(recorded):
    for text in ("deployed 1.2", "deployed 1.2 ", "deployed 1.3"):
        mark(text, "--at=-1h")
    assert sorted(Event.objects.values_list("title", flat=True)) == ["deployed 1.2", "deployed 1.3"]


@pytest.mark.parametrize("text", ["", "   ", "two\nlines", "a\0b", "\x1b[2J", "x" * 501, "\udcff"])
def test_what_is_no_line_of_text_is_refused(recorded, text):
    with pytest.raises(CommandError, match="text") as refused:
        mark(text)
    assert "\n" not in str(refused.value)
    assert not Event.objects.exists()


@pytest.mark.parametrize("text", ["배포 1.2", "é" * 500, "100 % <b>done</b>"])
def test_any_script_is_text(recorded, text):
    mark(text)
    assert Event.objects.get().title == text


def test_what_has_not_happened_is_refused(recorded, now):
    with pytest.raises(CommandError, match="future"):
        mark("later", f"--at={now + 3600}")


def test_a_moment_that_is_none_is_one_line(recorded):
    with pytest.raises(CommandError, match="must be a time such as"):
        mark("it", "--at=quarter past")


def test_before_the_first_sample_it_says_what_to_do(db):
    with pytest.raises(CommandError, match=r"start .manage\.py up. first"):
        mark("deployed 1.2")


def test_a_database_that_does_not_answer_is_one_line(recorded, monkeypatch):
    def refuse(*_arguments):
        raise OperationalError("database is locked")

    monkeypatch.setattr(mark_module, "note_event", refuse)
    with pytest.raises(CommandError, match="cannot be used: database is locked"):
        mark("deployed 1.2")
