"""Bodies that are too long, that make no sense, or that do not come."""

import threading
from types import SimpleNamespace

import pytest

from metrics.supervision.bodies import Places, Refused, announced_bytes
from metrics.supervision.granian_server import REQUEST_BYTES, _runner_of
from metrics.supervision.web import Site

MOST = 1_048_576


class Exchange:
    """A request and its answer, as `granian_server` gives them; without content the body never comes."""

    def __init__(self, content=None):
        self.content, self.is_given_up = content, False
        self.is_read = threading.Event()

    def receive(self, arrived):
        self.is_read.set()
        if self.content is not None:
            arrived()

    def received(self):
        return self.content

    def give_up(self):
        self.is_given_up = True

    def send(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def asked(site, content=b"", sender="192.0.2.1", **environ):
    """The answer to a request."""
    exchange = Exchange(content)
    environ = {"CONTENT_LENGTH": "4", "REMOTE_ADDR": sender, "PATH_INFO": "/", REQUEST_BYTES: 100, **environ}
    site.handle({"REQUEST_METHOD": "POST", **environ}, exchange)
    return exchange


@pytest.fixture
def stalled():
    """Wait for a body that does not come, in a thread."""
    begun = []

    def start(places, sender):
        exchange, outcome = Exchange(), []

        def wait():
            try:
                outcome.append(places.read(exchange, 4, sender))
            except Refused as refused:
                outcome.append(refused)

        thread = threading.Thread(target=wait)
        thread.start()
        assert exchange.is_read.wait(10)
        begun.append((places, thread))
        return thread, outcome

    yield start
    for places, thread in begun:
        for arrival in list(places._arrivals):
            arrival.displace()
        thread.join(10)


def test_a_body_that_is_there_is_read():
    assert Places(1).read(Exchange(b"0123"), 4, "a") == b"0123"
    assert asked(Site(echo), b"0123").body == b"0123"


def test_a_body_that_does_not_come_gives_its_place_back_in_time(stalled):
    places = Places(1, seconds=0.05)
    thread, outcome = stalled(places, "a")
    thread.join(10)
    assert outcome[0].status.startswith("408")
    assert places.read(Exchange(b"next"), 4, "a") == b"next"


def test_a_late_body_is_given_up_before_its_request_is_answered():
    """What is still being read keeps its connection open."""
    site = Site(echo)
    site._places = Places(1, seconds=0.05)
    late = asked(site, None)
    assert late.is_given_up
    assert late.status == 408
    assert ("Connection", "close") in late.headers


@pytest.mark.parametrize("senders", [["a"] * 32, [str(number) for number in range(32)]])
def test_however_many_bodies_do_not_come_another_one_is_read(stalled, senders):
    places = Places(2, seconds=10)
    waiting = [stalled(places, sender) for sender in senders]
    assert places.read(Exchange(b"next"), 4, "another") == b"next"
    for thread, outcome in waiting[:-2]:
        thread.join(10)
        assert outcome[0].status.startswith("503")


def test_the_sender_with_the_most_bodies_loses_its_oldest_first(stalled):
    places = Places(3, seconds=10)
    _alone, alone_outcome = stalled(places, "alone")
    first, first_outcome = stalled(places, "many")
    _second, second_outcome = stalled(places, "many")
    assert places.read(Exchange(b"next"), 4, "new") == b"next"
    first.join(10)
    assert first_outcome[0].status.startswith("503")
    assert not alone_outcome
    assert not second_outcome


def test_what_has_no_body_is_always_answered(stalled):
    site = Site(echo)
    for sender in "abcd":
        stalled(site._places, sender)
    assert asked(site, CONTENT_LENGTH="0").status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_body_where_there_is_none_to_read_is_not_waited_for(method):
    reply = asked(Site(echo), None, REQUEST_METHOD=method)
    assert (reply.status, reply.body) == (200, b"")


def test_a_body_that_ends_early_is_refused():
    assert asked(Site(echo), b"01").status == 400


def test_a_place_is_free_again_after_a_failure():
    class Broken(Exchange):
        def receive(self, _arrived):
            raise OSError

    places = Places(1)
    with pytest.raises(OSError):
        places.read(Broken(), 4, "a")
    assert not places._arrivals


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


def test_a_refusal_has_the_shape_of_every_error():
    reply = asked(Site(echo), HTTP_TRANSFER_ENCODING="chunked")
    assert reply.body == b'{"detail":"A request has a length or is chunked, not both.","errors":{}}'


@pytest.mark.parametrize(("length", "status"), [(60_000, 200), (66_000, 431), (98_304, 431)])
@pytest.mark.parametrize("count", [1, 60])
def test_headers_of_more_than_64_kib_are_refused(length, status, count):
    """Those that are dropped too, as granian gives them."""
    sent = {f"x_{number}": "a" * (length // count) for number in range(count)}
    scope = SimpleNamespace(
        path="/",
        query_string="",
        http_version="1.1",
        server="127.0.0.1:8000",
        scheme="http",
        client="192.0.2.1:40000",
        method="GET",
        authority=None,
        headers=sent,
    )
    answers = []
    protocol = SimpleNamespace(response_bytes=lambda status, _headers, _body: answers.append(status))
    _runner_of(Site(echo).handle, {})(SimpleNamespace(scope=scope, proto=protocol))
    assert answers == [status]
