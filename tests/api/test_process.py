"""GET /api/v1/processes/ID"""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.models import Process, ProcessSample, ProcessTotals, Tick
from metrics.retention.rollup import roll_up
from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/processes"


@pytest.fixture
def busy(recorded):
    """Six ticks over half a minute; `7` is there at the first, the second and the fifth."""
    for number in range(6):
        process = {"pid": 7, "cpu_percent": 10.0 * number, "rss_bytes": 1024 * (number + 1), "status": "running"}
        others = [{"pid": 8, "cpu_percent": 1.0, "rss_bytes": 1024}]
        samples = [process, *others] if number in (0, 1, 4) else others
        recorded.tick(FIRST_TICK + 5 * number, processes={"total": 2}, process=samples)
    return recorded


@pytest.fixture
def address(busy):
    return f"{ADDRESS}/{Process.objects.get(pid=7).pk}"


def seconds(body):
    return [point["timestamp"][17:19] for point in body["results"]]


def test_it_says_who_it_is_and_when_it_was_seen(api, address):
    body = api.get(address).json()
    assert {name: value for name, value in body.items() if name not in ("id", "results")} == {
        "pid": 7,
        "name": "p7",
        "username": "root",
        "command": "p7 --run",
        "started_at": "2026-11-21T17:10:10.000Z",
        "host": "test-host",
        "first_seen": "2026-11-22T17:10:00.000Z",
        "last_seen": "2026-11-22T17:10:20.000Z",
        "count": 3,
        "next": None,
    }
    assert f"{ADDRESS}/{body['id']}" == address


def test_one_that_only_the_newest_tick_names_was_seen_then(api, recorded):
    for number in range(2):
        recorded.tick(FIRST_TICK + 5 * number, processes={"total": 1}, process=[{"pid": 5, "is_kept": False}])
    body = api.get(f"{ADDRESS}/{Process.objects.get(pid=5).pk}").json()
    assert (body["first_seen"], body["last_seen"], body["count"]) == (*["2026-11-22T17:10:05.000Z"] * 2, 0)


def test_a_point_has_what_a_process_is_measured_by(api, address):
    assert api.get(address).json()["results"][1] == {
        "timestamp": "2026-11-22T17:10:05.000Z",
        "resolution": 5,
        "status": "running",
        "cpu_percent": 10.0,
        "children_cpu_percent": None,
        "memory_percent": None,
        "rss_bytes": 2048,
        "read_bytes_per_second": None,
        "write_bytes_per_second": None,
        "threads": None,
    }


def test_there_is_no_point_where_it_was_not_among_the_highest(api, address):
    assert seconds(api.get(address).json()) == ["00", "05", "20"]


def test_start_end_and_order_choose_points(api, address):
    query = {"start": "2026-11-22T17:10:05Z", "end": "2026-11-22T17:10:20Z", "order": "desc"}
    assert seconds(api.get(address, query).json()) == ["20", "05"]


def test_next_leads_to_the_points_before(api, address):
    newest = api.get(address, {"limit": 2}).json()
    assert seconds(newest) == ["05", "20"]
    older = api.get(newest["next"]).json()
    assert (seconds(older), older["next"]) == (["00"], None)


def test_a_step_takes_the_mean_over_all_the_time_that_was_recorded(api, address):
    [point] = api.get(address, {"step": "1m"}).json()["results"]
    assert (point["resolution"], point["cpu_percent"], point["cpu_percent_max"]) == (60, round(50 / 6, 3), 40.0)
    assert (point["rss_bytes"], point["rss_bytes_max"]) == (round((1 + 2 + 5) * 1024 / 3), 5 * 1024)


def test_it_is_read_from_roll_ups_where_nothing_else_is_left(api, busy, address):
    roll_up(busy.host)
    for model in (ProcessSample, ProcessTotals):
        model.objects.filter(tier=0).delete()
    Tick.objects.all().delete()
    body = api.get(address).json()
    [point] = body["results"]
    assert (point["resolution"], point["cpu_percent"], point["cpu_percent_max"]) == (60, 8.33, 40.0)
    assert (body["first_seen"], body["last_seen"]) == ("2026-11-22T17:10:00.000Z",) * 2


