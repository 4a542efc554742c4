"""What `up` does for the web server before it is forked."""

import threading
import time
from types import SimpleNamespace

import pytest

from metrics.storage import commit_watch
from metrics.supervision.granian_server import REQUEST_BYTES
from metrics.supervision.web import STUCK_SECONDS, Site, answer, answer_once


@pytest.mark.parametrize("hosts", [["127.0.0.1"], ["*"], [".example.com"], ["[::1]"]])
@pytest.mark.parametrize("https", [False, True])
def test_a_request_is_answered_whatever_hosts_are_let_in_and_behind_tls(db, settings, caplog, hosts, https):
    settings.ALLOWED_HOSTS, settings.SYSMON_HTTPS, settings.SECURE_SSL_REDIRECT = hosts, https, https
    assert answer_once().startswith(("200", "503"))
    assert not caplog.records


def test_it_leaves_no_connection_behind_that_a_fork_would_share(db, monkeypatch):
    watch = commit_watch.CommitWatch()
    monkeypatch.setattr(commit_watch, "_watch", watch)
    answer_once()
    assert watch._own is None


def test_it_is_stuck_when_every_thread_has_been_at_one_request_for_a_minute(monkeypatch):
    let_go, begun = threading.Event(), threading.Semaphore(0)

    def application(_environ, start_response):
        begun.release()
        assert let_go.wait(10)
        start_response("200 OK", [])
        return []

    site = Site(application, threads=3)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", REQUEST_BYTES: 100}
    exchange = SimpleNamespace(send=lambda *_answer: None)
    threads = [threading.Thread(target=site.handle, args=(dict(environ), exchange)) for _ in range(3)]
    for thread in threads[:2]:
        thread.start()
        begun.acquire(timeout=10)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + STUCK_SECONDS + 1)
    assert not site.is_stuck(), "one thread is free"
    threads[2].start()
    begun.acquire(timeout=10)
    assert not site.is_stuck(), "one thread has just begun"
    monkeypatch.setattr(time, "monotonic", lambda: now + 2 * STUCK_SECONDS + 2)
    assert site.is_stuck()
    let_go.set()
    for thread in threads:
        thread.join(10)
    assert not site.is_stuck()


def test_an_answer_in_parts_is_given_as_a_whole_and_closed():
    closed, given = [], []

    class Parts:
        def __iter__(self):
            return iter([b"one ", b"two"])

        def close(self):
            closed.append(True)

    def application(_environ, start_response):
        start_response("200 OK", [("A", "b")])
        return Parts()

    answer(application, {}, SimpleNamespace(send=lambda *answer: given.append(answer)))
    assert given == [(200, [("A", "b"), ("Server", "sysmon")], b"one two")]
    assert closed == [True]
