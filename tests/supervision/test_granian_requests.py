"""Headers whose names WSGI cannot tell from others never arrive, whoever sends them: by the real web server."""

import itertools
from types import SimpleNamespace

import pytest

from metrics.api.response_cache import KNOWN
from metrics.supervision.granian_server import (
    KEPT_NAMES,
    REQUEST_BYTES,
    Variables,
    _runner_of,
    add_headers,
    environ_of,
    variables,
)
from tests.deploy.proxies import ask
from tests.supervision.running import Up

SENT = {
    "the header": ([("x-real", "1")], {"HTTP_X_REAL": "1"}),
    "an underscore": ([("x_real", "2")], {}),
    "both": ([("x-real", "1"), ("x_real", "2")], {"HTTP_X_REAL": "1"}),
    "both, the other way round": ([("x_real", "2"), ("x-real", "1")], {"HTTP_X_REAL": "1"}),
    "half of it": ([("x-real-ip", "1"), ("x-real_ip", "2"), ("x_real-ip", "3")], {"HTTP_X_REAL_IP": "1"}),
    "several values": ([("via", "a"), ("x", "y"), ("via", "b")], {"HTTP_VIA": "a,b", "HTTP_X": "y"}),
    "cookies": ([("cookie", "a=1"), ("cookie", "b=2")], {"HTTP_COOKIE": "a=1;b=2"}),
    "a body": ([("content-type", "t"), ("content-length", "3")], {"CONTENT_TYPE": "t", "CONTENT_LENGTH": "3"}),
    "a body's, falsely": ([("content_length", "3"), ("content_type", "t")], {}),
}


class Sent:
    """Headers as granian gives them."""

    def __init__(self, sent, also=()):
        self.sent, self.names = sent, list(dict.fromkeys([*dict(sent), *also]))

    def __iter__(self):
        return iter(self.names)

    def items(self):
        return self.sent

    def __len__(self):
        return len(self.names)


@pytest.mark.parametrize(("sent", "expected"), SENT.values(), ids=SENT)
def test_a_name_with_an_underscore_is_no_header(sent, expected):
    environ = {}
    assert add_headers(environ, Sent(sent)) == sum(len(name) + len(value) for name, value in sent)
    assert environ == expected


def test_a_value_that_is_no_text_leaves_its_name():
    environ = {}
    add_headers(environ, Sent([], also=["x-forwarded-for", "x_forwarded_for"]))
    assert environ == {"HTTP_X_FORWARDED_FOR": ""}


def test_a_long_name_is_no_other_and_not_remembered():
    assert variables["x-" * 100] == "HTTP_" + "X_" * 100
    assert variables["x_" * 100] is None
    assert not {"x-" * 100, "x_" * 100} & variables.keys()


def test_however_many_names_there_are_few_are_remembered():
    names = Variables()
    for number in range(3 * KEPT_NAMES):
        assert names[f"x-{number}"] == f"HTTP_X_{number}"
        assert len(names) <= KEPT_NAMES


SCOPE = {
    "path": "/",
    "query_string": "",
    "method": "GET",
    "http_version": "1.1",
    "scheme": "http",
    "server": "127.0.0.1:8000",
    "client": "192.0.2.1:40000",
    "authority": None,
    "headers": Sent([("host", "localhost")]),
}
DIFFERENT = {
    "an address of IPv6": ({"client": "[2001:db8::1]:9"}, {"REMOTE_ADDR": "2001:db8::1"}),
    "a server of IPv6": ({"server": "[::1]:8000"}, {"SERVER_NAME": "::1", "SERVER_PORT": "8000"}),
    "HTTP/1.0": ({"http_version": "1.0"}, {"SERVER_PROTOCOL": "HTTP/1.0"}),
    "letters of others": (
        {"path": "/é", "query_string": "a=é"},
        {"PATH_INFO": "/\xc3\xa9", "QUERY_STRING": "a=\xc3\xa9"},
    ),
    "no host": ({"headers": Sent([])}, {"HTTP_HOST": ""}),
    "a host in the address": ({"headers": Sent([]), "authority": "a:1"}, {"HTTP_HOST": "a:1"}),
    "two hosts": ({"headers": Sent([("host", "a"), ("host", "b")])}, {"HTTP_HOST": "a,b"}),
    "a host twice": ({"authority": "a:1"}, {"HTTP_HOST": "localhost"}),
}


