"""SYSMON_FORWARD_URL: what a user may write, and what nobody ever sees of it."""

from base64 import b64encode

import pytest

from metrics.forwarding.destinations import MAX_NAME, parse_destinations
from sysmon_project.env import Env, SettingError

BASIC = "Basic " + b64encode(b"jin:s3cret").decode()
WRITTEN = [
    ("influx://h:8086/db1", "http://h:8086/write?db=db1&precision=s", "", "influx://h:8086/db1"),
    ("influx://h:8086", "http://h:8086/write?db=sysmon&precision=s", "", "influx://h:8086/sysmon"),
    ("influx://h/a/db1?rp=week", "http://h/a/write?db=db1&rp=week&precision=s", "", "influx://h/a/db1?rp=week"),
    ("influx://h/write?db=db1", "http://h/write?db=db1&precision=s", "", "influx://h/db1"),
    ("influx+https://h/my%20db", "https://h/write?db=my+db&precision=s", "", "influx+https://h/my%20db"),
    ("influx://jin:s3cret@h/db1", "http://h/write?db=db1&precision=s", BASIC, "influx://h/db1"),
    (
        "influx://h?org=o&bucket=b&token=t0ken",
        "http://h/api/v2/write?org=o&bucket=b&precision=s", "Token t0ken", "influx://h?org=o&bucket=b",
    ),
    (
        "influx+https://:t0ken@h/api/v2/write?bucket=b",
        "https://h/api/v2/write?bucket=b&precision=s", "Token t0ken", "influx+https://h?bucket=b",
    ),
    ("remote-write://h:8428", "http://h:8428/api/v1/write", "", "remote-write://h:8428/api/v1/write"),
    ("remote-write+https://h/push", "https://h/push", "", "remote-write+https://h/push"),
    ("prom+http://jin:s3cret@h/", "http://h/api/v1/write", BASIC, "prom+http://h/api/v1/write"),
    ("prom+https://h?token=t0ken&key=k3y", "https://h/api/v1/write?key=k3y", "Bearer t0ken", "prom+https://h/api/v1/write"),
    ("remote-write://[::1]:9090", "http://[::1]:9090/api/v1/write", "", "remote-write://[::1]:9090/api/v1/write"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "address", "authorization", "name"), WRITTEN)
def test_a_url_says_where_to_and_who_asks(url, address, authorization, name):
    [destination] = parse_destinations(url)
    assert (destination.address, destination.authorization, destination.name) == (address, authorization, name)


@pytest.mark.parametrize("text", ["influx://a, influx://b", "influx://a influx://b", "influx://a,influx://b,\n"])
def test_several_are_joined_by_commas_or_blanks(text):
    assert [destination.name for destination in parse_destinations(text)] == ["influx://a/sysmon", "influx://b/sysmon"]


@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_is_no_destination(text):
    assert parse_destinations(text) == ()


WRONG = [
    ("http://h", "must begin with one of influx://"),
    ("h:8086", "must begin with one of"),
    ("influx:///db", "names no host"),
    ("influx://h:port/db", "is no URL"),
    ("influx://h:99999/db", "is no URL"),
    ("influx://[h/db", "is no URL"),
    ("influx://jin:pass#word@h/db", "write %23"),
    ("influx://h/db?buket=b", "a parameter that is none of db, rp, org, bucket, token"),
    ("influx://h?bucket=a&bucket=b", "a parameter twice"),
    ("influx://h/db?token=a%0Db", "not printable ASCII"),
    ("influx://h/db influx://x:y@h/db", "destination 2 is there twice"),
    (" ".join(f"influx://h/{number}" for number in range(9)), "9 destinations are more than 8"),
    (f"influx://h/{'x' * MAX_NAME}", "longer than"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_cannot_be_used_is_said_in_a_line(text, said):
    with pytest.raises(ValueError) as caught:
        parse_destinations(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


SECRETS = ["influx://jin:s3cret@h/db", "influx://h?bucket=b&token=s3cret", "prom+http://h?key=s3cret"]


@pytest.mark.parametrize("url", SECRETS)
def test_a_secret_shows_in_no_text_of_a_destination(url):
    [destination] = parse_destinations(url)
    assert "s3cret" not in f"{destination!r} {destination} {destination.name}"
    assert destination.without_secrets("you sent s3cret") == "you sent …"


@pytest.mark.parametrize(
    "url", ["influxx://jin:s3cret@h", "influx://jin:s3cret@h:port", "influx://h?s3cret=", "s3cret"]
)
def test_a_start_that_is_refused_repeats_no_secret(url, tmp_path):
    with pytest.raises(SettingError) as caught:
        Env(tmp_path, {"SYSMON_FORWARD_URL": url}).secret("SYSMON_FORWARD_URL", parse=parse_destinations)
    assert str(caught.value).startswith("SYSMON_FORWARD_URL=…: destination 1 ")
    assert "s3cret" not in str(caught.value)
