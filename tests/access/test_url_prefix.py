"""The path below which a proxy publishes the program: every address begins with it, whether the proxy takes it off."""

import pytest
from django.urls import get_resolver

from metrics.access.permissions import is_open_by_settings
from metrics.access.url_prefix import OWN_SEGMENTS, parse_prefix, take_off_prefix


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", ""),
        ("/", ""),
        ("/sysmon", "/sysmon"),
        ("sysmon/", "/sysmon"),
        (" /a/b.c/ ", "/a/b.c"),
        ("/api/mine", "/api/mine"),
    ],
)
def test_it_is_read_with_or_without_slashes(text, prefix):
    assert parse_prefix(text) == prefix


@pytest.mark.parametrize(
    "text",
    ["/a b", "/a//b", "/..", "/a/../b", "/ä", "/a?b", "/a#b", "/%61", "https://a/b", "/a\nb", "/\\a"],
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(ValueError, match="must be a path"):
        parse_prefix(text)


@pytest.mark.parametrize("segment", sorted(OWN_SEGMENTS))
def test_an_address_of_the_program_is_refused(segment):
    with pytest.raises(ValueError, match="address of the program itself"):
        parse_prefix(f"/{segment}/")


def patterns(resolver, before=""):
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern).removeprefix("^")
        if hasattr(entry, "url_patterns"):
            yield from patterns(entry, path)
        else:
            yield path


def test_every_first_segment_of_the_program_is_known(settings):
    first = {path.strip("^").partition("/")[0] for path in patterns(get_resolver())} | {
        settings.STATIC_URL.split("/")[1]
    }
    assert {segment for segment in first if segment and "(" not in segment} == OWN_SEGMENTS


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/sysmon/api/v1", "/api/v1"), ("/api/v1", "/api/v1"), ("/sysmon", "/"), ("/sysmon/", "/"), ("/", "/"),
        ("", ""), ("/sysmonitor", "/sysmonitor"), ("/sysmon/sysmon/a", "/sysmon/a"), ("/sysmon//evil", "//evil"),
    ],
)  # fmt: skip
def test_a_request_loses_it_once(settings, asked, path):
    settings.SYSMON_URL_PREFIX = "/sysmon"
    environ = {"SCRIPT_NAME": "", "PATH_INFO": asked}
    for _time in range(2):
        take_off_prefix(environ)
        assert environ == {"SCRIPT_NAME": "/sysmon", "PATH_INFO": path}


def test_without_one_nothing_changes(settings):
    settings.SYSMON_URL_PREFIX = ""
    environ = {"SCRIPT_NAME": "/mounted", "PATH_INFO": "/api/v1"}
    take_off_prefix(environ)
    assert environ == {"SCRIPT_NAME": "/mounted", "PATH_INFO": "/api/v1"}


def test_who_sets_one_has_a_proxy(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    assert is_open_by_settings()
    settings.SYSMON_URL_PREFIX = "/sysmon"
    assert not is_open_by_settings()
