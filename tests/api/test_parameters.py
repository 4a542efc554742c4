"""What is wrong in an address: 400 that names the parameter, whatever was sent."""

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.api.parameters import ProcessesParameters, SeriesParameters
from metrics.api.views import FlatViewSet, ProcessesViewSet, series_viewsets
from tests.conftest import FIRST_TICK

CPU, DISK = "/api/v1/metrics/cpu", "/api/v1/metrics/disk"
ADDRESSES = [
    "health",
    "metrics/current",
    "metrics/processes",
    "metrics/cpu/top",
    "metrics/cpu/peaks",
    *(f"metrics/{name}" for name in series_viewsets()),
]
NOT_POSITIVE = "Ensure this value is greater than or equal to 1."
NO_MOMENT = (
    "A valid moment is required: YYYY-MM-DD[Thh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]],"
    " now, -2h, or seconds since the epoch."
)


@pytest.fixture
def sampled(recorded):
    recorded.ticks(3)
    return recorded


def errors(response):
    body = response.json()
    assert response.status_code == 400, body
    assert list(body) == ["detail", "errors"]
    return body["errors"]


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("limit", "0", NOT_POSITIVE),
        ("limit", "-5", NOT_POSITIVE),
        ("limit", "1001", "Ensure this value is less than or equal to 1000."),
        ("limit", "9" * 18, "Ensure this value is less than or equal to 1000."),
        ("limit", "9" * 5000, "String value too large."),
        ("limit", "", "A valid integer is required."),
        ("limit", "ten", "A valid integer is required."),
        ("limit", "1.5", "A valid integer is required."),
        ("limit", "1_0", "A valid integer is required."),
        ("limit", "\uff11\uff10", "A valid integer is required."),
        ("limit", "\x0010", "A valid integer is required."),
        ("limit", "5\x1f", "A valid integer is required."),
        ("step", "0", NOT_POSITIVE),
        ("step", "0h", NOT_POSITIVE),
        ("step", "-30", NOT_POSITIVE),
        ("step", "367d", "Ensure this value is less than or equal to 31622400."),
        ("step", "9" * 18 + "d", "Ensure this value is less than or equal to 31622400."),
        ("step", "1.5", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("step", "30\x1f", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("step", "5 m", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("step", "5y", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("step", "AUTO", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("step", "٣٠", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("step", "", "A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        ("start", "soon", NO_MOMENT),
        ("start", "", NO_MOMENT),
        ("start", "2h", NO_MOMENT),
        ("start", "03:12", NO_MOMENT),
        ("end", "yesterday", NO_MOMENT),
        ("end", "-999999999w", NO_MOMENT),
        ("end", "1795367400000", NO_MOMENT),
        ("order", "up", '"up" is not a valid choice.'),
        ("order", "", '"" is not a valid choice.'),
        ("fields", "percent,nonsense", '"nonsense" is not a valid choice.'),
        ("fields", "percent ", '"percent " is not a valid choice.'),
        ("fields", "", "This field may not be blank."),
        ("fields", "percent,", "This field may not be blank."),
        ("fields", "x" * 4097, "Ensure this field has no more than 4096 characters."),
        ("host", "", "This field may not be blank."),
        ("host", "a\x00b", "Null characters are not allowed."),
        ("host", "x" * 10_000, "Ensure this field has no more than 255 characters."),
        ("format", "xml", '"xml" is not a valid choice.'),
        ("format", "", '"" is not a valid choice.'),
        ("format", "JSON", '"JSON" is not a valid choice.'),
        ("nonsense", "1", "There is no such parameter."),
        ("", "1", "There is no such parameter."),
        ("Limit", "1", "There is no such parameter."),
    ],
)
def test_a_wrong_value_is_refused_in_plain_words(api, sampled, parameter, value, message):
    response = api.get(CPU, {parameter: value})
    assert errors(response) == {parameter: [message]}
    assert response.json()["detail"] == f"{parameter}: {message}"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("1795367405", "1795367410"),
        ("1795367405.0", "now"),
        ("-595s", "-9m50s"),
        ("now-595s", "now-9m50s"),
        (" -595s ", "2026-11-22T17:10:10Z"),
    ],
)
def test_a_moment_may_be_seconds_or_relative_to_now(api, sampled, monkeypatch, start, end):
    monkeypatch.setattr("metrics.formatting.moments.wall_clock", lambda: FIRST_TICK + 600.0)
    found = [point["timestamp"] for point in api.get(CPU, {"start": start, "end": end}).json()["results"]]
    assert found == ["2026-11-22T17:10:05.000Z", "2026-11-22T17:10:10.000Z"]


def test_the_next_page_begins_where_this_one_did(api, sampled, monkeypatch):
    monkeypatch.setattr("metrics.formatting.moments.wall_clock", lambda: FIRST_TICK + 600.0)
    following = api.get(CPU, {"start": "-600s", "end": "now", "limit": 2}).json()["next"]
    assert "start=2026-11-22T17:10:00.000Z&end=2026-11-22T17:10:04.999Z" in following
    monkeypatch.setattr("metrics.formatting.moments.wall_clock", lambda: FIRST_TICK + 10_000.0)
    assert api.get(following).json()["count"] == 1


def test_start_after_end_is_refused(api, sampled):
    found = errors(api.get(CPU, {"start": "2026-11-22T17:10:01Z", "end": "2026-11-22T17:10:00Z"}))
    assert found == {"start": ["Ensure this moment is not after end."]}


def test_an_end_before_1970_is_no_trouble(api, sampled):
    assert api.get(CPU, {"end": "1969-12-31T23:59:59Z"}).json()["results"] == []


def test_the_same_day_as_start_and_end_is_that_day(api, sampled):
    assert api.get(CPU, {"start": "2026-11-22", "end": "2026-11-22"}).json()["count"] == 3


def test_a_parameter_that_is_given_twice_is_refused(api, sampled):
    found = errors(api.get(f"{CPU}?limit=5&limit=5"))
    assert found == {"limit": ["This parameter may be given once only."]}


def test_every_wrong_parameter_is_named(api, sampled):
    found = errors(api.get(f"{CPU}?limit=0&step=0&x=1&order=asc&order=desc&start=never"))
    assert sorted(found) == ["limit", "order", "start", "step", "x"]


def test_errors_are_json_whatever_format_was_asked_for(api, sampled):
    for form in ("csv", "ndjson", "json"):
        response = api.get(CPU, {"format": form, "limit": 0})
        assert response.headers["Content-Type"] == "application/json"
        assert "Content-Disposition" not in response.headers
        assert errors(response) == {"limit": [NOT_POSITIVE]}
    response = api.get(CPU, {"limit": 0}, headers={"accept": "text/csv"})
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_takes_an_unknown_parameter(api, sampled, address):
    assert errors(api.get(f"/api/v1/{address}?nonsense=1")) == {"nonsense": ["There is no such parameter."]}


@pytest.mark.parametrize("value", ["x" * 4097, "a\x00b", "", "sda,"])
def test_a_wrong_label_is_refused(api, sampled, value):
    assert list(errors(api.get(DISK, {"device": value}))) == ["device"]


@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", "%s", "sda%", "<b>", "\uff53\uff44\uff41", "a" * 4096, ",".join(map(str, range(900)))]
)
def test_a_strange_label_finds_nothing(api, recorded, value):
    recorded.tick(disk={}, device=[{"device": "sda"}])
    [point] = api.get(DISK, {"device": value}).json()["results"]
    assert point["devices"] == []


@pytest.mark.parametrize("value", ["' OR 1=1 --", "%", "test-host\\", "호스트"])
def test_a_strange_host_is_unknown(api, sampled, value):
    assert api.get(CPU, {"host": value}).status_code == 404


def test_the_documented_formats_are_those_that_are_rendered():
    for viewset, parameters in ((ProcessesViewSet, ProcessesParameters), (FlatViewSet, SeriesParameters)):
        documented = set(parameters().fields["format"].choices)
        assert documented == {renderer.format for renderer in viewset.renderer_classes}


ANYTHING = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.sampled_from(
        [
            "auto",
            "5m",
            "percent",
            "now",
            "-2h",
            "-9999d",
            "1795367400",
            "0",
            "2026-11-22",
            "9999-12-31T23:59:59.999999-14:00",
            "0001-01-01",
            "csv",
        ]
    ),
)
NAMES = [
    "limit",
    "start",
    "end",
    "step",
    "order",
    "field",
    "fields",
    "host",
    "format",
    "device",
    "interface",
    "at",
    "sort_by",
]


@pytest.mark.parametrize("address", ADDRESSES)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), ANYTHING, max_size=4))
def test_nothing_in_a_query_makes_a_500(api, recorded, address, query):
    assert django_settings.DEBUG is False
    response = api.get(f"/api/v1/{address}", {name: value.encode("utf-8", "replace") for name, value in query.items()})
    assert response.status_code in {200, 400, 404, 503}
    if response.status_code != 200 and address != "health":
        assert set(response.json()) == {"detail", "errors"}
