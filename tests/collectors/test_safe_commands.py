"""SYSMON_COMMANDS=safe: what is known to be harmless is shown, and nothing else."""

import shlex
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.collectors.safe_commands import safe_command
from tests.collectors.test_masking import KINDS, LINES, SLOWEST


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("python manage.py up", "python manage.py up"),
        ("python3 train.py --epochs 5 --lr 0.001", "python3 train.py --epochs 5 --lr 0.001"),
        ("/usr/bin/python3 -m http.server", "/usr/bin/python3 -m http.server"),
        ("node server.js --port=3000", "node server.js --port=3000"),
        ("java -Xmx2g -XX:+UseG1GC -jar app.jar", "java -Xmx2g -XX:+UseG1GC -jar app.jar"),
        ("gcc -O2 -Wall -Iinclude -c main.c -o main.o", "gcc -O2 -Wall -Iinclude -c main.c -o main.o"),
        ("tar -xzf a.tar.gz -C /tmp", "tar -xzf a.tar.gz -C /tmp"),
        ("sudo systemctl restart web", "sudo systemctl restart ***"),
        ("git push origin main", "git push *** ***"),
        ("git clone https://bob@example.org:8443/a.git", "git clone https://example.org:8443/***"),
        ("ssh -p 22 bob@host", "ssh -p 22 ***"),
        ("nginx: worker process", "nginx: worker process"),
        ("postgres: bob shop 10.0.0.5(4242) idle", "postgres: *** *** *** idle"),
        ("chrome --type=renderer --lang=en-US", "chrome --type=renderer --lang=en-US"),
        (
            "app --verbose --config /etc/app.conf --log-level=debug",
            "app --verbose --config /etc/app.conf --log-level=debug",
        ),
        ("sh -c ps aux | grep x > /tmp/out", "sh -c ps *** | grep *** > /tmp/out"),
        ("", ""),
    ],
)
def test_what_is_known_to_be_harmless_is_shown(line: str, shown: str) -> None:
    assert safe_command(line.split(" ")) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("mysql -p12345", "mysql -p***"),
        ("app 12345 hunter", "app *** ***"),
        ("app -phunter", "app -p***"),
        ("openssl passwd hunter", "openssl passwd ***"),
        ("curl https://hooks.example.org/services/T0/B0/x", "curl https://hooks.example.org/***"),
        ("app --unheard-of hunter", "app --unheard-of ***"),
        ("app --unheard-of=12345", "app --unheard-of=***"),
        ("app --pin 1234 --code=5678", "app --pin *** --code=***"),
        ("app --name q7Zx9Lm2Tb8Vn4Gh", "app --name ***"),
        ("app FOO=hunter", "app FOO=***"),
        ("up hunter", "up ***"),
        ("app restart", "app ***"),
        ("app --level hunter@2", "app --level ***"),
    ],
)
def test_what_only_looks_harmless_is_hidden(line: str, shown: str) -> None:
    assert safe_command(line.split(" ")) == shown


# A secret may look like a plain word, or like a number; but for a token that says itself what it is.
PLAIN = [line for line in KINDS + LINES if not any(part in line for part in ("eyJ", "s3crets3cret"))]


@pytest.mark.parametrize("secret", ["s3cret", "hunterword", "48151623"])
@pytest.mark.parametrize("line", PLAIN)
def test_no_secret_of_any_kind_is_shown(line: str, secret: str) -> None:
    line = line.replace("s3cret", secret)
    for arguments in (_split(line), ["sh", "-c", line], [line]):
        assert secret not in safe_command(arguments)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split(" ")


@given(st.lists(st.text(alphabet="ab1 -=/.:", max_size=12), max_size=6))
def test_what_is_shown_was_there(arguments: list[str]) -> None:
    given_text = " ".join(arguments)
    assert all(word.replace("***", "") in given_text for word in safe_command(arguments).split(" "))


@given(st.text(max_size=60))
def test_it_says_the_same_of_what_it_has_said(line: str) -> None:
    once = safe_command([line])
    assert safe_command(once.split(" ")) == once


@pytest.mark.parametrize("unit", [*SLOWEST, "--a=1 ", "-X", "a/", "a.", "1,", "https://a", "a.b.c ", "unix:/", "::"])
def test_a_text_of_four_times_the_length_takes_four_times_as_long(unit: str) -> None:
    shorter, longer = (_cpu_seconds(unit * (length // len(unit))) for length in (2_000, 8_000))
    assert longer < max(9 * shorter, 0.02)


def _cpu_seconds(text: str) -> float:
    measured = []
    for _attempt in range(3):
        began = time.thread_time()
        safe_command(text.split(" "))
        measured.append(time.thread_time() - began)
    return min(measured)
