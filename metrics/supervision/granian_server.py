"""granian, with what its public interface does not offer; every private name of it that is used stands here.

Written for granian 2.8.7; tests/supervision/test_granian.py says so when another version no longer fits.

- Its workers for WSGI speak RSGI, which gives the names of headers as they were sent. WSGI makes one name of
  `X-Forwarded-For` and `X_Forwarded_For`: a proxy sets the one and hands on the other, which says whatever the client
  likes. Headers with an underscore are dropped, as nginx, gunicorn and waitress do, before anything reads the request.
- No event loop: a request is answered in the thread in which granian announces it, or later by another one.
- A body is read by granian itself, meanwhile, and can be given up, whereupon its connection is closed.
- One worker answers in the process that it is started in: `MTServer` is made for interpreters without a lock, where
  several workers are threads of one process, but a single worker is the same in both of granian's servers.
- The server listens on a socket that is made here, which the kernel closes for whoever never reads an answer.
"""

import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from importlib import import_module
from typing import Any

from granian._granian import CallbackScheduler, RSGIProtocolClosed, RSGIProtocolError, RSGIWorker, SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import MPServer, MTServer
from typing_extensions import override

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

HEADER_TIMEOUT_SECONDS = 10
# granian reads up to twice as much before it refuses; `web.py` refuses what is more than promised.
HEADER_BYTES = 65_536
# Who does not take a byte of an answer for so long has gone.
UNREAD_SECONDS = 30
BACKLOG = 1024
# How long what the client has sent before the body is, but for some characters.
REQUEST_BYTES = "sysmon.request_bytes"
# What every request has, as PEP 3333 wants it, with places for what differs: a copy is cheaper than a dictionary that
# grows. The environment of the process is none of a request's business.
ENVIRON: Environ = {
    **dict.fromkeys(("SERVER_PROTOCOL", "SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REQUEST_METHOD"), ""),
    **dict.fromkeys(("PATH_INFO", "QUERY_STRING", "wsgi.url_scheme"), ""),
    REQUEST_BYTES: 0,
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
# Where RSGIWorker has one argument more than WSGIWorker: whether there are web sockets.
WEB_SOCKETS = 11
# So many names of headers are remembered, and none that is longer.
KEPT_NAMES, KEPT_CHARACTERS = 256, 64
# As in the variables of CGI, without the prefix of headers.
UNPREFIXED = {"HTTP_CONTENT_TYPE": "CONTENT_TYPE", "HTTP_CONTENT_LENGTH": "CONTENT_LENGTH"}


class Exchange:
    """A request's body and the answer to it; the first answer counts, and it may come from any thread, later."""

    __slots__ = ("_body", "_protocol")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def receive(self, arrived: Callable[[], None]) -> None:
        """Begin to read the body; `arrived` is called, in another thread, when it is there or will never be."""
        self._body = self._protocol()
        self._body.add_done_callback(lambda _body: arrived())

    def received(self) -> bytes:
        """The body that has arrived; empty where the client has hung up."""
        try:
            return bytes(self._body.result())
        except (RSGIProtocolClosed, RSGIProtocolError):
            return b""

    def give_up(self) -> None:
        """Read no more of the body: with the answer the connection is closed."""
        self._body.cancel()

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer. Nobody waits here for the client to read it."""
        self._protocol.response_bytes(status, headers, body)


# Answers a request, now or later.
Handler = Callable[[Environ, Exchange], None]


# From RSGI to the variables of WSGI ---------------------------------------------------------------------------------


class Variables(dict[str, str | None]):
    """What WSGI calls a header, by its name; None for a name that another one has too."""

    def __missing__(self, name: str) -> str | None:
        variable = f"HTTP_{name.replace('-', '_').upper()}"
        known = None if "_" in name else UNPREFIXED.get(variable, variable)
        if len(name) <= KEPT_CHARACTERS:
            if len(self) >= KEPT_NAMES:
                self.clear()
            self[name] = known
        return known


variables = Variables()


def environ_of(scope: Any) -> Environ:
    """The variables of WSGI for a request of RSGI, without its body, and REQUEST_BYTES."""
    environ = ENVIRON.copy()
    path, query = scope.path, scope.query_string
    headers_bytes = add_headers(environ, scope.headers)
    environ[REQUEST_BYTES] = headers_bytes + len(path) + len(query)
    environ["SERVER_PROTOCOL"] = f"HTTP/{scope.http_version}"
    environ["SERVER_NAME"], environ["SERVER_PORT"] = _server_address(scope.server)
    environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0].strip("[]")
    environ["REQUEST_METHOD"] = scope.method
    environ["PATH_INFO"] = path if path.isascii() else path.encode().decode("latin-1")
    environ["QUERY_STRING"] = query if query.isascii() else query.encode().decode("latin-1")
    environ["wsgi.url_scheme"] = scope.scheme
    if "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority or ""
    return environ


def add_headers(environ: Environ, headers: Any) -> int:
    """Add the headers that WSGI can tell apart: several values in one, empty for what is no text. Return how long all
    of them are, those that are dropped too."""
    length = added = 0
    for name, value in headers.items():
        length += len(name) + len(value)
        variable = variables[name]
        if variable is None:
            continue
        if variable in environ:
            environ[variable] += f"{';' if name == 'cookie' else ','}{value}"
        else:
            environ[variable] = value
            added += 1
    if added != len(headers):
        # A name is missing: it was dropped, or its value is no text.
        for name in headers:
            if variable := variables[name]:
                environ.setdefault(variable, "")
    return length


@lru_cache(8)
def _server_address(text: str) -> tuple[str, str]:
    address, _colon, port = text.rpartition(":")
    return address.strip("[]"), port


# granian's own, replaced ----------------------------------------------------------------------------------------------


def _runner_of(handler: Handler, _options: Any, _log_format: str | None = None) -> Callable[[Any], None]:
    """What answers a request that granian announces, in place of its adapter for WSGI."""

    def run(request: Any) -> None:
        with Announced(request):
            handler(environ_of(request.scope), Exchange(request.proto))

    return run


class Announced:
    """A request while its handler runs. What goes wrong is for granian, which logs it and answers with 500: it is
    called by compiled code, which would lose an exception and leave the client without an answer."""

    __slots__ = ("_request",)

    def __init__(self, request: Any) -> None:
        self._request = request

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if error is not None:
            self._request.err(error)
        return True


class Scheduler(CallbackScheduler):
    """Has a request answered in the thread in which granian announces it, instead of by a task of a loop."""

    def __init__(self, _loop: Any, run: Callable[[Any], None], *_of_tasks: Any) -> None:
        super().__init__()
        self._schedule_fn = run


def _scheduler_of(_loop: Any, run: Callable[[Any], None], **_options: Any) -> Scheduler:
    return Scheduler(Loop(), run, None, None, None)


class Loop:
    """What granian tells that a body is there: it calls back at once, in one of granian's threads."""

    def call_soon_threadsafe(self, callback: Callable[..., Any], *arguments: Any, **_context: Any) -> None:
        callback(*arguments)

    call_soon = call_soon_threadsafe

    def create_future(self) -> Future[bytes]:
        """Where granian has no future of its own, as on Windows."""
        return Future()


class Worker:
    """In place of granian's WSGIWorker: the same arguments, and the same methods to serve."""

    def __init__(self, *arguments: Any) -> None:
        worker: Any = RSGIWorker
        self._worker = worker(*arguments[:WEB_SOCKETS], False, *arguments[WEB_SOCKETS:])

    def __getattr__(self, name: str) -> Callable[[Any, Any, Any], None]:
        """`serve_mtr` and its kind, with a loop that needs no thread."""
        serve = getattr(self._worker, name)
        return lambda scheduler, _loop, shutdown: serve(scheduler, Loop(), shutdown)


# In each of granian's modules of servers, by their names there.
REPLACEMENTS = {"WSGIWorker": Worker, "_wsgi_call_wrap": _runner_of, "_new_cbscheduler": _scheduler_of}


class OneProcess(MTServer):
    """The server that answers in the process that it is started in, and has none below it."""

    @override
    def _init_shared_socket(self) -> None:
        _share_socket(self, super()._init_shared_socket)

    @override
    def _check_gil(self) -> None:
        """A lock does no harm to one worker."""


class ManyProcesses(MPServer):
    """The server whose workers are processes."""

    @override
    def _init_shared_socket(self) -> None:
        _share_socket(self, super()._init_shared_socket)


def _share_socket(server: Any, otherwise: Callable[[], None]) -> None:
    """Have all workers listen on one socket of ours; where the option that matters is not known, granian makes one."""
    if not hasattr(socket, "TCP_USER_TIMEOUT") or server.bind_uds:
        otherwise()
        return
    server._sso = listening_socket(server.bind_addr, server.bind_port)
    server._ssp, server._shd = None, SocketHolder(server._sso.fileno(), False, BACKLOG)  # type: ignore[call-arg]


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens there; an OSError where it cannot."""
    family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Each connection inherits it: data that nobody takes, because the client does not read, ends the connection.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    listening.bind(address)
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def serve(host: str, port: int, processes: int, threads: int, handler_of_process: Callable[[], Handler]) -> None:
    """Serve until a SIGTERM. `handler_of_process` is called once in each process that answers."""
    for module in ("mt", "mp"):
        vars(import_module(f"granian.server.{module}")).update(REPLACEMENTS)
    server_class = OneProcess if processes == 1 else ManyProcesses
    server = server_class(
        # What it would load, were it not given below.
        "metrics.supervision.web:load_application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=threads,
        backlog=BACKLOG,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_SECONDS * 1000, max_buffer_size=HEADER_BYTES),
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=4,
    )
    server.serve(target_loader=handler_of_process, wrap_loader=False)
