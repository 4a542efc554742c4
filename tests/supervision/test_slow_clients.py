"""Clients of the real program that send or read slowly, or not at all, and a web server that is suspended."""

import http.client
import itertools
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack, suppress

import pytest

from metrics.supervision.bodies import BODY_SECONDS
from metrics.supervision.web import SILENT_SECONDS
from tests.skips import needs
from tests.supervision.running import Up, eventually, free_port

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="django-q2 needs fork"),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]

HEADERS = b"Host: localhost\r\nContent-Type: application/json\r\n"
TOKEN = b"POST /api/v1/auth/token HTTP/1.1\r\n" + HEADERS
HALVES = {
    "silent": TOKEN + b"Content-Length: 90\r\n\r\n{",
    "waits for the server": TOKEN + b"Expect: 100-continue\r\nContent-Length: 90\r\n\r\n",
    "in chunks": TOKEN + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "a GET": b"GET /api/v1/metrics/current HTTP/1.1\r\n" + HEADERS + b"Content-Length: 90\r\n\r\n{",
    "where nothing takes one": b"POST /api/v1/metrics/cpu HTTP/1.1\r\n" + HEADERS + b"Content-Length: 90\r\n\r\n{",
    "of the admin": b"POST /admin/login/ HTTP/1.1\r\n" + HEADERS + b"Content-Length: 90\r\n\r\nusername=a",
}
CONFIGURATION = """
daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log; events {{ }}
http {{
    access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_request_buffering off;
            proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Up(
        tmp_path_factory.mktemp("slow") / "data",
        SYSMON_RATE_LOGIN="100000/min",
        SYSMON_TRUSTED_PROXIES="127.0.0.1",
        SYSMON_API_ACCESS="public",
    )
    running.start()
    yield running
    running.end_for_sure()


@pytest.fixture
def connected():
    """Connect to a port, from one of the many addresses of loopback."""
    with ExitStack() as connections:

        def connect(port, number=0):
            connection = connections.enter_context(socket.socket())
            connection.settimeout(10)
            connection.bind((f"127.0.0.{number + 2}" if number else "127.0.0.1", 0))
            connection.connect(("127.0.0.1", port))
            return connection

        yield connect


@pytest.fixture
def nginx(up, tmp_path):
    """The port of a proxy that passes on a body as it comes."""
    program, port = needs("nginx"), free_port()
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION.format(directory=tmp_path, port=port, upstream=up.port))
    process = subprocess.Popen([program, "-c", str(file)], stderr=subprocess.DEVNULL)

    def answers():
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    assert eventually(answers, 10)
    yield port
    process.terminate()
    process.wait(10)


def sign_in(port):
    """Status of an attempt with a wrong password, and how long it took; once more where it is told to come again."""
    began, status = time.monotonic(), 503
    body = json.dumps({"username": "nobody", "password": "wrong"})
    headers = {"Content-Type": "application/json", "Host": "localhost"}
    while status == 503 and time.monotonic() - began < 5:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/api/v1/auth/token", body, headers)
        status = connection.getresponse().status
        connection.close()
    return status, time.monotonic() - began


@pytest.mark.parametrize("name", HALVES)
def test_beside_32_halves_of_a_body_from_32_addresses_somebody_signs_in(up, connected, name):
    for number in range(1, 33):
        connected(up.port, number).sendall(HALVES[name])
    status, seconds = sign_in(up.port)
    assert status == 401
    assert seconds < 5


def test_beside_32_bodies_that_trickle_somebody_signs_in(up, connected):
    trickling = [connected(up.port, number) for number in range(1, 33)]
    stop = threading.Event()

    def drip():
        while not stop.wait(0.2):
            for connection in trickling:
                with suppress(OSError):
                    connection.send(b"a")

    for connection in trickling:
        connection.sendall(HALVES["silent"])
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        status, seconds = sign_in(up.port)
    finally:
        stop.set()
        thread.join()
    assert status == 401
    assert seconds < 5


def test_beside_8_halves_of_a_body_through_a_proxy_somebody_signs_in_through_it(up, nginx, connected):
    for _number in range(8):
        connected(nginx).sendall(HALVES["silent"])
    status, seconds = sign_in(nginx)
    assert status == 401
    assert seconds < 5


def test_a_body_that_does_not_come_is_answered_and_its_connection_closed(up, connected):
    connection = connected(up.port)
    connection.sendall(HALVES["silent"])
    began, received = time.monotonic(), b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            received += part
    assert received.startswith(b"HTTP/1.1 408 ")
    assert BODY_SECONDS - 1 < time.monotonic() - began < BODY_SECONDS + 3


def test_beside_clients_that_read_nothing_of_a_long_answer_others_are_answered(up, connected):
    with urllib.request.urlopen(f"http://127.0.0.1:{up.port}/redoc", timeout=10) as page:
        file = re.search(r'src="(/static/[^"]*redoc[^"]*)"', page.read().decode())[1]
    assert up.status(file) == 200
    for number in range(1, 51):
        connected(up.port, number).sendall(f"GET {file} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    for _ in range(5):
        began = time.monotonic()
        assert up.get("/api/v1/health")[0] in {200, 503}
        assert time.monotonic() - began < 2
    assert sign_in(up.port)[0] == 401


def test_it_ends_in_time_while_such_clients_hold_on(tmp_path, connected):
    program = Up(tmp_path / "data")
    try:
        program.start()
        for number, half in zip(range(1, 33), itertools.cycle(HALVES.values())):
            connected(program.port, number).sendall(half)
        assert program.stop(signal.SIGINT) == 0
    finally:
        program.end_for_sure()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_web_server_that_is_suspended_is_started_again_with_one_line(tmp_path, processes):
    program = Up(tmp_path / "data", SYSMON_WEB_PROCESSES=str(processes))
    try:
        program.start()
        assert eventually(lambda: program.newest_tick() > 0, 20)
        web, recorder = program.web(), program.recorder()
        (web.children() or [web])[-1].suspend()
        assert eventually(lambda: b"the web server has been stuck" in program.log.read_bytes(), SILENT_SECONDS + 15)
        assert eventually(lambda: {program.get("/api/v1/health")[0] for _ in range(4)} == {200}, 15)
        assert program.log.read_text().count("started again") == 1
        assert not web.is_running()
        assert program.recorder() == recorder
    finally:
        program.end_for_sure()


def test_an_answer_that_is_not_read_holds_no_thread(up, connected):
    """Many of them at once, from one address."""
    for _number in range(20):
        connected(up.port).sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
    waiting = connected(up.port)
    waiting.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert select.select([waiting], [], [], 5)[0]
