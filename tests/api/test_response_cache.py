"""The response cache: what it gives from memory is, to the byte, what Django REST framework gives at that moment."""

import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from metrics.api.response_cache import HEADERS, CachedResponses, KeptAnswer, ResponseCache, size_of
from metrics.models import CpuSample, Host
from metrics.recording.heartbeat import Heartbeat
from metrics.retention.pruning import apply_retention
from metrics.retention.rollup import roll_up
from metrics.storage.commit_watch import CommitWatch
from metrics.tasks import prune
from sysmon_project.wsgi import django_application
from tests.conftest import FIRST_TICK, RecordedHost

NOON = "2026-11-22T17:10:00Z"
KEPT = [
    "metrics/current",
    "metrics/cpu",
    "metrics/cpu?limit=3",
    "metrics/cpu?limit=2&order=desc&fields=percent,per_core",
    f"metrics/cpu?start={NOON}&end=2026-11-22T17:12:30Z",
    "metrics/cpu?step=1m&limit=7",
    "metrics/cpu?step=auto&limit=5",
    "metrics/cpu?format=csv",
    "metrics/cpu?format=ndjson&fields=load_1",
    "metrics/cpu?host=test-host",
    "metrics/memory",
    "metrics/disk",
    "metrics/disk?mountpoint=/home&fields=percent",
    "metrics/network?interface=lo",
    "metrics/processes",
    "metrics/processes?limit=100&sort_by=memory",
    f"metrics/processes?at={NOON}",
]
NOT_KEPT = [
    "metrics/cpu?limit=0",
    "metrics/cpu?limit=1&limit=2",
    "metrics/cpu?host=unknown",
    "metrics/cpu?format=xml",
    "metrics/cpu?format=api",
    "metrics/weather",
    "metrics/cpu/",
    "metrics/processes?start=2026-11-22",
    "health",
    "hosts",
]
# Another question each time.
RELATIVE = ["metrics/cpu?start=-2h", "metrics/cpu?end=now", "metrics/processes?at=%20-90m%20"]
OTHERS = [
    {"COOKIE": "sysmon_language=ko-kr"},
    {"COOKIE": "sysmon_session=abc"},
    {"AUTHORIZATION": "Bearer abc"},
    {"ORIGIN": "http://elsewhere.example"},
    {"VIA": "1.1 proxy"},
    {"X_FORWARDED_FOR": "192.0.2.1"},
    {"FORWARDED": "host=elsewhere.example"},
    {"X_API_KEY": "abc"},
]


@dataclass
class Visitor:
    """Asks over WSGI; counts how often Django was asked."""

    django: Callable[..., Any] = django_application
    asked: int = 0

    def __post_init__(self):
        self.door = ResponseCache(self._count)

    def _count(self, environ, start_response):
        self.asked += 1
        return self.django(environ, start_response)

    def get(self, path, *, past_the_door=False, address="127.0.0.1", method="GET", body="", **headers):
        """Status, headers and body."""
        protocol = headers.pop("protocol", "HTTP/1.1")
        environ = RequestFactory().generic(method, f"/api/v1/{path}", body).environ
        named = {"HOST": "localhost", "ACCEPT": "*/*", **headers}
        environ |= {
            "REMOTE_ADDR": address,
            "SERVER_PROTOCOL": protocol,
            **{f"HTTP_{name}": value for name, value in named.items()},
        }
        environ.pop("HTTP_COOKIE", None) if "COOKIE" not in headers else None
        started = []
        application = self.django if past_the_door else self.door
        content = application(environ, lambda status, fields, *_error: started.extend((status, sorted(fields))))
        whole = b"".join(content)
        content.close() if hasattr(content, "close") else None
        return started[0], started[1], whole

    def agrees(self, path, **sent):
        """Whether both say the same now; the answer."""
        answer = self.get(path, **sent)
        assert answer == self.get(path, past_the_door=True, **sent)
        return answer


@pytest.fixture
def recorded(transactional_db, settings):
    """Committed for real: within a transaction there is no cache."""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    host = RecordedHost("test-host")
    for number in range(15):
        host.tick(FIRST_TICK + number * 5, **a_tick(number))
    roll_up(host.host)
    return host


