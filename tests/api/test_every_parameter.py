"""Every parameter of every address, with values that hardly fit and with values that make no sense."""

from itertools import product
from urllib.parse import quote_plus

import pytest
from django.urls import URLPattern, get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from metrics.api.parameters import Parameters

CASES, CASES_OF_SOAK = 60, 3000


def addresses():
    """Address -> the names of its parameters."""
    patterns = (entry for entry in get_resolver("metrics.api.urls").url_patterns if isinstance(entry, URLPattern))
    for pattern in patterns:
        taken = getattr(getattr(pattern.callback, "cls", None), "taken", None)
        if taken is not None and issubclass(taken, Parameters):
            yield f"/{pattern.pattern}".replace("<int:id>", "1"), sorted(taken().fields)


ADDRESSES = dict(addresses())
EDGES = [
    "", "0", "-1", "1", "00", "1000", "1001", "1e3", "0x10", "9" * 18, "9" * 19, "9" * 5000, "١٢", "NaN", "inf", "1_0",
    "+5", "5.0", " 5 ", "5\x1f", "5\x85",
    "auto", "AUTO", "1s", "1w", "0d", "366d", "367d", "31622401", "asc", "desc", "null", "true", "[]", "{}",
    "2026-11-22", "2026-11-22T17:10:00Z", "2026-11-22T17:10:00+09:00", "2026-11-22T17:10:00 09:00", "0001-01-01",
    "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59", "10000-01-01", "2026-02-30", "2026-11-22T24:00",
    "2026-11-22T23:59:60Z", "1795367400", "-1795367400", "2026-W47-7", "2026-326", "20261122T171000Z", "now",
    "percent", "percent,percent", ",", ",,", "percent,", "per_core", "test-host", "other-host", "nowhere", "sda,sda1",
    "/", "lo", "../../etc/passwd", "'; DROP TABLE metrics_tick; --", "\" OR 1=1", "%", "%%s", "%(x)s", "{0}", "${7*7}",
    "<script>", "\x00", "a\x00b", "\n", "\r\nSet-Cookie: x=1", "\u202e", "\ud7ff", "\U0010ffff", "\ufeff", "é" * 3000,
]  # fmt: skip
VALUES = st.sampled_from(EDGES) | st.text(max_size=40) | st.integers().map(str) | st.datetimes().map(str)
ENCODED = VALUES.map(quote_plus) | st.binary(max_size=20).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
# Not even a query string.
JUNK = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)


def queries(names):
    pairs = st.tuples(st.sampled_from([*names, "x", ""]), ENCODED).map("=".join)
    return st.lists(pairs, max_size=6).map("&".join) | JUNK


@pytest.fixture
def full(api, recorded):
    times = recorded.ticks(20)
    recorded.tick(
        times[-1] + 5, cpu={"percent": 1.0}, memory={"percent": 2.0}, disk={}, partition=[{"device": "sda1"}],
        device=[{"device": "sda"}], interface=[{"interface": "lo"}], processes={"total": 1},
        process=[{"pid": 7, "cpu_percent": 3.0}],
    )  # fmt: skip
    return api


def is_error(body):
    texts = [text for messages in body["errors"].values() for text in messages]
    return body.keys() == {"detail", "errors"} and body["detail"] and all(isinstance(text, str) for text in texts)


@pytest.mark.soak
@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_that_is_asked_makes_an_error_of_ours(full, is_soak, address):
    @settings(
        max_examples=CASES_OF_SOAK if is_soak else CASES, deadline=None, derandomize=not is_soak, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(query=queries(ADDRESSES[address]))
    def ask(query):
        response = full.generic("GET", address, QUERY_STRING=query)
        assert response.status_code in {200, 400, 404, 503}
        if response.status_code in {400, 404} and response.headers["Content-Type"] == "application/json":
            assert is_error(response.json())

    ask()


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_edge_of_each_parameter_is_an_answer(full, address):
    for name, value in product(ADDRESSES[address], EDGES):
        response = full.get(address, {name: value})
        assert response.status_code in {200, 400, 404, 503}, (name, value)
        if response.status_code == 400:
            assert name in response.json()["errors"], (name, value)


def test_every_address_that_has_parameters_is_asked():
    assert len(ADDRESSES) >= 17
    assert all("format" in names for names in ADDRESSES.values())
