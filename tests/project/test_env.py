"""Settings are read with types; what cannot be parsed is one line that names it, its value and what is allowed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon_project.env import Env, SettingError


@pytest.fixture
def env(tmp_path):
    return lambda **values: Env(tmp_path, values)


def refused(read):
    with pytest.raises(SettingError) as error:
        read()
    message = str(error.value)
    assert "\n" not in message
    return message


def test_the_default_counts_where_nothing_is_set(env):
    assert env().integer("SYSMON_INTERVAL", 5, 1, 60) == 5


def test_an_empty_value_counts_as_not_set(env):
    assert env(SYSMON_INTERVAL=" ").integer("SYSMON_INTERVAL", 5, 1, 60) == 5


def test_the_environment_beats_the_file(tmp_path):
    (tmp_path / ".env").write_text("SYSMON_INTERVAL=10\nSYSMON_PORT=9000\n# a comment\n")
    env = Env(tmp_path, {"SYSMON_PORT": "9001"})
    assert (env.integer("SYSMON_INTERVAL", 5, 1, 60), env.integer("SYSMON_PORT", 8000, 1, 65535)) == (10, 9001)


@pytest.mark.parametrize("value", ["1", "60", "+7", " 30 "])
def test_an_integer_in_range_is_read(env, value):
    assert env(SYSMON_INTERVAL=value).integer("SYSMON_INTERVAL", 5, 1, 60) == int(value)


@pytest.mark.parametrize("value", ["0", "61", "-1", "2.5", "abc", "1e1", "٣", "5s", "1_0", "9" * 30])
def test_another_integer_is_refused_with_its_name_and_value(env, value):
    message = refused(lambda: env(SYSMON_INTERVAL=value).integer("SYSMON_INTERVAL", 5, 1, 60))
    assert message == f"SYSMON_INTERVAL={value}: must be a whole number from 1 to 60"


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_a_boolean_is_read(env, value, expected):
    assert env(SYSMON_HTTPS=value).boolean("SYSMON_HTTPS", False) is expected


def test_another_boolean_is_refused(env):
    assert "must be 1 or 0" in refused(lambda: env(SYSMON_HTTPS="maybe").boolean("SYSMON_HTTPS", False))


def test_a_choice_outside_of_the_list_is_refused(env):
    message = refused(lambda: env(SYSMON_API_ACCESS="open").choice("SYSMON_API_ACCESS", "auto", ("auto", "public")))
    assert message == "SYSMON_API_ACCESS=open: must be one of auto, public"


@pytest.mark.parametrize("value", ["*", "a b", "http://x", "x/y", "x:80"])
def test_a_host_that_is_none_is_refused(env, value):
    refused(lambda: env(SYSMON_ALLOWED_HOSTS=f"localhost,{value}").hosts("SYSMON_ALLOWED_HOSTS"))


def test_hosts_are_split_at_commas(env):
    hosts = env(SYSMON_ALLOWED_HOSTS="localhost, .example.org,,[::1]").hosts("SYSMON_ALLOWED_HOSTS")
    assert hosts == ["localhost", ".example.org", "[::1]"]


@pytest.mark.parametrize("value", ["example.org", "ftp://example.org", "https://example.org/x", "https://*"])
def test_an_origin_that_is_none_is_refused(env, value):
    refused(lambda: env(SYSMON_CORS_ORIGINS=value).origins("SYSMON_CORS_ORIGINS"))


@pytest.mark.parametrize("value", ["1000/min", "5/s", "1/day"])
def test_a_rate_is_read(env, value):
    assert env(SYSMON_RATE_ANON=value).rate("SYSMON_RATE_ANON") == value


@pytest.mark.parametrize("value", ["1000", "0/min", "5/fortnight", "-1/s", "a/min"])
def test_another_rate_is_refused(env, value):
    refused(lambda: env(SYSMON_RATE_ANON=value).rate("SYSMON_RATE_ANON"))


def test_a_rate_that_is_not_set_is_off(env):
    assert env().rate("SYSMON_RATE_ANON") is None


def test_a_time_zone_has_to_exist(env):
    assert env(SYSMON_TIME_ZONE="Asia/Seoul").time_zone("SYSMON_TIME_ZONE") == "Asia/Seoul"
    for value in ("Mars/Olympus", "../../etc/passwd", "/etc/localtime"):
        refused(lambda value=value: env(SYSMON_TIME_ZONE=value).time_zone("SYSMON_TIME_ZONE"))


def test_no_time_zone_may_be_set(env):
    assert env().time_zone("SYSMON_TIME_ZONE") == ""


def test_a_relative_path_counts_from_the_project(env, tmp_path):
    assert env(SYSMON_DATA_DIR="there").path("SYSMON_DATA_DIR", "./data") == tmp_path / "there"
    assert str(env(SYSMON_DATA_DIR="/var/lib/sysmon").path("SYSMON_DATA_DIR", "./data")) == "/var/lib/sysmon"


def test_a_url_with_another_scheme_is_refused_without_repeating_its_password(env):
    message = refused(lambda: env(DATABASE_URL="mysql://u:hunter2@h/d").url("DATABASE_URL", ("postgres",)))
    assert "hunter2" not in message
    assert re.match("DATABASE_URL=.*postgres://", message)


@pytest.mark.parametrize("value", ["a b", "x" * 101, "a\x1bb"])
def test_a_host_name_that_cannot_be_shown_is_refused(env, value):
    refused(lambda: env(SYSMON_HOSTNAME=value).host_name("SYSMON_HOSTNAME", "h"))


@given(st.text(max_size=40))
def test_any_text_is_an_integer_in_range_or_one_line(tmp_path_factory, text):
    env = Env(tmp_path_factory.getbasetemp(), {"SYSMON_INTERVAL": text})
    try:
        assert 1 <= env.integer("SYSMON_INTERVAL", 5, 1, 60) <= 60
    except SettingError as error:
        assert str(error).startswith("SYSMON_INTERVAL=")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("SYSMON_INTREVAL", "SYSMON_INTREVAL is no setting; is SYSMON_INTERVAL meant?"),
        ("sysmon_interval", "sysmon_interval is no setting; is SYSMON_INTERVAL meant?"),
        ("SYSMON_DATADIR", "SYSMON_DATADIR is no setting; is SYSMON_DATA_DIR meant?"),
        ("SYSMON_QQQ", "SYSMON_QQQ is no setting, and is ignored"),
        ("SYSMON_\n\x1b[2J", "SYSMON_\\n\\x1b[2J is no setting, and is ignored"),
    ],
)
def test_a_name_that_nothing_reads_is_one_line_without_its_value(env, name, line):
    found = env(**{name: "s3cret"})
    found.integer("SYSMON_INTERVAL", 5, 1, 60)
    found.path("SYSMON_DATA_DIR", "./data")
    assert found.unknown_names == [line]


@pytest.mark.parametrize(
    "name", ["SYSMON_INTERVAL", "SYSMON_TEST_SOAK", "SYSMON_BENCH_ROUNDS", "PATH", "OTHER_INTERVAL"]
)
def test_a_name_that_is_read_or_not_ours_is_no_line(env, name):
    found = env(**{name: "7"})
    found.integer("SYSMON_INTERVAL", 5, 1, 60)
    assert found.unknown_names == []


def test_a_misspelt_name_in_the_file_is_noticed_too(tmp_path):
    (tmp_path / ".env").write_text("SYSMON_PROT=9000\n")
    env = Env(tmp_path, {})
    env.integer("SYSMON_PORT", 8000, 1, 65535)
    assert env.unknown_names == ["SYSMON_PROT is no setting; is SYSMON_PORT meant?"]
