"""The events in the admin: by kind, and with command lines for who may see them."""

from metrics.models import Event
from metrics.models.events import KINDS
from tests.admin.conftest import ATTACK, detail_path, list_path, text_of


def test_a_kind_can_be_chosen(recorded, superuser_client):
    path = list_path(Event)
    assert "1 event" in text_of(superuser_client.get(path, {"kind": "oom_kill"}))
    assert "0 events" in text_of(superuser_client.get(path, {"kind": "gap"}))
    page = text_of(superuser_client.get(path))
    assert all(f"kind={kind}" in page for kind in KINDS)


def test_an_unknown_kind_is_no_filter(recorded, superuser_client):
    assert superuser_client.get(list_path(Event), {"kind": "flood"}).status_code == 302


def test_the_page_shows_culprits_and_runs_nothing(recorded, superuser_client):
    page = text_of(superuser_client.get(detail_path(recorded[Event])))
    assert "node secret.js" in page
    assert ATTACK not in page


def test_command_lines_take_their_permission(recorded, viewer_client):
    page = text_of(viewer_client.get(detail_path(recorded[Event])))
    assert "secret.js" not in page
    assert "&quot;pid&quot;: 41" in page
