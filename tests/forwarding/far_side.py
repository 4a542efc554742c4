"""A far side that answers what a test wants: what the real ones cannot be made to say at will."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (204, {}, b"")


class FarSide(ThreadingHTTPServer):
    """`answers` are given one after the other, then OK; `requests` holds (path, headers, body) of each request."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        # Set to make it wait, as one that hangs.
        self.gate: Callable[[], Any] = lambda: None

    @property
    def url(self) -> str:
        """As a user would set it."""
        return f"influx://127.0.0.1:{self.server_port}/db1"


class _Handler(BaseHTTPRequestHandler):
    server: FarSide

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.server.gate()
        status, headers, text = self.server.answers.pop(0) if self.server.answers else OK
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def answering(*answers: Answer) -> Iterator[FarSide]:
    """A far side that is there for a while."""
    with FarSide(*answers) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
