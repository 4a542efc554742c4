"""A path is never read as an address, and an address is decoded as addresses are."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.storage.location import is_address, sqlite_file

BASE = Path("/base")
names = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name and b"/" not in name)


@given(names)
def test_every_name_survives_its_address(name):
    file = sqlite_file("sqlite:////srv/" + quote_from_bytes(name), BASE)
    assert os.fsencode(file) == os.fsencode(Path("/srv") / os.fsdecode(name))


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("sqlite:////srv/x.sqlite3", "/srv/x.sqlite3"),
        ("SQLite:////srv/x.sqlite3", "/srv/x.sqlite3"),
        ("sqlite:///x.sqlite3", "/base/x.sqlite3"),
        ("sqlite:////srv/disk%231/a%20b%3F.sqlite3", "/srv/disk#1/a b?.sqlite3"),
        ("sqlite:////srv/100%25/%25.sqlite3", "/srv/100%/%.sqlite3"),
        ("sqlite:////srv/a b\n'\".sqlite3", "/srv/a b\n'\".sqlite3"),
        ("sqlite:////srv/한.sqlite3", "/srv/한.sqlite3"),
        ("sqlite:////srv/%ED%95%9C.sqlite3", "/srv/한.sqlite3"),
        ("sqlite:////srv/a+b&mode=memory", "/srv/a+b&mode=memory"),
    ],
)
def test_an_address_names_a_file(address, file):
    assert sqlite_file(address, BASE) == Path(file)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///", "sqlite://:memory:", "sqlite:///:memory:"])
def test_a_database_without_a_file(address):
    assert sqlite_file(address, BASE) == ":memory:"


@pytest.mark.parametrize(
    "address", ["sqlite://srv/x", "sqlite:/srv/x", "sqlite:////srv/x#1", "sqlite:////x?mode=ro", "sqlite:////srv/%00"]
)
def test_what_would_be_read_in_two_ways_is_refused_with_what_to_write(address):
    with pytest.raises(ValueError, match=r"must|takes"):
        sqlite_file(address, BASE)


@pytest.mark.parametrize("path", ["/srv/a://b", "data/x.sqlite3", "C:\\x", "./sqlite://x", "x:y", "~/x"])
def test_a_path_is_no_address(path):
    assert not is_address(path)
