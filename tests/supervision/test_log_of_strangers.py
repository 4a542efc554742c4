"""What a stranger can have the real program write into its log: bounded by the request, and by the minute."""

import re
import socket
import struct
from collections import Counter
from contextlib import suppress

import pytest

from sysmon_project.log import MAX_CHARACTERS_FROM_OUTSIDE, MAX_LINES
from tests.supervision.running import Up, eventually
from tests.supervision.test_raw_sockets import GET, HOST, NONSENSE

pytestmark = pytest.mark.live

TIMES = 12
LONG = b"a" * 60_000
END = b"Connection: close\r\n\r\n"
MAX_LINE_BYTES = 2 * MAX_CHARACTERS_FROM_OUTSIDE
LOST = struct.pack("ii", 1, 0)


def get(path, headers=HOST):
    return b"GET " + path + b" HTTP/1.1\r\n" + headers + END


def post(path, body, headers=b"", kind=b"application/x-www-form-urlencoded"):
    about = b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + headers + about + END + body


def part(number):
    return b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\nz\r\n' % number


REQUESTS = {
    "a long host": get(b"/api/v1/health", b"Host: " + LONG + b"\r\n"),
    "a long host of a page": get(b"/", b"Host: " + LONG + b"\r\n"),
    "a host of spaces": get(b"/", b"Host: a" + b" " * 60_000 + b"b\r\n"),
    "a host of bytes": get(b"/", b"Host: " + b"\xf0\x9f\x98\x80\x9b" * 10_000 + b"\r\n"),
    "a host that steers terminals": get(b"/", b"Host: a\t\x1b[2J\x9b\r\n"),
    "a foreign host": get(b"/nowhere", b"Host: evil.example\r\n"),
    "a long path": get(b"/" + LONG),
    "a long path of the API": get(b"/api/v1/" + LONG),
    "a long path of the admin": get(b"/admin/" + LONG),
    "a long path of a file": get(b"/static/" + LONG),
    "a form without a token": post(b"/admin/login/", b"a=b"),
    "a form without a token, long path": post(b"/admin/login/?next=" + LONG, b"a=b"),
    "a form with a wrong token": post(b"/admin/login/", b"csrfmiddlewaretoken=y", b"Cookie: sysmon_csrf=x\r\n"),
    "a form with two wrong tokens": post(
        b"/admin/login/", b"csrfmiddlewaretoken=" + b"y" * 32, b"Cookie: sysmon_csrf=" + b"x" * 32 + b"\r\n"
    ),
    "a long origin": post(b"/admin/login/", b"a=b", b"Origin: http://" + LONG + b"\r\n"),
    "a long cookie of a form": post(b"/admin/login/", b"a=b", b"Cookie: sysmon_csrf=" + LONG + b"\r\n"),
    "a language without a token": post(b"/language", b"language=xx"),
    "many files": post(
        b"/admin/login/", b"".join(map(part, range(300))) + b"--x--\r\n", b"", b"multipart/form-data; boundary=x"
    ),
    "a long session": get(b"/admin/", HOST + b"Cookie: sysmon_session=" + LONG + b"\r\n"),
    "a session of the API": get(b"/api/v1", HOST + b"Cookie: sysmon_session=a:b:c; messages=x\r\n"),
    "a long token": get(b"/api/v1", HOST + b"Authorization: Bearer " + LONG + b"\r\n"),
    "an unsigned token": get(b"/api/v1", HOST + b"Authorization: Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.\r\n"),
    "a refused sign-in": post(b"/api/v1/auth/token", b'{"username":"a","password":"b"}', b"", b"application/json"),
    "a long name": post(b"/api/v1/auth/token", b'{"username":"%s"}' % LONG, b"", b"application/json"),
    "a long refresh token": post(b"/api/v1/auth/refresh", b'{"refresh":"%s"}' % LONG, b"", b"application/json"),
    "NUL in a name": post(
        b"/api/v1/auth/token", b'{"username":"\\u0000\\ud800","password":"x"}', b"", b"application/json"
    ),
    "broken JSON": post(b"/api/v1/auth/token", b'{"user', b"", b"application/json"),
    "no method of a page": b"DELETE / HTTP/1.1\r\n" + HOST + END,
    "no method of the admin": b"DELETE /admin/login/ HTTP/1.1\r\n" + HOST + END,
    "no method of the API": b"DELETE /api/v1/metrics/cpu HTTP/1.1\r\n" + HOST + END,
    "a long parameter": get(b"/api/v1/metrics/cpu?limit=" + b"9" * 5000),
    "a long format": get(b"/api/v1/metrics/cpu?format=" + LONG),
    "a proxy's headers": get(b"/api/v1", HOST + b"X-Forwarded-For: " + b"\x9b2J" * 2000 + b"\r\nVia: 1.1 x\r\n"),
    "a page behind a proxy": get(
        b"/", HOST + b"Sec-Fetch-Site: same-origin\r\nReferer: https://evil.example/" + LONG + b"\r\n"
    ),
    **{f"raw: {name}": raw for name, raw in NONSENSE.items() if "CONNECT" not in name},
}  # fmt: skip
# Whoever sends these is gone before there is an answer.
CUT_OFF = {
    "a page": get(b"/"),
    "a long answer": get(b"/openapi.json"),
    "half of a form": post(b"/admin/login/", b"a=b")[:-2],
    "half of a sign-in": post(b"/api/v1/auth/token", b"{" * 5000, b"", b"application/json")[:-100],
    "many in a row": GET.join([b"", *[HOST + b"\r\n"] * 20]),
}


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Up(tmp_path_factory.mktemp("strangers") / "data", SYSMON_RATE_LOGIN="100000/min")
    running.start()
    assert eventually(lambda: len(running.ticks()) > 1, 10)
    yield running
    running.end_for_sure()


