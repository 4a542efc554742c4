"""What no HTTP client would send, to the real web server: it answers or hangs up, and recording goes on."""

import itertools
import random
import re
import select
import socket
import threading
import time
from contextlib import suppress

import pytest

from metrics.supervision.granian_server import HEADER_TIMEOUT_SECONDS
from tests.supervision.running import Up, eventually

pytestmark = pytest.mark.live

HOST = b"Host: localhost\r\n"
GET = b"GET /api/v1/metrics/cpu HTTP/1.1\r\n"
ANSWER_BEGINS_WITHIN_SECONDS = 0.5
NONSENSE = {
    "nothing": b"",
    "a newline": b"\r\n",
    "NUL": b"\x00" * 100,
    "noise": random.Random(6).randbytes(5000),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/1.0": b"GET /api/v1 HTTP/1.0\r\n\r\n",
    "HTTP/9.9": b"GET / HTTP/9.9\r\n" + HOST + b"\r\n",
    "no host": GET + b"\r\n",
    "two hosts": GET + HOST + b"Host: evil.example\r\n\r\n",
    "a foreign host": GET + b"Host: evil.example\r\n\r\n",
    "a host of bytes": GET + b"Host: \xff\xfe\r\n\r\n",
    "a host with NUL": GET + b"Host: local\x00host\r\n\r\n",
    "a port of letters": GET + b"Host: localhost:http\r\n\r\n",
    "a method of its own": b"BREW /api/v1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long method": b"G" * 70_000 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "TRACE": b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute address": b"GET http://evil.example/api/v1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "broken UTF-8": b"GET /api/v1/metrics/cpu?host=%ff%fe%c0%80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "broken UTF-8 in the path": b"GET /%ff%fe/%c0%af HTTP/1.1\r\n" + HOST + b"\r\n",
    "raw bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the path": b"GET /api/v1/%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in a parameter": b"GET /api/v1/metrics/cpu?host=%00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a newline in the path": b"GET /api/v1/%0d%0aSet-Cookie:%20x HTTP/1.1\r\n" + HOST + b"\r\n",
    "dots": b"GET /../../../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n",
    "dots to a file": b"GET /static/../../manage.py HTTP/1.1\r\n" + HOST + b"\r\n",
    "coded dots to a file": b"GET /static/%2e%2e/%2e%2e/data/secret_key HTTP/1.1\r\n" + HOST + b"\r\n",
    "many slashes": b"GET " + b"/" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long path": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "too long a path": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a long query": b"GET /api/v1/metrics/cpu?" + b"x=1&" * 15_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "many headers": GET + HOST + b"".join(b"X-%d: 1\r\n" % n for n in range(5000)) + b"\r\n",
    "a huge header": GET + HOST + b"X-Huge: " + b"a" * 2_000_000 + b"\r\n\r\n",
    "a header without a name": GET + HOST + b": x\r\n\r\n",
    "a header without a colon": GET + HOST + b"nonsense\r\n\r\n",
    "a folded header": GET + HOST + b"X: a\r\n b\r\n\r\n",
    "NUL in a header": GET + HOST + b"X: a\x00b\r\n\r\n",
    "broken UTF-8 in a header": GET + HOST + b"Accept-Language: \xff\xfe\xc0\r\nCookie: \xff=\xfe\r\n\r\n",
    "a broken accept": GET + HOST + b"Accept: ;;;,,,q=;/*;q=x\r\n\r\n",
    "a broken authorization": GET + HOST + b"Authorization: Bearer \xff\xfe\r\n\r\n",
    "a token of dots": GET + HOST + b"Authorization: Bearer " + b"." * 20_000 + b"\r\n\r\n",
    "a negative length": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a length of letters": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Content-Length: ten\r\n\r\n",
    "an endless length": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 60 + b"\r\n\r\n",
    "two lengths": b"POST /admin/login/ HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /admin/login/ HTTP/1.1\r\n" + HOST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a broken chunk": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n",
    "an endless chunk": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST
    + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx\r\n",
    "an unknown coding": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, zlib\r\n\r\nx",
    "deep JSON": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST
    + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000,
    "broken form": b"POST /admin/login/ HTTP/1.1\r\n" + HOST
    + b"Content-Type: multipart/form-data; boundary=\xff\r\nContent-Length: 10\r\n\r\n0123456789",
    "a form without a boundary": b"POST /admin/login/ HTTP/1.1\r\n" + HOST
    + b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc",
    "a form in a strange charset": b"POST /admin/login/ HTTP/1.1\r\n" + HOST
    + b"Content-Type: application/x-www-form-urlencoded; charset=zlib\r\nContent-Length: 3\r\n\r\na=b",
    "many fields": b"POST /admin/login/ HTTP/1.1\r\n" + HOST
    + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 40000\r\n\r\n" + b"x=1&" * 10_000,
    "an upgrade": GET + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "an expectation": b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST
    + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "a range": GET + HOST + b"Range: bytes=0-0,1-1,5-,-9999999999999999999\r\n\r\n",
    "strange conditions": GET + HOST + b"If-None-Match: \"\xff, W/,,\r\nIf-Modified-Since: never\r\n\r\n",
    "a method in a header": GET + HOST + b"X-HTTP-Method-Override: DELETE\r\n\r\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Up(tmp_path_factory.mktemp("raw") / "data", SYSMON_RATE_LOGIN="100000/min")
    running.start()
    assert eventually(lambda: len(running.ticks()) > 1, 10)
    yield running
    running.end_for_sure()


@pytest.fixture(scope="module", autouse=True)
def parts(up):
    """Its processes, before anything is sent."""
    return up.processes()


def sent(up, raw, seconds=3.0, *, ends=True):
    """What comes back within a time, or until the server hangs up; with `ends` nothing more is sent once an answer has
    begun, or did not begin for a while. Not before: the server does not answer who has hung up."""
    received = b""
    with socket.create_connection(("127.0.0.1", up.port), timeout=seconds) as connection, suppress(OSError):
        connection.sendall(raw)
        if ends:
            select.select([connection], [], [], ANSWER_BEGINS_WITHIN_SECONDS)
            connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65_536):
            received += part
    return received


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def is_undisturbed(up):
    """Whether it answers at once, and no tick was left out."""
    began = time.monotonic()
    assert up.get("/api/v1/metrics/current")[0] == 200
    assert time.monotonic() - began < 2
    ticks = up.ticks()[1:]
    return {later - earlier for earlier, later in itertools.pairwise(ticks)} <= {1}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_and_does_no_harm(up, name):
    answer = sent(up, NONSENSE[name])
    assert [code for code in statuses(answer) if code >= 500] == []
    assert b"Traceback" not in answer
    assert not re.search(rb"(?i)^server: (?!sysmon\r)", answer, re.MULTILINE)
    assert b"root:" not in answer


