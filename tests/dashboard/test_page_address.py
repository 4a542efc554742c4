"""Moments in the page's address: every form that the API takes leads to the one that the script reads."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from metrics.dashboard.page_address import PLAIN, plain_query
from metrics.formatting.moments import parse_moment

pytestmark = pytest.mark.django_db
NOW = 1_795_369_200
NEW = "2026-11-22T17:40:00Z"


@pytest.fixture
def page(api, monkeypatch):
    monkeypatch.setattr("metrics.formatting.moments.wall_clock", lambda: float(NOW))
    return lambda query: api.get(f"/?{query}", headers={"accept": "text/html"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("at=-2h", {"at": "2026-11-22T15:40:00Z"}),
        ("at=now", {"at": NEW}),
        (f"at={NOW}", {"at": NEW}),
        ("at=2026-11-22T17:40", {"at": NEW}),
        ("at=2026-11-23T02:40:00+09:00", {"at": NEW}),
        ("from=-1h30m", {"from": "2026-11-22T16:10:00Z", "to": NEW}),
        ("from=-2h&to=-1h", {"from": "2026-11-22T15:40:00Z", "to": "2026-11-22T16:40:00Z"}),
        ("from=2026-11-22T17:00:00Z", {"from": "2026-11-22T17:00:00Z", "to": NEW}),
        ("from=2026-11-20&to=2026-11-21T00:00:00Z", {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}),
        ("at=now&host=a%26b&filter=%ED%95%9C", {"at": NEW, "host": "a&b", "filter": "\ud55c"}),
    ],
)
def test_any_form_leads_to_the_one_of_the_script(page, query, expected):
    answer = page(query)
    assert answer.status_code == 302
    assert answer["Location"].startswith("?")
    assert {name: one for name, [one] in parse_qs(urlsplit(answer["Location"]).query).items()} == expected
    assert page(answer["Location"][1:]).status_code == 200


@pytest.mark.parametrize("query", ["", f"at={NEW}", f"from={NEW}&to={NEW}", "from=&to=&at=", "paused&range=1h"])
def test_an_address_of_the_script_is_the_page(page, query):
    assert page(query).status_code == 200


@pytest.mark.parametrize("name", ["from", "to", "at"])
@pytest.mark.parametrize("text", ["1/2", "12", "may", "tomorrow", "2h", "2026", "25:00", "0001-01-01T00:00%2B14:00"])
def test_what_is_no_moment_is_named_and_not_guessed(page, name, text):
    answer = page(f"{name}={text}")
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("text/plain")
    assert re.fullmatch(rf"{name}: .*now, -2h, or seconds since the epoch\.\n", answer.content.decode())


@given(st.integers(100_000_000, 32_503_679_999))
def test_an_address_is_plain_after_one_step_and_means_the_same(seconds):
    query = plain_query(QueryDict(f"at={seconds}"))
    at = QueryDict(query)["at"]
    assert PLAIN.fullmatch(at)
    assert parse_moment(at) == seconds
    assert plain_query(QueryDict(query)) is None


@given(st.text(max_size=20))
def test_any_text_is_a_moment_or_refused(text):
    query = QueryDict(mutable=True)
    query["at"] = text
    try:
        plain = plain_query(query)
    except ValueError as error:
        assert str(error).startswith("at: ")
    else:
        assert plain is None or PLAIN.fullmatch(QueryDict(plain)["at"])
