import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.collectors.text import decode, valid_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        ("naïve ☃".encode(), "naïve ☃"),
        (b"bad \xff byte", "bad \\xff byte"),
        (b"a\0b", "ab"),
        (b"tab\tand\nline \x1b[31m<b>", "tab\tand\nline \x1b[31m<b>"),
        (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
    ],
)
def test_bytes_become_valid_text(raw: bytes, text: str) -> None:
    assert decode(raw) == text


def test_bytes_that_python_carried_as_surrogates_are_shown() -> None:
    assert valid_text(b"/mnt/\xff".decode("utf-8", "surrogateescape")) == "/mnt/\\xff"


def test_a_lone_surrogate_of_windows_is_shown() -> None:
    assert valid_text("a\ud800b") == "a\\ud800b"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=("L", "Cs", "Cc"))))
def test_any_text_can_be_encoded_afterwards(text: str) -> None:
    assert "\0" not in valid_text(text).encode("utf-8").decode("utf-8")