@pytest.mark.parametrize(("scope", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_request_is_what_wsgi_wants(scope, expected):
    environ = environ_of(SimpleNamespace(**{**SCOPE, **scope}))
    assert {name: environ[name] for name in expected} == expected


def test_one_request_leaves_nothing_in_the_next():
    environ_of(SimpleNamespace(**{**SCOPE, "headers": Sent([("cookie", "a=1"), ("host", "a")])}))
    assert "HTTP_COOKIE" not in environ_of(SimpleNamespace(**SCOPE))


def test_the_front_door_knows_every_name_that_a_request_has():
    """It looks at each name of a request only where there is one that it does not know."""
    assert environ_of(SimpleNamespace(**SCOPE)).keys() - {REQUEST_BYTES} <= KNOWN


def test_what_goes_wrong_is_told_to_granian():
    told, error = [], ValueError()

    def fail(_environ, _exchange):
        raise error

    _runner_of(fail, {})(SimpleNamespace(scope=SimpleNamespace(**SCOPE), proto=None, err=told.append))
    assert told == [error]


# The real program ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Up(
        tmp_path_factory.mktemp("names") / "data",
        SYSMON_TRUSTED_PROXIES="127.0.0.1",
        SYSMON_API_ACCESS="authenticated",
        SYSMON_RATE_LOGIN="3/min",
    )
    running.start("--only", "web")
    yield running
    running.end_for_sure()


senders = (f"127.0.1.{number}" for number in itertools.count(1))
REAL, FORGED = "X-Forwarded-For", ["X_Forwarded_For", "X-Forwarded_For", "x_forwarded-for", "X_FORWARDED_FOR"]
ORDERS = {"before": lambda real, forged: {**forged, **real}, "after": lambda real, forged: {**real, **forged}}


def tried(up, headers):
    body = {"username": "root", "password": "wrong"}
    return ask(up.port, "/api/v1/auth/token", body, headers={"Host": "localhost", **headers}).status


@pytest.mark.live
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("forged", FORGED)
def test_behind_a_trusted_proxy_no_other_spelling_gives_a_new_count(up, order, forged):
    """What a client puts in is handed on by most proxies, before or behind what they add themselves."""
    real = next(senders)
    answers = [tried(up, ORDERS[order]({REAL: real}, {forged: f"198.51.100.{number}"})) for number in range(5)]
    assert answers == [401, 401, 401, 429, 429]


@pytest.mark.live
def test_nor_where_the_proxy_adds_none(up):
    answers = [tried(up, {"X_Forwarded_For": f"198.51.100.{number}"}) for number in range(5)]
    assert answers == [401, 401, 401, 429, 429]


@pytest.mark.live
def test_the_header_itself_is_believed(up):
    assert [tried(up, {REAL: f"203.0.113.{number}"}) for number in range(5)] == [401] * 5


@pytest.mark.live
def test_another_spelling_is_as_if_nothing_had_been_sent(up):
    plain = ask(up.port, "/api/v1/metrics/cpu", headers={"Host": "localhost"})
    names = ["X_Forwarded_Proto", "Remote_User", "X_CSRFToken", "Sec_Fetch_Site", "Accept_Language", "If_None_Match"]
    names += ["Transfer_Encoding", "Content_Length", "Content_Type", "HTTP_AUTHORIZATION", "_", "A_Z", "Cookie_"]
    for name in names:
        answer = ask(up.port, "/api/v1/metrics/cpu", headers={"Host": "localhost", name: "https, 12"})
        assert (answer.status, answer.body) == (plain.status, plain.body), name
    assert plain.status == 401


@pytest.mark.live
@pytest.mark.parametrize("path", ["/api/v1/health", "/%ff%fe", "/admin/login/?next=%2F%E2%82%AC", "/static/../x"])
def test_everything_else_arrives(up, path):
    assert ask(up.port, path, headers={"Host": "localhost"}).status in {200, 404, 503}


@pytest.mark.live
def test_a_long_file_arrives_as_a_whole_and_a_body_too(up):
    page = ask(up.port, "/admin/login/", headers={"Host": "localhost"}).body.decode()
    address = page.partition('href="/static/')[2].partition('"')[0]
    answer = ask(up.port, f"/static/{address}", headers={"Host": "localhost"})
    assert len(answer.body) == int(answer.headers["Content-Length"]) > 0
    padded = {"username": "root", "password": "x" * 400_000}
    long = ask(up.port, "/api/v1/auth/token", padded, headers={"Host": "localhost", REAL: "203.0.113.99"})
    assert (long.status, list(long.json["errors"])) == (400, ["password"])