def test_pipelined_requests_are_all_answered_in_order(up):
    paths = [b"/api/v1/health", b"/api/v1/metrics/cpu?limit=0", b"/nowhere", b"/api/v1/health"]
    raw = b"".join(b"GET %s HTTP/1.1\r\n" % path + HOST + b"\r\n" for path in paths * 10)
    last = b"GET /api/v1/nowhere HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
    assert statuses(sent(up, raw + last, 10, ends=False)) == [200, 400, 404, 200] * 10 + [404]


def test_a_request_smuggled_in_a_body_is_not_a_request(up):
    inner = b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n"
    head = b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(inner)
    assert 404 not in statuses(sent(up, head + inner))
    chunked = head.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert 404 not in statuses(sent(up, chunked + b"0\r\n\r\n" + inner))


@pytest.mark.soak
def test_random_damage_to_a_request_does_no_harm(up, is_soak):
    chance = random.Random(7)
    template = GET + HOST + b"Accept: application/json\r\nCookie: a=b\r\nAuthorization: Bearer a.b.c\r\n\r\n"
    for _ in range(5000 if is_soak else 300):
        damaged = bytearray(template)
        for _change in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        assert [code for code in statuses(sent(up, bytes(damaged), 2)) if code >= 500] == []


def test_slow_clients_keep_nobody_waiting(up):
    """A hundred that send a header byte by byte, or half of a body, or read nothing of a long answer."""
    starts = [
        GET + b"X-Slow: ",
        b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Content-Length: 90\r\n\r\n{",
        b"POST /admin/login/ HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        (b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n") * 20,
    ]
    slow = [socket.create_connection(("127.0.0.1", up.port), timeout=5) for _ in range(100)]
    stop = threading.Event()

    def drip():
        while not stop.wait(0.5):
            for connection in slow[::4]:
                with suppress(OSError):
                    connection.send(b"a")

    dripping = threading.Thread(target=drip)
    try:
        for connection, start in zip(slow, itertools.cycle(starts)):
            connection.sendall(start)
        dripping.start()
        deadline = time.monotonic() + HEADER_TIMEOUT_SECONDS + 3
        while time.monotonic() < deadline:
            assert is_undisturbed(up)
            stop.wait(0.5)
        closed = [connection for connection in slow[::4] if is_closed(connection)]
        assert len(closed) == 25, "a header that never ends holds its connection for ever"
        assert {up.get("/openapi.json")[0] for _ in range(8)} == {200}
    finally:
        stop.set()
        dripping.join()
        for connection in slow:
            connection.close()
    body = b"POST /api/v1/auth/token HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}"
    assert eventually(lambda: statuses(sent(up, body)) == [415], 5), "nobody can sign in any more"


def is_closed(connection):
    connection.settimeout(0.2)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_recording_went_on_and_nothing_was_traced(up, parts):
    assert is_undisturbed(up)
    log = up.log.read_text()
    assert "Traceback" not in log
    assert "Internal Server Error" not in log
    assert up.processes() == parts