def a_tick(number):
    partition = {"device": "sda1", "fstype": "ext4", "percent": number}
    return {
        "cpu": {"percent": number, "per_core": [number, 1.5], "load_1": 0.25},
        "memory": {"percent": 50.5, "total_bytes": 2**33},
        "disk": {"pressure_some_percent": 0.5},
        "partition": [{**partition, "mountpoint": place} for place in ("/", "/home")],
        "device": [{"device": "sda", "busy_percent": 3.25}],
        "interface": [{"interface": "lo", "is_up": True}, {"interface": "eth0", "is_up": False}],
        "processes": {"total": 2},
        "process": [{"pid": 7, "cpu_percent": float(number), "rss_bytes": 4096, "command": "node --password=x"}],
    }


@pytest.fixture
def visitor(recorded):
    return Visitor()


def test_what_is_kept_is_what_django_rest_framework_gives(visitor):
    for number, path in enumerate(KEPT):
        first, second = visitor.get(path), visitor.get(path)
        assert first[0] == "200 OK", path
        assert first == second == visitor.get(path, past_the_door=True)
        assert visitor.asked == number + 1


def test_what_is_kept_does_not_depend_on_the_clock(visitor, monkeypatch):
    before = [visitor.get(path, past_the_door=True) for path in KEPT]
    years_later = time.time() + 500 * 86_400
    monkeypatch.setattr(time, "time", lambda: years_later)
    assert [visitor.get(path, past_the_door=True) for path in KEPT] == before


def test_everything_else_is_asked_for_each_time(visitor):
    for number, path in enumerate(NOT_KEPT):
        first, second, third = visitor.get(path), visitor.get(path), visitor.get(path, past_the_door=True)
        assert first[0] == second[0] == third[0]
        assert [name for name, _value in second[1]] == [name for name, _value in third[1]]
        assert visitor.asked == 2 * (number + 1)


def test_a_request_with_more_than_a_question_goes_to_django(visitor):
    for number, sent in enumerate(OTHERS):
        visitor.get("metrics/cpu")
        visitor.agrees("metrics/cpu", **sent)
        assert visitor.asked == number + 2, sent


def test_a_moment_that_is_relative_to_now_is_read_anew_each_time(visitor):
    for path in RELATIVE:
        number = visitor.asked
        visitor.get(path)
        visitor.agrees(path)
        assert visitor.asked >= number + 2, path


def test_other_methods_go_to_django(visitor):
    visitor.get("metrics/cpu")
    for number, method in enumerate(["HEAD", "POST", "OPTIONS", "DELETE"]):
        visitor.agrees("metrics/cpu", method=method)
        assert visitor.asked == number + 2


def test_a_request_with_a_body_goes_to_django(visitor):
    visitor.get("metrics/cpu")
    visitor.agrees("metrics/cpu", body="{}")
    assert visitor.asked == 2


def test_languages_formats_and_hosts_are_told_apart(visitor, settings):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    korean = visitor.agrees("metrics/cpu", ACCEPT_LANGUAGE="ko-KR")
    assert ("Content-Language", "ko-kr") in korean[1]
    assert ("Content-Language", "en") in visitor.agrees("metrics/cpu", ACCEPT_LANGUAGE="en")[1]
    assert visitor.agrees("metrics/cpu", ACCEPT="text/csv")[2].startswith(b"timestamp,")
    assert b"http://127.0.0.1/api" in visitor.agrees("metrics/cpu?limit=1", HOST="127.0.0.1")[2]
    assert b"http://localhost/api" in visitor.agrees("metrics/cpu?limit=1", HOST="localhost")[2]


def test_a_strange_host_is_refused_although_the_answer_is_known(visitor):
    visitor.get("metrics/cpu")
    assert visitor.agrees("metrics/cpu", HOST="elsewhere.example")[0] == "400 Bad Request"


def test_a_stranger_is_refused_although_the_answer_is_known(visitor):
    visitor.get("metrics/processes")
    assert visitor.agrees("metrics/processes", address="192.0.2.1")[0] == "401 Unauthorized"


def test_nothing_is_kept_where_access_takes_a_user(visitor, settings):
    settings.SYSMON_API_ACCESS = "authenticated"
    assert [visitor.agrees("metrics/cpu")[0] for _ in range(2)] == ["401 Unauthorized"] * 2
    assert visitor.asked == 2


def test_nothing_is_kept_where_requests_are_counted(visitor, settings, tmp_path):
    settings.ATTEMPTS_FILE, settings.SYSMON_RATE_ANON = tmp_path / "attempts.sqlite3", "2/min"
    answers = [visitor.get("metrics/cpu")[0] for _ in range(3)]
    assert answers == ["200 OK", "200 OK", "429 Too Many Requests"]


