"""A terminal that does not know every character, as in the locales of old systems."""

import os
import subprocess
import sys

import pytest

from tests.source import ROOT

TEXT = "Größe … 日本語 ─"
COMMAND = f"import manage; manage.run = lambda: print({TEXT!a}); manage.main()"


def printed(**environ):
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **environ}
    return subprocess.run([sys.executable, "-c", COMMAND], cwd=ROOT, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("latin-1", "Größe ? ??? ?".encode("latin-1")),
        ("latin-1:strict", "Größe ? ??? ?".encode("latin-1")),
        ("ascii", b"Gr??e ? ??? ?"),
        ("euc-kr", "Gr?ße … 日本語 ─".encode("euc-kr")),
        ("koi8-r", "Gr??e ? ??? ─".encode("koi8-r")),
        ("utf-8", TEXT.encode()),
    ],
)
def test_what_it_does_not_know_is_a_question_mark(encoding, shown):
    done = printed(PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines() == [shown]


def test_the_plain_locale_of_a_container_is_no_reason_to_fail():
    done = printed(LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"Gr??e ?")
