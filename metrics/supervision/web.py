"""The web server below `up`: granian, with Django loaded before the fork and few threads."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.urls import get_resolver
from django.utils.module_loading import import_string

from metrics import conf
from metrics.access.proxies import sender_of
from metrics.access.url_prefix import take_off_prefix
from metrics.recording.heartbeat import Heartbeat, attach
from metrics.supervision.bodies import BODY_HEADERS, WITHOUT_BODY, Places, Refused, announced_bytes
from metrics.supervision.deadline import bound_queries
from metrics.supervision.granian_server import HEADER_BYTES, REQUEST_BYTES, Environ, Exchange, Handler, Headers, serve
from metrics.supervision.lanes import Job, Lane, is_dear

StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Of the threads so many at the most wait for a body, answer dear questions, and answer what may change something, such
# as a sign-in; two are always there for what is cheap. granian has no more of them than there is to do.
BODIES, DEAR, CHANGING = 3, 2, 1
THREADS = BODIES + DEAR + CHANGING + 2
# With Python's 5 ms a thread that waits for the interpreter may wait for several requests: measured at 10 connections,
# the slowest percent took 382 ms instead of 5.
SWITCH_INTERVAL_SECONDS = 0.0005
# Far above what a request may take: five seconds for its body, ten of the database.
STUCK_SECONDS = 60.0
# A process that has said nothing for so long is suspended or hangs; one that starts may take longer.
SILENT_SECONDS, START_SECONDS = 20.0, 60.0
TOO_LONG = "431 Request Header Fields Too Large", "The headers of the request are too large."


def load_application() -> Application:
    """The WSGI application with every address resolved once, so that nothing is imported at the first request."""
    application: Application = import_string(settings.WSGI_APPLICATION)
    import_module(settings.ROOT_URLCONF)
    for pattern in get_resolver().url_patterns:
        getattr(pattern, "url_patterns", None)
    return application


def answer_once() -> str:
    """Have Django answer a request before the fork, and return its status: what the first one makes, all processes then
    share.

    Health asks for no cookie and is not counted, and whatever it answers is right. Not by the response cache, which
    keeps a connection to the database: none may be shared with a fork.
    """
    environ: Environ = {"PATH_INFO": "/api/v1/health", "HTTP_HOST": _own_host(), "REMOTE_ADDR": "127.0.0.1"}
    environ["wsgi.url_scheme"] = "https" if conf.has_https() else "http"
    setup_testing_defaults(environ)
    statuses: list[str] = []
    response = _of_django(import_string(settings.WSGI_APPLICATION))(
        environ, lambda status, _headers: statuses.append(status)
    )
    response.close()
    return statuses[0]


def _of_django(application: Any) -> Any:
    """Django's own application, which stands behind the others."""
    while behind := getattr(application, "application", None):
        application = behind
    return application


def _own_host() -> str:
    """A name under which requests are let in."""
    return str(settings.ALLOWED_HOSTS[0]).strip("*.") or "localhost"


def run_web(heartbeat: Heartbeat) -> None:
    """Serve until a SIGTERM."""
    processes = conf.web_processes()
    if processes > 1:
        heartbeat.keep_web_beat()
    host = conf.bind_address().strip("[]")
    serve(host, conf.port(), processes, THREADS, partial(_handler_of_process, heartbeat))


def _handler_of_process(heartbeat: Heartbeat) -> Handler:
    """Called once in each process that answers."""
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    heartbeat.watch()
    attach(heartbeat)
    bound_queries()
    site = Site(load_application())
    heartbeat.keep_web_beat(lambda: not site.is_stuck())
    return site.handle


def failure_reason_of_web(heartbeat: Heartbeat) -> str | None:
    """Why the web server has to be started anew; None while all of its processes say that they live.

    They say so from a thread of their own, whatever the database does and however much there is to answer.
    """
    silent_seconds = heartbeat.seconds_since_web_beat()
    allowed_seconds = SILENT_SECONDS if heartbeat.has_web_started() else START_SECONDS
    return f"has been stuck for {silent_seconds:.0f} s" if silent_seconds > allowed_seconds else None


class Site:
    """Lets requests in to a WSGI application, and answers them: what has a body when that is there, what may take long
    when there is room for it."""

    def __init__(self, application: Application, threads: int = THREADS) -> None:
        self._application = application
        self._threads = threads
        self._places = Places(BODIES)
        self._dear, self._changing = Lane(DEAR), Lane(CHANGING)
        # When each thread began with the request that it is at.
        self._began: dict[int, float] = {}

    def handle(self, environ: Environ, exchange: Exchange) -> None:
        """Answer a request, or see to it that it is answered."""
        thread = threading.get_ident()
        self._began[thread] = time.monotonic()
        try:
            self._let_in(environ, exchange)
        except Refused as refused:
            exchange.send(*refusal(refused))
        finally:
            self._began.pop(thread, None)

    def is_stuck(self) -> bool:
        """Whether no thread has been done with anything for longer than any request can take."""
        began = list(self._began.values())
        return len(began) >= self._threads and max(began) < time.monotonic() - STUCK_SECONDS

    def _let_in(self, environ: Environ, exchange: Exchange) -> None:
        if environ.pop(REQUEST_BYTES) > HEADER_BYTES:
            raise Refused(*TOO_LONG)
        take_off_prefix(environ)
        if environ.keys().isdisjoint(BODY_HEADERS):
            environ["wsgi.input"] = BytesIO()
        else:
            self._take_body(environ, exchange)
        lane = self._lane_of(environ)
        if lane is None:
            answer(self._application, environ, exchange)
        else:
            lane.run(sender_of(environ), self._job(environ, exchange))

    def _take_body(self, environ: Environ, exchange: Exchange) -> None:
        length = announced_bytes(environ, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if length and environ["REQUEST_METHOD"] not in WITHOUT_BODY:
            environ["wsgi.input"] = BytesIO(self._places.read(exchange, length, sender_of(environ)))
        else:
            environ["CONTENT_LENGTH"], environ["wsgi.input"] = "", BytesIO()

    def _lane_of(self, environ: Environ) -> Lane | None:
        if is_dear(environ):
            return self._dear
        return None if environ["REQUEST_METHOD"] in WITHOUT_BODY else self._changing

    def _job(self, environ: Environ, exchange: Exchange) -> Job:
        def answer_it() -> None:
            self._began[threading.get_ident()] = time.monotonic()
            answer(self._application, environ, exchange)

        return Job(answer_it, lambda refused: exchange.send(*refusal(refused)))


def answer(application: Application, environ: Environ, exchange: Exchange) -> None:
    """Have the application answer. What it gives is taken as a whole: who reads slowly holds no thread."""
    started: list[Any] = []
    response = application(environ, lambda *status_and_headers: started.extend(status_and_headers))
    if isinstance(response, list):
        body = response[0] if len(response) == 1 else b"".join(response)
    else:
        with contextlib.closing(response):  # type: ignore[type-var]
            body = b"".join(response)
    exchange.send(int(started[0][:3]), [*started[1], ("Server", "sysmon")], body)


def refusal(refused: Refused) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an answer in the place of the application's."""
    body = b'{"detail":"%s","errors":{}}' % str(refused).encode()
    headers = [("Content-Type", "application/json"), ("Connection", "close"), ("Server", "sysmon")]
    if refused.status.startswith("503"):
        headers.append(("Retry-After", "1"))
    return int(refused.status[:3]), headers, body
