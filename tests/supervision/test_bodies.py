"""Bodies that are too long, that make no sense, or that do not come."""

import threading
from io import BytesIO

import pytest

from metrics.supervision.bodies import Places, Refused, announced_bytes
from metrics.supervision.web import guarded

MOST = 1_048_576


class Stalled:
    """A body that does not come until it is let go."""

    def __init__(self):
        self.is_read, self.let_go = threading.Event(), threading.Event()

    def read(self, _size):
        self.is_read.set()
        self.let_go.wait(10)
        return b"late"


def answer(guard, stream, sender="192.0.2.1", **environ):
    """Status and body."""
    started = []
    environ = {"CONTENT_LENGTH": "4", "wsgi.input": stream, "REMOTE_ADDR": sender, **environ}
    body = b"".join(guard(environ, lambda *given: started.append(given)))
    return started[0][0], body


@pytest.fixture
def guard():
    def echo(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    return guarded(echo, 2)


@pytest.fixture
def stalled(guard):
    """Start a request whose body does not come."""
    begun = []

    def start(sender):
        stream = Stalled()
        thread = threading.Thread(target=answer, args=(guard, stream, sender))
        thread.start()
        stream.is_read.wait(10)
        begun.append((stream, thread))
        return stream, thread

    yield start
    for stream, thread in begun:
        stream.let_go.set()
        thread.join(10)


def test_a_body_that_is_there_is_read(guard):
    assert answer(guard, BytesIO(b"0123456789")) == ("200 OK", b"0123")


def test_who_has_a_body_on_its_way_waits_with_another_and_others_do_not(guard, stalled):
    stalled("192.0.2.1")
    assert answer(guard, BytesIO(b"next"))[0] == "429 Too Many Requests"
    assert answer(guard, BytesIO(b"next"), "192.0.2.2")[0] == "200 OK"


def test_what_has_no_body_is_always_answered(guard, stalled):
    stalled("192.0.2.1")
    assert answer(guard, BytesIO(), CONTENT_LENGTH="0")[0] == "200 OK"


def test_no_more_threads_wait_than_are_allowed(guard, stalled):
    stalled("192.0.2.1")
    stalled("192.0.2.2")
    assert answer(guard, BytesIO(b"next"), "192.0.2.3")[0] == "503 Service Unavailable"


def test_a_place_is_free_again_as_soon_as_the_body_is_there(guard, stalled):
    stream, thread = stalled("192.0.2.1")
    stream.let_go.set()
    thread.join(10)
    assert answer(guard, BytesIO(b"next"))[0] == "200 OK"


def test_a_place_is_free_again_after_a_failure():
    places = Places(1)
    with pytest.raises(OSError), places.taken("a"):
        raise OSError
    with places.taken("a"):
        pass


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, 0), ({"CONTENT_LENGTH": ""}, 0), ({"CONTENT_LENGTH": "000"}, 0), ({"CONTENT_LENGTH": str(MOST)}, MOST)],
)
def test_a_length_is_read(environ, expected):
    assert announced_bytes(environ, MOST) == expected


@pytest.mark.parametrize("length", ["-1", "1_0", "1e3", "٣", "x", "9" * 5000, str(MOST + 1)])
def test_a_length_that_makes_no_sense_is_refused(length):
    with pytest.raises(Refused) as refused:
        announced_bytes({"CONTENT_LENGTH": length}, MOST)
    assert refused.value.status.startswith("413")


@pytest.mark.parametrize(("environ", "status"), [({"CONTENT_LENGTH": "3"}, "400"), ({}, "411")])
def test_a_body_in_chunks_is_refused(environ, status):
    with pytest.raises(Refused) as refused:
        announced_bytes({"HTTP_TRANSFER_ENCODING": "chunked", **environ}, MOST)
    assert refused.value.status.startswith(status)


def test_a_refusal_has_the_shape_of_every_error(guard):
    _status, body = answer(guard, BytesIO(), HTTP_TRANSFER_ENCODING="chunked")
    assert body == b'{"detail":"A request has a length or is chunked, not both.","errors":{}}'
