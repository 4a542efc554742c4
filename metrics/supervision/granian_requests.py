"""Requests of granian as WSGI wants them, but for headers that WSGI cannot tell from others.

WSGI makes one name of `X-Forwarded-For` and `X_Forwarded_For`. A proxy sets the one and hands on the other, which says
whatever the client likes; granian's own adapter for WSGI keeps the last of the two, and has no setting for it. So its
workers speak RSGI here, which gives the names as they were sent: headers with an underscore are dropped, as nginx,
gunicorn and waitress do, before anything else reads the request. The application still runs in granian's threads.

Written for granian 2.8.7, of which it uses private names; tests/supervision/test_granian_requests.py fails where
another version no longer fits.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from io import BytesIO, RawIOBase
from threading import Event
from typing import Any

from granian._granian import CallbackScheduler, RSGIProtocolClosed, RSGIProtocolError, RSGIWorker
from typing_extensions import override

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
# What granian's adapter for WSGI is given for each request.
Callback = Callable[["Protocol", Environ], Any]

# Where RSGIWorker has one argument more than WSGIWorker: whether there are web sockets.
WEB_SOCKETS = 11
# So long may a name be whose variable is remembered.
KEPT_CHARACTERS = 64
# As in the variables of CGI, without the prefix of headers.
UNPREFIXED = {"HTTP_CONTENT_TYPE": "CONTENT_TYPE", "HTTP_CONTENT_LENGTH": "CONTENT_LENGTH"}


def drop_ambiguous_headers() -> None:
    """Have granian's workers for WSGI, those that are made from now on, never show a header with an underscore."""
    for name in ("mt", "mp"):
        module: Any = import_module(f"granian.server.{name}")
        module.WSGIWorker, module._new_cbscheduler = Worker, _scheduler_of


class Worker:
    """In place of granian's WSGIWorker: the same arguments, and the same methods to serve."""

    def __init__(self, *arguments: Any) -> None:
        worker: Any = RSGIWorker
        self._worker = worker(*arguments[:WEB_SOCKETS], False, *arguments[WEB_SOCKETS:])

    def __getattr__(self, name: str) -> Callable[[Any, Any, Any], None]:
        """`serve_mtr` and its kind, with a loop that needs no thread."""
        serve = getattr(self._worker, name)
        return lambda scheduler, _loop, shutdown: serve(scheduler, _Loop(), shutdown)


class _Loop:
    """What granian tells that a body is there: it calls back at once, in granian's thread."""

    def call_soon_threadsafe(self, callback: Callable[..., Any], *arguments: Any, **_context: Any) -> None:
        callback(*arguments)

    call_soon = call_soon_threadsafe


class _Scheduler(CallbackScheduler):
    """Has a request answered in the thread in which granian announces it, instead of by a task of a loop."""

    def __init__(self, _loop: Any, callback: Callback, *_of_tasks: Any) -> None:
        super().__init__()
        self._schedule_fn = _runner_of(callback)


def _scheduler_of(_loop: Any, callback: Callback, **_options: Any) -> _Scheduler:
    return _Scheduler(_Loop(), callback, None, None, None)


def _runner_of(callback: Callback) -> Callable[[Any], None]:
    def run(request: Any) -> None:
        with Announced(request) as protocol:
            callback(Protocol(protocol), environ_of(request.scope, Body(protocol)))

    return run


class Announced:
    """A request while it is being answered. What goes wrong is for granian, which logs it and answers with 500: it is
    called by compiled code, which would lose an exception and leave the client without an answer."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def __enter__(self) -> Any:
        return self._request.proto

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        if error is not None:
            self._request.err(error)
        return True


class Protocol:
    """Where the answer goes, as granian's adapter for WSGI knows it."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer."""
        self._protocol.response_bytes(status, headers, body)

    def response_iter(self, status: int, headers: Headers, parts: Any) -> None:
        """Answer in parts, of something with `__next__` and `close`."""
        stream = self._protocol.response_stream(status, headers)
        try:
            while True:
                stream.send_bytes(parts.__next__())
        except StopIteration:
            pass
        except (RSGIProtocolClosed, RSGIProtocolError):
            """The client has gone."""
        finally:
            parts.close()


class Body(RawIOBase):
    """What follows the headers, read as a whole when it is first asked for; empty where the client hangs up."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._content: BytesIO | None = None

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        if self._content is None:
            self._content = BytesIO(self._whole())
        return self._content.readinto(buffer)

    def _whole(self) -> bytes:
        arrived = Event()
        try:
            body = self._protocol()
            body.add_done_callback(lambda _body: arrived.set())
            arrived.wait()
            return bytes(body.result())
        except (RSGIProtocolClosed, RSGIProtocolError):
            return b""


def environ_of(scope: Any, body: Any) -> Environ:
    """The variables of WSGI for a request of RSGI."""
    server, port = _server_address(scope.server)
    return {
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "REMOTE_ADDR": _address(scope.client)[0],
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "HTTP_HOST": scope.authority or "",
        **headers_of(scope.headers),
    }


def headers_of(headers: Any) -> Environ:
    """The variables of the headers that WSGI can tell apart; empty for what is no text, several values in one."""
    variables: Environ = {}
    values = headers.items()
    for name, value in values:
        if variable := variable_of(name):
            joint = ";" if name == "cookie" else ","
            variables[variable] = f"{variables[variable]}{joint}{value}" if variable in variables else value
    if len(variables) != len(headers):
        # A name is missing: it was dropped, or its value is no text.
        for name in headers:
            if variable := variable_of(name):
                variables.setdefault(variable, "")
    return variables


def variable_of(name: str) -> str | None:
    """What WSGI calls a header; None for a name that another one has too."""
    return _variable_of(name) if len(name) <= KEPT_CHARACTERS else _variable_of.__wrapped__(name)


@lru_cache(256)
def _variable_of(name: str) -> str | None:
    if "_" in name:
        return None
    variable = f"HTTP_{name.replace('-', '_').upper()}"
    return UNPREFIXED.get(variable, variable)


def _address(text: str) -> tuple[str, str]:
    """Address and port; neither of a socket that has none."""
    address, _colon, port = text.rpartition(":")
    return (address.strip("[]"), port) if port.isdigit() else ("", "0")


_server_address = lru_cache(8)(_address)