def test_a_command_line_is_kept_for_nobody_who_may_not_see_it(visitor, settings):
    assert b"node" in visitor.agrees("metrics/processes")[2]
    settings.SYSMON_API_ACCESS = "public"
    assert b"node" not in Visitor().agrees("metrics/processes", address="192.0.2.1")[2]


def test_what_was_kept_for_this_machine_is_not_given_through_a_proxy(visitor):
    assert b"node" in visitor.get("metrics/processes")[2]
    assert visitor.agrees("metrics/processes", protocol="HTTP/1.0")[0] == "401 Unauthorized"
    assert visitor.agrees("metrics/processes", REFERER="http://sysmon.example.org/")[0] == "401 Unauthorized"


def test_nothing_that_was_kept_while_access_was_public_is_given_once_a_proxy_was_noticed(visitor, monkeypatch):
    heartbeat = Heartbeat(get_context())
    monkeypatch.setattr("metrics.recording.heartbeat._attached", heartbeat)
    assert visitor.agrees("metrics/processes")[0] == "200 OK"
    heartbeat.note_proxy()
    assert visitor.agrees("metrics/processes")[0] == "401 Unauthorized"
    assert visitor.agrees("metrics/processes")[0] == "401 Unauthorized"


# What is stored changes -----------------------------------------------------------------------------------------


def late_tick(host):
    host.tick(FIRST_TICK + 2, **a_tick(77))


def newer_tick(host):
    host.tick(FIRST_TICK + 1000, **a_tick(78))


def rolled_up(host):
    late_tick(host)
    roll_up(host.host)


def pruned(host):
    apply_retention(max_points=10)


def pruned_by_the_task(host):
    newer_tick(host)
    prune()


def upserted(host):
    CpuSample.objects.filter(tier=60).update(percent=99)


def renamed(host):
    Host.objects.filter(pk=host.host.pk).update(name="another")


CHANGES = [late_tick, newer_tick, rolled_up, pruned, pruned_by_the_task, upserted, renamed]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_no_answer_is_older_than_the_newest_commit(visitor, recorded, change):
    for path in KEPT:
        visitor.get(path)
    change(recorded)
    for path in KEPT:
        visitor.agrees(path)
        visitor.agrees(path)


def test_a_change_that_comes_while_an_answer_is_made_counts_as_later(visitor, recorded):
    """The mark is older than the answer: the answer is thrown away once too often, and never once too late."""
    django = visitor.django

    def slow(environ, start_response):
        answer = django(environ, start_response)
        newer_tick(recorded)
        return answer

    visitor.django = slow
    visitor.get("metrics/current")
    visitor.django = django
    visitor.agrees("metrics/current")


def test_an_open_transaction_is_not_seen_and_not_answered_from_memory(visitor, recorded):
    visitor.get("metrics/cpu")
    with transaction.atomic():
        newer_tick(recorded)
        visitor.agrees("metrics/cpu")
        transaction.set_rollback(True)
    visitor.agrees("metrics/cpu")


def test_a_database_that_does_not_answer_is_for_django_to_report(visitor, monkeypatch):
    def fail(self):
        raise DatabaseError("gone")

    visitor.get("metrics/cpu")
    monkeypatch.setattr(CommitWatch, "_sqlite_mark", fail)
    monkeypatch.setattr("metrics.storage.commit_watch._postgresql_mark", lambda: fail(None))
    visitor.agrees("metrics/cpu")
    assert visitor.asked == 2


def test_after_a_commit_one_asks_django_and_the_others_wait_for_it(visitor, recorded):
    """Whoever comes while an answer is renewed has its turn afterwards, and finds it."""
    visitor.get("metrics/cpu")
    newer_tick(recorded)
    django, waiting, answers = visitor.django, threading.Event(), []

    def slow(environ, start_response):
        late.start()
        waiting.wait(0.1)
        return django(environ, start_response)

    def ask():
        answers.append(visitor.get("metrics/cpu"))
        connections.close_all()

    late = threading.Thread(target=ask)
    visitor.django = slow
    first = visitor.get("metrics/cpu")
    visitor.django = django
    late.join()
    assert answers == [first]
    assert visitor.asked == 2


def test_who_has_waited_too_long_asks_django_too(visitor, recorded, monkeypatch):
    monkeypatch.setattr("metrics.api.response_cache.MAX_TURN_SECONDS", 0.01)
    visitor.get("metrics/cpu")
    newer_tick(recorded)
    [(stuck, _size)] = visitor.door._answers._by_key.values()
    with stuck.renewal:
        visitor.agrees("metrics/cpu")
    assert visitor.asked == 2


