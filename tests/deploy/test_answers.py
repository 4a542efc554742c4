"""The health check of the containers."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.source import ROOT
from tests.supervision.running import free_port


@pytest.fixture
def server():
    class Unavailable(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503 if self.path == "/api/v1/health" else 404)

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Unavailable) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def ask(*arguments):
    program = ROOT / "deploy/answers.py"
    return subprocess.run([sys.executable, program, *arguments], capture_output=True, text=True, check=False)


def test_a_wanted_status_is_success(server):
    assert ask(f"{server}/api/v1/health", "200", "503").returncode == 0


def test_another_status_is_a_failure_that_says_which(server):
    done = ask(f"{server}/api/v1/health", "200")
    assert (done.returncode, done.stderr) == (1, f"{server}/api/v1/health answered 503\n")


def test_nobody_there_is_a_failure_in_one_line():
    done = ask(f"http://127.0.0.1:{free_port()}/", "200")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
