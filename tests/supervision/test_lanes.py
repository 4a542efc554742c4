"""Dear questions: how many at once, whose turn it is, and that cheap ones never wait for them."""

import threading

import pytest

from metrics.supervision.bodies import Refused
from metrics.supervision.granian_server import REQUEST_BYTES
from metrics.supervision.lanes import Job, Lane, is_dear
from metrics.supervision.web import DEAR, THREADS, Site
from tests.supervision.running import eventually


class Held:
    """A job that is answered until it is let go."""

    def __init__(self):
        self.begun, self.let_go, self.refusal = threading.Event(), threading.Event(), None

    def answer(self):
        self.begun.set()
        assert self.let_go.wait(10)

    def refuse(self, refused: Refused):
        self.refusal = refused


@pytest.fixture
def hold():
    """Have a job of a sender answered in a thread, and not end."""
    started = []

    def start(lane, sender="a"):
        held = Held()
        thread = threading.Thread(target=lane.run, args=(sender, Job(held.answer, held.refuse)))
        thread.start()
        assert held.begun.wait(10)
        started.append((held, thread))
        return held, thread

    yield start
    for held, thread in started:
        held.let_go.set()
        thread.join(10)


def job(told, name):
    return Job(lambda: told.append(name), lambda refused: told.append(f"{name} {refused.status[:3]}"))


def test_what_has_room_is_answered_at_once():
    told = []
    Lane(1).run("a", job(told, "one"))
    Lane(1).run("a", job(told, "two"))
    assert told == ["one", "two"]


def test_what_has_no_room_waits_without_a_thread_and_is_answered_by_the_one_that_is_free(hold):
    lane, told = Lane(1), []
    held, thread = hold(lane)
    lane.run("a", job(told, "waits"))
    assert told == []
    held.let_go.set()
    thread.join(10)
    assert told == ["waits"]


def test_the_turn_goes_around_the_senders(hold):
    lane, told = Lane(1), []
    held, thread = hold(lane)
    for number in range(3):
        lane.run("many", job(told, f"many {number}"))
    lane.run("one", job(told, "one"))
    held.let_go.set()
    thread.join(10)
    assert told == ["many 0", "one", "many 1", "many 2"]


def test_where_too_many_wait_the_last_of_the_sender_with_the_most_is_refused(hold):
    lane, told = Lane(1, most_waiting=2), []
    held, thread = hold(lane)
    for name in ("first", "second", "third"):
        lane.run("many", job(told, name))
    assert told == ["third 503"]
    lane.run("one", job(told, "one"))
    assert told == ["third 503", "second 503"]
    held.let_go.set()
    thread.join(10)
    assert told[2:] == ["first", "one"]


def test_who_has_waited_too_long_is_refused(hold):
    lane, told = Lane(1, seconds=-1), []
    lane.run("a", job(told, "late"))
    assert told == ["late 503"]


def test_an_answer_that_fails_gives_its_room_to_the_next():
    lane, told, answered = Lane(1), [], threading.Event()

    def fail():
        lane.run("a", job(told, "waits"))
        lane.run("a", Job(answered.set, lambda _refused: None))
        raise ValueError

    with pytest.raises(ValueError):
        lane.run("a", Job(fail, lambda _refused: None))
    assert answered.wait(10)
    assert told == ["waits"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/api/v1/metrics/cpu?start=2025-01-01&step=60", True),
        ("/api/v1/metrics/disk?limit=1000&step=auto", True),
        ("/api/v1/metrics/processes?limit=3&end=now", True),
        ("/api/v1/metrics/cpu/peaks", True),
        ("/api/v1/metrics/cpu/top", True),
        ("/api/v1/usage", True),
        ("/api/v1/compare?with=week", True),
        ("/admin/metrics/cpusample/", True),
        ("/api/v1/health", False),
        ("/api/v1/metrics/current", False),
        ("/api/v1/metrics/cpu?limit=1000", False),
        ("/api/v1/metrics/processes?sort_by=memory", False),
        ("/api/v1/metrics/cpu?fields=step", False),
        ("/", False),
        ("/?start=2025-01-01", False),
        ("/metrics", False),
        ("/static/x/start=", False),
        ("/admin/", False),
    ],
)
def test_what_is_dear(address, expected):
    path, _mark, query = address.partition("?")
    assert is_dear({"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": "GET"}) is expected


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/auth/token"])
def test_a_sign_in_is_not_dear(path):
    assert not is_dear({"PATH_INFO": path, "REQUEST_METHOD": "POST"})


def test_however_many_dear_questions_there_are_threads_stay_for_what_is_cheap():
    """Fifty that never end, brought by as many threads as granian has."""
    let_go, told = threading.Event(), []
    free = threading.Semaphore(THREADS)

    def application(environ, start_response):
        if is_dear(environ):
            let_go.wait(10)
        start_response("200 OK", [])
        return [b""]

    class Exchange:
        def __init__(self, path):
            self.path = path

        def send(self, status, _headers, _body):
            told.append((self.path, status))

    site = Site(application)

    def bring(path):
        with free:
            environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1", REQUEST_BYTES: 100}
            site.handle(environ, Exchange(path))

    threads = [threading.Thread(target=bring, args=("/api/v1/metrics/cpu/peaks",)) for _ in range(50)]
    for thread in threads:
        thread.start()
    health = threading.Thread(target=bring, args=("/api/v1/health",))
    health.start()
    health.join(5)
    assert told == [("/api/v1/health", 200)]
    assert eventually(lambda: sum(thread.is_alive() for thread in threads) == DEAR, 10)
    let_go.set()
    for thread in threads:
        thread.join(10)
    assert [status for _path, status in told] == [200] * 51
