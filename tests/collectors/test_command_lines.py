"""How much of a command line is kept, and that no half of a secret is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.collectors.command_lines import MAX_COMMAND_BYTES, cut_arguments, split_arguments
from metrics.collectors.masking import mask_command


def test_what_fits_is_kept_whole() -> None:
    raw = b"a" * (MAX_COMMAND_BYTES - 3) + b"\0b\0"
    assert split_arguments(raw) == ["a" * (MAX_COMMAND_BYTES - 3), "b"]


def test_an_argument_that_does_not_fit_goes_whole() -> None:
    assert split_arguments(b"app\0--all\0" + b"x" * 9000 + b"\0y\0") == ["app", "--all"]


def test_a_script_is_cut_at_a_blank() -> None:
    script = b"echo done; " * 900
    program, option, kept = split_arguments(b"sh\0-c\0" + script + b"\0")
    assert (program, option) == ("sh", "-c")
    assert len(kept) > MAX_COMMAND_BYTES - 30
    assert set(kept.split()) == {"echo", "done;"}


@pytest.mark.parametrize("entry", [b"a.jar:", b"/opt/app/lib/a-1.2.jar:", b"lib/a.jar:", b"./classes/:"])
def test_a_list_of_paths_is_cut_between_two(entry: bytes) -> None:
    arguments = split_arguments(b"java\0-cp\0" + entry * 4000 + b"\0Main\0")
    assert arguments[:2] == ["java", "-cp"]
    assert len(arguments) == 3
    assert set(arguments[2].split(":")) == {entry.decode().rstrip(":")}


@pytest.mark.parametrize(
    "secret",
    [
        b"postgres://bob:s3cret%s@db/shop",
        b"bob:s3cret%s@host",
        b"--password=s3cret%s",
        b"--header\0Authorization: Bearer s3cret%s",
        b'-d\0{"password": "s3cret and more %s"}',
        b'-d\0{"passwords": ["s3cret", "s3cret", "%s"]}',
        b"-c\0export TOKEN='s3cret and more %s'",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.s3cretSig%s",
        b"-----BEGIN RSA PRIVATE KEY-----\ns3cret\ns3cret\n%s",
    ],
)
def test_wherever_the_cut_falls_no_half_of_a_secret_is_shown(secret: bytes) -> None:
    secret = secret % (b"X" * 40)
    for shift in range(len(secret) + 4):
        raw = b"app\0" + b"x" * (MAX_COMMAND_BYTES - 5 - shift) + b"\0" + secret + b"\0" + b"y" * 100
        assert "s3" not in mask_command(split_arguments(raw))


def test_bytes_that_are_no_text_do_not_make_it_longer() -> None:
    arguments = split_arguments(b"\xff" * 900 + b"\0" + b"\xff" * 900 + b"\0")
    assert arguments == ["\\xff" * 900]


@given(st.lists(st.text(max_size=3000), max_size=4))
def test_never_more_is_kept_than_the_limit(arguments: list[str]) -> None:
    arguments = [argument.encode("utf-8", "replace").decode() for argument in arguments]
    kept = cut_arguments(arguments)
    assert len(kept) <= MAX_COMMAND_BYTES
    assert sum(map(len, kept)) <= MAX_COMMAND_BYTES