@pytest.fixture(scope="module")
def began(up):
    """Where the lines about strangers begin."""
    return len(up.log.read_bytes())


def send(up, raw, *, is_cut_off=False):
    with suppress(OSError), socket.create_connection(("127.0.0.1", up.port), timeout=0.5) as connection:
        connection.sendall(raw)
        if is_cut_off:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LOST)
        else:
            connection.recv(65_536)


def written(up, began):
    """What was written since; a new minute begins with what was left out of the one before."""
    return up.log.read_bytes()[began:]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_writes_little_and_the_same_again_nothing(up, began, name):
    lines = []
    for _ in range(MAX_LINES + 1 if name.startswith("raw: ") else TIMES):
        before = len(written(up, began))
        send(up, REQUESTS[name])
        lines += written(up, began)[before:].splitlines()
    assert max(map(len, lines), default=0) <= MAX_LINE_BYTES
    assert sum(b"were left out" not in line for line in lines) <= MAX_LINES


@pytest.mark.parametrize("name", CUT_OFF)
def test_a_client_that_hangs_up_writes_little(up, began, name):
    before = len(written(up, began))
    for _ in range(TIMES):
        send(up, CUT_OFF[name], is_cut_off=True)
    assert up.status("/api/v1/health") == 200
    assert len(written(up, began)) - before <= MAX_LINES * MAX_LINE_BYTES


def test_two_hundred_long_hosts_write_no_more(up, began):
    before = len(written(up, began))
    for number in range(200):
        send(up, get(b"/api/v1/health", b"Host: %d" % number + LONG + b"\r\n"))
    # Of two minutes, where one has just ended.
    assert len(written(up, began)) - before <= (2 * MAX_LINES + 1) * MAX_LINE_BYTES
    assert b"DisallowedHost" in written(up, began)


def test_all_of_it_is_lines_of_known_kinds_that_can_be_read_and_the_end_says_how_many_were_left_out(up, began):
    assert up.stop() == 0
    text = written(up, began).decode()
    lines = text.splitlines()
    assert "Traceback" not in text
    assert all(line.isprintable() for line in lines)
    assert max(len(line.encode()) for line in lines) <= MAX_LINE_BYTES
    kinds = Counter(re.match(r"[\d-]+ [\d:,]+ [A-Z]+ ([\w.]+): ", line)[1] for line in lines)
    assert len(text) < 60_000, kinds
    left_out = re.findall(r"DisallowedHost: (\d+) more lines", text)
    shown = kinds["django.security.DisallowedHost"] - len(left_out)
    assert shown + sum(map(int, left_out)) >= 200 + 6 * TIMES