def test_auto_fits_the_life_of_the_process_into_the_limit(api, busy, address):
    busy.tick(FIRST_TICK + 86_400, processes={"total": 1}, process=[{"pid": 8, "cpu_percent": 1.0}])
    body = api.get(address, {"step": "auto", "limit": 3}).json()
    assert [point["resolution"] for point in body["results"]] == [10, 10]
    assert body["next"] is None


def test_an_empty_range_is_empty(api, address):
    body = api.get(address, {"end": "2020-01-01"}).json()
    assert (body["count"], body["results"], body["pid"]) == (0, [], 7)


def test_csv_has_a_row_for_each_point(api, address):
    response = api.get(address, {"format": "csv"})
    lines = response.content.decode().splitlines()
    assert lines[0].startswith("timestamp,resolution,status,cpu_percent,children_cpu_percent,memory_percent,")
    assert lines[1].startswith("2026-11-22T17:10:00.000Z,5,running,0.0,")
    assert len(lines) == 4
    assert f"sysmon-test-host-process-{address.rpartition('/')[2]}.csv" in response.headers["Content-Disposition"]


def test_csv_of_a_step_has_the_maxima_too(api, address):
    assert b"cpu_percent,cpu_percent_max," in api.get(address, {"format": "csv", "step": "1m"}).content


def test_ndjson_has_a_line_for_each_point(api, address):
    assert api.get(address, {"format": "ndjson"}).content.count(b"\n") == 3


@pytest.mark.parametrize("wrong", ["0", "999999", "abc", "-1", "1.5", str(10**30), "9" * 5000, "1/2", "٣", "%00", "1 "])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_an_unknown_id_is_404_in_json_or_on_a_page(api, busy, wrong, accept):
    response = api.get(f"{ADDRESS}/{wrong}", headers={"accept": accept})
    assert response.status_code == 404
    if accept == "*/*":
        assert list(response.json()) == ["detail", "errors"]


def test_the_row_for_all_others_is_no_process(api, busy):
    roll_up(busy.host)
    others = Process.objects.get(pid=0)
    assert api.get(f"{ADDRESS}/{others.pk}").status_code == 404


@pytest.mark.parametrize(
    ("parameters", "wrong"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"step": "0"}, "step"),
        ({"order": "up"}, "order"),
        ({"host": "test-host"}, "host"),
        ({"fields": "cpu_percent"}, "fields"),
        ({"start": "2026-11-23", "end": "2026-11-22"}, "start"),
        ({"format": "xml"}, "format"),
    ],
)
def test_a_wrong_parameter_is_named(api, address, parameters, wrong):
    response = api.get(address, parameters)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [wrong]


def test_a_parameter_that_is_given_twice_is_refused(api, address):
    assert api.get(f"{address}?limit=1&limit=1").status_code == 400


def test_the_command_is_hidden_where_everybody_may_read(api, address, settings):
    settings.SYSMON_API_ACCESS = "public"
    assert api.get(address).json()["command"] is None


def test_it_takes_a_user_where_access_does(address, settings):
    settings.SYSMON_API_ACCESS, settings.ALLOWED_HOSTS = "authenticated", ["localhost"]
    client = Client(headers={"host": "localhost"})
    assert client.get(address).status_code == 401
    client.force_login(User.objects.create_user("jin", password="secret"))
    body = client.get(address).json()
    assert (body["pid"], body["command"]) == (7, None)


def test_an_address_with_a_slash_goes_to_the_one_without(api, address):
    assert api.get(f"{address}/")["Location"] == address


def test_it_is_browsable(api, address):
    html = api.get(address, headers={"accept": "text/html"}).content.decode()
    assert "&quot;first_seen&quot;" in html
