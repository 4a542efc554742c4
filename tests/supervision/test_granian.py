"""What is used of granian beside its public interface: another version may have it no longer."""

from importlib import import_module
from importlib.metadata import version

import pytest
from granian import _futures, wsgi
from granian._granian import RSGIWorker, SocketHolder, WSGIWorker
from granian.server import MPServer, MTServer

from metrics.supervision.granian_server import BACKLOG, REPLACEMENTS, UNREAD_SECONDS, WEB_SOCKETS, listening_socket

ADVICE = (
    "read metrics/supervision/granian_server.py and try tests/supervision/test_slow_clients.py and "
    "test_granian_requests.py with it, then say so here"
)
ITS_OWN = {
    "WSGIWorker": WSGIWorker,
    "_wsgi_call_wrap": wsgi._callback_wrapper,
    "_new_cbscheduler": _futures._new_cbscheduler,
}


def test_it_is_the_version_that_this_was_written_for():
    assert version("granian") == "2.8.7", ADVICE


@pytest.mark.parametrize("module", ["mt", "mp"])
@pytest.mark.parametrize("name", REPLACEMENTS)
def test_its_servers_look_up_what_is_replaced(module, name):
    found = getattr(import_module(f"granian.server.{module}"), name, None)
    assert found in {ITS_OWN[name], REPLACEMENTS[name]}, ADVICE


def test_its_worker_for_rsgi_takes_what_that_for_wsgi_takes_and_whether_there_are_web_sockets():
    of_wsgi, of_rsgi = (parse(worker.__text_signature__) for worker in (WSGIWorker, RSGIWorker))
    assert of_rsgi[:WEB_SOCKETS] == of_wsgi[:WEB_SOCKETS], ADVICE
    assert of_rsgi[WEB_SOCKETS:] == ["websockets_enabled", *of_wsgi[WEB_SOCKETS:]], ADVICE


def parse(signature):
    return [argument.partition("=")[0].strip(" ()") for argument in signature.split(",")]


@pytest.mark.parametrize("server_class", [MTServer, MPServer])
@pytest.mark.parametrize("method", ["_init_shared_socket", "_spawn_wsgi_worker", "serve"])
def test_its_servers_have_the_methods_that_are_overridden(server_class, method):
    assert callable(getattr(server_class, method, None)), ADVICE


def test_a_connection_ends_when_its_client_takes_nothing_any_more():
    import socket

    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        pytest.skip("the kernel has no such option")
    with listening_socket("127.0.0.1", 0) as listening:
        assert SocketHolder(listening.fileno(), False, BACKLOG).get_fd() == listening.fileno()
        with socket.create_connection(listening.getsockname()[:2]):
            listening.setblocking(True)
            accepted, _address = listening.accept()
            with accepted:
                set_to = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert set_to == UNREAD_SECONDS * 1000