# Conditional requests -------------------------------------------------------------------------------------------


def tag_of(answer):
    return dict(answer[1])["ETag"]


def test_who_has_the_answer_is_told_so_without_touching_the_samples(visitor):
    for path in KEPT:
        answer = visitor.get(path)
        with CaptureQueriesContext(connection) as queries:
            unchanged = visitor.get(path, IF_NONE_MATCH=tag_of(answer))
        assert (unchanged[0], unchanged[2]) == ("304 Not Modified", b"")
        assert [query["sql"] for query in queries if "metrics" in query["sql"]] == []
        assert unchanged == visitor.get(path, past_the_door=True, IF_NONE_MATCH=tag_of(answer))
        assert {"ETag", "Cache-Control", "Vary", "Content-Security-Policy"} <= dict(unchanged[1]).keys()


def test_another_tag_and_a_newer_answer_are_given_whole(visitor, recorded):
    tag = tag_of(visitor.get("metrics/cpu"))
    assert visitor.agrees("metrics/cpu", IF_NONE_MATCH='"other"')[0] == "200 OK"
    newer_tick(recorded)
    assert visitor.agrees("metrics/cpu", IF_NONE_MATCH=tag)[0] == "200 OK"
    assert tag_of(visitor.get("metrics/cpu")) != tag


def test_a_commit_that_changes_nothing_in_an_answer_leaves_its_tag(visitor, recorded):
    past = f"metrics/cpu?end={NOON}"
    tag = tag_of(visitor.get(past))
    newer_tick(recorded)
    assert visitor.agrees(past, IF_NONE_MATCH=tag)[0] == "304 Not Modified"


def test_a_tag_may_be_weak_or_among_others(visitor):
    tag = tag_of(visitor.get("metrics/cpu"))
    for condition in (f"W/{tag}", f'"other", {tag}', "*"):
        assert visitor.agrees("metrics/cpu", IF_NONE_MATCH=condition)[0] == "304 Not Modified"


def test_errors_pages_and_what_depends_on_the_clock_have_no_tag(visitor):
    for path in NOT_KEPT:
        assert "ETag" not in dict(visitor.get(path)[1])


# Memory ---------------------------------------------------------------------------------------------------------


TEN_BYTES = KeptAnswer(1, "", b"ten bytes.", [], [])
ROOM = size_of("a", TEN_BYTES)


def test_what_was_not_asked_for_the_longest_goes_first():
    answers = CachedResponses(most_bytes=2 * ROOM)
    for key in "abc":
        answers.keep(key, TEN_BYTES)
        answers.find("a", 1)
    assert [key for key in "abc" if answers.find(key, 1)] == ["a", "c"]


def test_an_answer_takes_the_place_of_the_one_before():
    answers = CachedResponses(most_bytes=2 * ROOM)
    for mark in range(9):
        answers.keep("a", KeptAnswer(mark, "", b"ten bytes.", [], []))
    answers.keep("b", KeptAnswer(8, "", b"ten bytes.", [], []))
    assert [answers.find(key, 8) is not None for key in "ab"] == [True, True]
    assert answers.find("a", 7) is None


def test_long_headers_take_room_too():
    answers = CachedResponses(most_bytes=2 * (ROOM + 400))
    for number in range(10):
        answers.keep(f"{'x' * 400}{number}", TEN_BYTES)
    assert len(answers._by_key) == 2


def test_no_more_than_so_many_answers_are_kept():
    answers = CachedResponses(most_bytes=100 * ROOM, most=3)
    for number in range(10):
        answers.keep(number, TEN_BYTES)
    assert list(answers._by_key) == [7, 8, 9]


def test_small_answers_take_no_more_memory_than_is_counted():
    """Keys and headers as requests have them, each a text of its own."""
    most_bytes = 1_000_000
    answers = CachedResponses(most_bytes)

    def request(number):
        query = f"limit={number}"
        names = [*HEADERS][:8]
        return (
            "127.0.0.1",
            "http",
            "",
            "/api/v1/metrics/cpu",
            query,
            *((f"{name} "[:-1], f"{number} a header") for name in names),
        )

    def headers(number):
        return [(f"Header-{place}", f"value {number}") for place in range(10)]

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(3000):
            answers.keep(
                request(number),
                KeptAnswer(number, f"tag {number}", b"x" * (300 + number), headers(number), headers(number)),
            )
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert most_bytes * 0.4 < held < most_bytes
