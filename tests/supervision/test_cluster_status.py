"""What a cluster says of itself in Redis: read as django-q2 reads it, whoever has written it."""

import json
import threading
from uuid import uuid4

import pytest
from django_q.signing import SignedPackage
from django_q.status import Stat

from metrics.supervision.cluster_status import json_of, package_of_status
from metrics.supervision.django_q_overrides import OneProcess, ThreadQueue
from tests.supervision.planted import FOREIGN


@pytest.fixture
def package(monkeypatch):
    cluster = OneProcess(threading.Event(), threading.Event(), uuid4(), broker=object(), start=False)
    cluster.task_queue, cluster.result_queue = ThreadQueue(), ThreadQueue()
    return SignedPackage.dumps(Stat(cluster), True)


def test_it_is_json_and_comes_back_as_it_was(package):
    text = json_of(package)
    before, after = SignedPackage.loads(package), SignedPackage.loads(package_of_status(text.encode()))
    assert isinstance(after, Stat)
    for name in json.loads(text):
        assert str(getattr(after, name)) == str(getattr(before, name))
    assert after.uptime() >= 0


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_status_is_nothing_and_is_not_unpickled(name, tmp_path):
    assert package_of_status(FOREIGN[name](tmp_path / "ran").encode()) is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change", [{"pid": "x"}, {"pid": None}, {"workers": [{}]}, {"workers": 5}, {"tob": "now"}, {"cluster_id": 1}]
)
def test_a_status_with_anything_else_in_it_is_nothing(package, change):
    assert package_of_status(json.dumps({**json.loads(json_of(package)), **change}).encode()) is None


@pytest.mark.parametrize("text", [None, b"", b"[]", b"1", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_nothing(text):
    assert package_of_status(text) is None


def test_a_name_cannot_steer_the_terminal(package):
    text = json.dumps({**json.loads(json_of(package)), "host": "\x1b[2J"})
    assert SignedPackage.loads(package_of_status(text.encode())).host == r"\x1b[2J"
