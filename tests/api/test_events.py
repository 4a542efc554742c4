"""GET /api/v1/events"""

import csv
import io
import json

import pytest
from django.contrib.auth.models import Permission, User

from metrics.models import Event
from metrics.models.events import KINDS, Culprit, NewEvent, note_event
from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/events"
JAVA = Culprit(7, "java", username="app", command="java -jar shop.jar", rss_bytes=16 * 2**30, is_likely=True)
PYTHON = Culprit(8, "python3", cpu_percent=99.5)


@pytest.fixture
def note(recorded):
    """Store an event of a kind so many seconds after the first tick."""

    def store(kind, after, lasts=None, **more):
        at = FIRST_TICK + after
        ends = None if lasts is None else at + lasts
        values = {"title": f"{kind} {after}", **more}
        assert note_event(recorded.host.pk, NewEvent(kind, f"{after}", at, ended_at=ends, **values))

    return store


def titles(api, **query):
    response = api.get(ADDRESS, query)
    assert response.status_code == 200, response.content
    return [event["title"] for event in response.json()["results"]]


def test_an_event_says_what_happened_and_who_did_it(api, note):
    note("unclean_stop", 0, 420.5, title="Gone for 7 min", details={"booted_at": 5}, culprits=[JAVA])
    body = api.get(ADDRESS).json()
    [event] = body.pop("results")
    assert body == {"host": "test-host", "count": 1, "next": None}
    assert event.pop("id") > 0
    [culprit] = event.pop("culprits")
    assert event == {
        "kind": "unclean_stop",
        "host": "test-host",
        "started_at": "2026-11-22T17:10:00.000Z",
        "ended_at": "2026-11-22T17:17:00.500Z",
        "severity": "critical",
        "title": "Gone for 7 min",
        "details": {"booted_at": 5},
    }
    assert culprit == {
        "pid": 7,
        "name": "java",
        "username": "app",
        "unit": None,
        "command": "java -jar shop.jar",
        "cpu_percent": None,
        "children_cpu_percent": None,
        "memory_percent": None,
        "rss_bytes": 16 * 2**30,
        "read_bytes_per_second": None,
        "write_bytes_per_second": None,
        "is_likely": True,
    }


def test_what_an_older_version_did_not_store_of_a_culprit_is_null(api, recorded):
    note_event(recorded.host.pk, NewEvent("mark", "1", FIRST_TICK, "deployed", culprits=[PYTHON]))
    event = Event.objects.get()
    del event.culprits[0]["children_cpu_percent"]
    event.save()
    [culprit] = api.get(ADDRESS).json()["results"][0]["culprits"]
    assert (culprit["name"], culprit["cpu_percent"], culprit["children_cpu_percent"]) == ("python3", 99.5, None)


def test_without_events_there_are_no_results(api, recorded):
    assert api.get(ADDRESS).json() == {"host": "test-host", "count": 0, "next": None, "results": []}


def test_before_the_first_sample_there_is_no_host(api, db):
    assert api.get(ADDRESS).status_code == 503
    assert api.get(ADDRESS, {"host": "nobody"}).status_code == 404


def test_a_range_has_what_touches_it(api, note):
    note("gap", 0, 100)
    note("mark", 50)
    note("gap", 150, 100)
    note("mark", 300)
    at = [f"2026-11-22T17:{10 + after // 60}:{after % 60:02}Z" for after in (0, 50, 101, 149, 250, 299)]
    assert titles(api) == ["gap 0", "mark 50", "gap 150", "mark 300"]
    assert titles(api, start=at[1], end=at[1]) == ["gap 0", "mark 50"]
    assert titles(api, start=at[2], end=at[3]) == []
    assert titles(api, start=at[4], end=at[5]) == ["gap 150"]
    assert titles(api, end=at[0], order="desc") == ["gap 0"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_for(api, note, kind):
    for number, name in enumerate(KINDS):
        note(name, number)
    assert [event["kind"] for event in api.get(ADDRESS, {"kind": kind}).json()["results"]] == [kind]


def test_several_kinds_are_joined_by_commas_and_an_unknown_one_is_refused(api, note):
    note("gap", 0)
    note("mark", 1)
    note("oom_kill", 2)
    assert titles(api, kind="oom_kill,gap") == ["gap 0", "oom_kill 2"]
    refused = api.get(ADDRESS, {"kind": "gap,flood"})
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["kind"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_lead_to_every_event_once_also_to_those_of_one_moment(api, recorded, limit, order):
    for number in range(7):
        event = NewEvent("oom_kill", f"{number}", FIRST_TICK + number // 4, f"{number}")
        note_event(recorded.host.pk, event)
    pages, address = [], f"{ADDRESS}?limit={limit}&order={order}"
    while address:
        body = api.get(address).json()
        assert body["count"] <= limit
        page = [event["title"] for event in body["results"]]
        pages.append(page if order == "desc" else page[::-1])
        address = body["next"]
    assert [title for page in pages for title in page] == list("6543210")


def test_another_host_has_its_own(api, note, other_host):
    note("mark", 0)
    note_event(other_host.host.pk, NewEvent("mark", "0", FIRST_TICK, "theirs"))
    assert titles(api) == ["mark 0"]
    assert titles(api, host="other-host") == ["theirs"]


def test_command_lines_are_for_who_may_see_them(api, note, settings):
    note("oom_kill", 0, culprits=[JAVA])
    settings.SYSMON_API_ACCESS = "public"

    def command(client):
        return client.get(ADDRESS).json()["results"][0]["culprits"][0]["command"]

    assert command(api) is None
    user = User.objects.create_user("viewer")
    api.force_login(user)
    assert command(api) is None
    user.user_permissions.add(Permission.objects.get(codename="view_command"))
    assert command(api) == "java -jar shop.jar"


def test_in_csv_each_culprit_is_a_row_and_an_event_without_one_too(api, note):
    note("oom_kill", 0, details={"limit": "machine"}, culprits=[JAVA, PYTHON])
    note("mark", 5, title='deployed "1.2"')
    response = api.get(ADDRESS, {"format": "csv"})
    assert "sysmon-test-host-events" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["kind"], row["name"]) for row in rows] == [("oom_kill", "java"), ("oom_kill", "python3"), ("mark", "")]
    assert json.loads(rows[0]["details"]) == {"limit": "machine"}
    assert rows[2]["title"] == 'deployed "1.2"'


def test_ndjson_has_the_same_rows(api, note):
    note("oom_kill", 0, culprits=[JAVA, PYTHON])
    lines = api.get(ADDRESS, {"format": "ndjson"}).content.decode().splitlines()
    assert [json.loads(line)["pid"] for line in lines] == [7, 8]


def test_what_is_told_twice_is_stored_once(api, recorded):
    event = NewEvent("gap", "100", FIRST_TICK, "once")
    assert [note_event(recorded.host.pk, event) for _ in range(3)] == [True, False, False]
    assert titles(api) == ["once"]
