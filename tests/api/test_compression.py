"""Compressed answers: for who takes them, with tags of their own, and never where a secret could be guessed by size."""

import gzip

import pytest
from django.contrib.auth.models import User

from metrics.api.compression import takes_gzip
from tests.conftest import FIRST_TICK

CPU = "/api/v1/metrics/cpu?limit=1000"


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        (None, False), ("", False), ("gzip", True), ("GZip", True), ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True), ("gzip;q=0", False), ("gzip; q=0.000", False), ("*", True),
        ("*;q=0", False), ("gzip;q=0, *", False), ("identity", False), ("br", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=0.5", True), ("gzip, identity;q=0", True), ("x-gzip", True),
        ("*;q=0.2, identity", False),
        ("gzip;q=x", False), ("gzipped", False), (",,;;==,", False),
    ],
)  # fmt: skip
def test_it_is_as_the_client_says(accepted, is_taken):
    assert takes_gzip(accepted) is is_taken


@pytest.mark.parametrize(
    "path", [CPU, f"{CPU}&format=csv", f"{CPU}&format=ndjson", "/api/v1/families", "/openapi.json"]
)
def test_the_same_is_sent_smaller(api, recorded, path):
    recorded.ticks(200)
    plain = api.get(path)
    small = api.get(path, headers={"accept-encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert int(small.headers["Content-Length"]) == len(small.content) < len(plain.content) / 3
    assert gzip.decompress(small.content) == plain.content
    assert all("Accept-Encoding" in response.headers["Vary"] for response in (plain, small))


def test_what_is_short_stays_as_it_is(api, recorded):
    recorded.ticks(1)
    assert "Content-Encoding" not in api.get(f"{CPU}&fields=percent", headers={"accept-encoding": "gzip"}).headers


def test_each_coding_has_its_tag_and_its_304(api, recorded):
    recorded.ticks(50)
    tags = {}
    for accepted in ("gzip", "identity"):
        tags[accepted] = api.get(CPU, headers={"accept-encoding": accepted}).headers["ETag"]
    assert len(set(tags.values())) == 2
    assert not any(tag.startswith("W/") for tag in tags.values())
    for accepted, tag in tags.items():
        # A proxy that compresses makes it a weak one.
        for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            unchanged = api.get(CPU, headers={"accept-encoding": accepted, "if-none-match": condition})
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["ETag"] == tag
            assert "Accept-Encoding" in unchanged.headers["Vary"]
            assert "Content-Encoding" not in unchanged.headers
    crossed = api.get(CPU, headers={"accept-encoding": "identity", "if-none-match": tags["gzip"]})
    assert crossed.status_code == 200


def test_a_change_is_sent_again(api, recorded):
    recorded.ticks(50)
    tag = api.get(CPU, headers={"accept-encoding": "gzip"}).headers["ETag"]
    recorded.tick(FIRST_TICK + 5000, cpu={"percent": 1.5})
    assert api.get(CPU, headers={"accept-encoding": "gzip", "if-none-match": tag}).status_code == 200


def test_who_is_signed_in_gets_it_too(api, recorded):
    recorded.ticks(50)
    api.force_login(User.objects.create_superuser("jin"))
    assert api.get(CPU, headers={"accept-encoding": "gzip"}).headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/metrics/host/?q=guess", "/api/v1/metrics/cpu?limit=5", "/admin/login/"]
)
def test_a_page_with_a_secret_that_repeats_a_text_is_not_compressed(api, recorded, path):
    """Its size would tell the secret, letter by letter (BREACH)."""
    recorded.ticks(5)
    if path != "/admin/login/":
        api.force_login(User.objects.create_superuser("jin"))
    page = api.get(path, headers={"accept": "text/html", "accept-encoding": "gzip"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert "Content-Encoding" not in page.headers


def test_the_front_page_is_compressed_and_its_token_is_another_each_time(api, db):
    pages = [api.get("/?guess=csrf", headers={"accept": "text/html", "accept-encoding": "gzip"}) for _ in range(2)]
    assert all(page.headers["Content-Encoding"] == "gzip" for page in pages)
    texts = [gzip.decompress(page.content).decode() for page in pages]
    assert texts[0] != texts[1]
    assert not any("guess" in text for text in texts)


def test_tokens_are_never_compressed(api, db, no_attempts):
    User.objects.create_user("jin", password="right")
    answer = api.post(
        "/api/v1/auth/token", {"username": "jin", "password": "right"}, headers={"accept-encoding": "gzip"}
    )
    assert "Content-Encoding" not in answer.headers
