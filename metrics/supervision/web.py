"""The web server below `up`: granian, with Django loaded before the fork and few threads."""

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.urls import get_resolver
from django.utils.module_loading import import_string
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server import MTServer
from typing_extensions import override

from metrics.lifeline import Lifeline, attach
from metrics.supervision.bodies import Places, Refused, announced_bytes
from metrics.supervision.deadline import bound_queries
from metrics.supervision.granian_requests import drop_ambiguous_headers
from metrics.supervision.part import close_log

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Django's application, without the front door.
DJANGO = "sysmon_project.wsgi.django_application"
THREADS = 4
# With Python's 5 ms a thread that waits for the interpreter may wait for several requests: measured at 10 connections,
# the slowest percent took 382 ms instead of 5.
SWITCH_INTERVAL_SECONDS = 0.0005
HEADER_TIMEOUT_SECONDS = 10
HEADER_BYTES = 65_536


def load_application() -> Application:
    """The WSGI application with every address resolved once, so that nothing is imported at the first request."""
    application: Application = import_string(settings.WSGI_APPLICATION)
    import_module(settings.ROOT_URLCONF)
    for pattern in get_resolver().url_patterns:
        getattr(pattern, "url_patterns", None)
    return application


class ServerOfOneProcess(MTServer):
    """granian's server that answers in the process that it is started in, and has none below it.

    It is made for interpreters without a lock, where several workers are threads of one process. A single worker is the
    same in both of granian's servers; only this one saves the process that would watch it, which `up` does already.
    """

    @override
    def _check_gil(self) -> None:
        """A lock does no harm to one worker."""

    @override
    def shutdown(self, exit_code: int = 0) -> None:
        """End; threads that still wait for somebody's body would hold up the end of the process."""
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]
        close_log()
        os._exit(0)


def answer_once() -> str:
    """Have Django answer a request before the fork, and return its status: what the first one makes, all processes then
    share.

    Health asks for no cookie and is not counted, and whatever it answers is right. Not by the front door, which keeps a
    connection to the database: none may be shared with a fork.
    """
    environ: Environ = {"PATH_INFO": "/api/v1/health", "HTTP_HOST": _own_host(), "REMOTE_ADDR": "127.0.0.1"}
    environ["wsgi.url_scheme"] = "https" if settings.SYSMON_HTTPS else "http"
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = import_string(DJANGO)(environ, lambda status, _headers: statuses.append(status))
    response.close()
    return statuses[0]


def _own_host() -> str:
    """A name under which requests are let in."""
    return str(settings.ALLOWED_HOSTS[0]).strip("*.") or "localhost"


def run_web(lifeline: Lifeline) -> None:
    """Serve until a SIGTERM."""
    drop_ambiguous_headers()
    server_class = ServerOfOneProcess if settings.SYSMON_WEB_PROCESSES == 1 else Granian
    server = server_class(
        "sysmon_project.wsgi:application",
        address=str(settings.SYSMON_HOST).strip("[]"),
        port=settings.SYSMON_PORT,
        interface=Interfaces.WSGI,
        workers=settings.SYSMON_WEB_PROCESSES,
        blocking_threads=THREADS,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_SECONDS * 1000, max_buffer_size=HEADER_BYTES),
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=4,
    )
    server.serve(target_loader=partial(_application_of_worker, lifeline), wrap_loader=False)


def _application_of_worker(lifeline: Lifeline) -> Application:
    """Called once in each process of the server."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    lifeline.watch()
    attach(lifeline)
    bound_queries()
    return guarded(load_application(), body_threads=max(1, THREADS // 2))


def guarded(application: Application, body_threads: int) -> Application:
    """Let in what has no body, or one that is there and not too long; and send no banner."""
    places = Places(body_threads)

    def guard(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        def respond(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("Server", "sysmon")], exc_info)

        try:
            length = announced_bytes(environ, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            if length:
                with places.taken(environ.get("REMOTE_ADDR", "")):
                    environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
        except Refused as refusal:
            return _refuse(respond, refusal)
        return application(environ, respond)

    return guard


def _refuse(start_response: StartResponse, refusal: Refused) -> list[bytes]:
    body = b'{"detail":"%s","errors":{}}' % str(refusal).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    if refusal.status.startswith(("429", "503")):
        headers.append(("Retry-After", "1"))
    start_response(refusal.status, headers)
    return [body]
