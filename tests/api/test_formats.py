"""JSON, CSV and NDJSON: how they are chosen and what is in them."""

import csv
import io
import json

import pytest

from metrics.api.renderers import cell
from metrics.formatting.units import visible
from tests.api.test_every_parameter import ADDRESSES
from tests.conftest import FIRST_TICK
from tests.skips import only_on_sqlite

TABLES = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
CPU, DISK, NETWORK = (f"/api/v1/metrics/{name}" for name in ("cpu", "disk", "network"))


@pytest.fixture
def disks(recorded):
    recorded.tick(
        disk={"pressure_some_percent": 1.5},
        partition=[{"device": "/dev/sda1", "mountpoint": "/", "fstype": "ext4", "used_bytes": 10}],
        device=[{"device": "sda", "busy_percent": 3.0}, {"device": "sdb"}],
    )
    return recorded


def rows(response):
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


def lines(response):
    return [json.loads(line) for line in response.content.decode().splitlines()]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/*;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("image/png, */*;q=0.1", "application/json"),
        ("text/html, */*;q=0.1", "text/html; charset=utf-8"),
    ],
)
def test_accept_chooses_the_format(api, disks, accept, expected):
    assert api.get(DISK, headers={"accept": accept}).headers["Content-Type"] == expected


@pytest.mark.parametrize("accept", ["image/png", "application/xml", "nonsense", "text/plain;q=1"])
def test_what_cannot_be_made_is_406_in_json(api, disks, accept):
    response = api.get(DISK, headers={"accept": accept})
    assert response.status_code == 406
    assert response.json() == {"detail": "Could not satisfy the request Accept header.", "errors": {}}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8"),
        ("ndjson", "application/x-ndjson"),
        ("api", "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/html", "image/png"])
def test_format_beats_accept(api, disks, name, expected, accept):
    response = api.get(DISK, {"format": name}, headers={"accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (200, expected)


def test_csv_has_a_row_for_each_disk_and_says_its_kind(api, disks):
    found = rows(api.get(DISK, {"format": "csv"}))
    assert [
        (row["kind"], row["device"], row["mountpoint"], row["used_bytes"], row["busy_percent"]) for row in found
    ] == [
        ("partition", "/dev/sda1", "/", "10", ""),
        ("device", "sda", "", "", "3.0"),
        ("device", "sdb", "", "", ""),
    ]
    assert {(row["timestamp"], row["resolution"], row["pressure_some_percent"]) for row in found} == {
        ("2026-11-22T17:10:00.000Z", "5", "1.5")
    }


def test_the_columns_follow_from_the_models_in_their_order(api, disks):
    head = api.get(DISK, {"format": "csv"}).content.decode().split("\r\n")[0]
    assert head == (
        "timestamp,resolution,kind,pressure_some_percent,pressure_full_percent,device,mountpoint,fstype,total_bytes,"
        "used_bytes,free_bytes,percent,inodes_percent,name,read_bytes_per_second,write_bytes_per_second,"
        "reads_per_second,writes_per_second,busy_percent,lower,is_counted"
    )


@pytest.mark.parametrize("query", [{}, {"step": "1m"}, {"fields": "percent"}, {"fields": "devices"}])
@pytest.mark.parametrize("address", [CPU, DISK, NETWORK])
def test_the_header_is_the_same_without_any_row(api, recorded, address, query):
    if address == NETWORK and "fields" in query:
        query = {"fields": "is_up"}
    elif query.get("fields") == "devices" and address == CPU:
        query = {"fields": "load_1"}
    partitions = [{"device": "/dev/sda1", "mountpoint": "/"}]
    devices, interfaces = [{"device": "sda"}], [{"interface": "lo"}]
    recorded.tick(cpu={}, disk={}, partition=partitions, device=devices, interface=interfaces)
    full = api.get(address, {"format": "csv", **query}).content.splitlines()
    empty = api.get(address, {"format": "csv", "end": "2020-01-01", **query}).content.splitlines()
    assert empty == full[:1]
    assert len(full) > 1


def test_a_disk_point_without_disks_keeps_its_own_values(api, recorded):
    recorded.tick(disk={"pressure_some_percent": 1.5})
    [row] = rows(api.get(DISK, {"format": "csv"}))
    assert (row["kind"], row["pressure_some_percent"], row["device"]) == ("", "1.5", "")


def test_a_network_point_without_interfaces_is_no_row(api, recorded):
    recorded.tick(interface=[{"interface": "lo"}])
    assert rows(api.get(NETWORK, {"format": "csv", "interface": "eth9"})) == []


def test_one_kind_of_thing_needs_no_kind_column(api, recorded):
    recorded.tick(interface=[{"interface": "lo", "is_up": True}, {"interface": "eth0", "is_up": False}])
    found = rows(api.get(NETWORK, {"format": "csv"}))
    assert "kind" not in found[0]
    assert [(row["interface"], row["is_up"], row["speed_mbps"]) for row in found] == [
        ("eth0", "false", ""),
        ("lo", "true", ""),
    ]


def test_a_list_of_numbers_stays_one_cell(api, recorded):
    recorded.tick(cpu={"per_core": [1.5, None, 3.0]})
    [row] = rows(api.get(CPU, {"format": "csv"}))
    assert row["per_core"] == "[1.5,null,3.0]"
    [line] = lines(api.get(CPU, {"format": "ndjson"}))
    assert line["per_core"] == [1.5, None, 3.0]


def test_csv_is_a_file_with_a_name_and_rfc_4180_lines(api, disks):
    response = api.get(DISK, {"format": "csv"})
    assert response.headers["Content-Disposition"] == 'attachment; filename="sysmon-test-host-disk.csv"'
    assert response.content.endswith(b"\r\n")


def test_a_host_name_cannot_leave_the_file_name(api, recorded, db):
    from tests.conftest import RecordedHost

    RecordedHost('a"; x=../b\r\n').tick(cpu={})
    response = api.get(CPU, {"format": "csv", "host": 'a"; x=../b\r\n'})
    if response.status_code == 200:
        assert response.headers["Content-Disposition"].count('"') == 2


NUL = pytest.param(0, marks=only_on_sqlite("PostgreSQL stores no NUL"))
FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
# What ends a cell somewhere: here, in German or French spreadsheets, in an import by tabs or bars, and a line.
SEPARATORS = [",", ";", "\t", "|", "\n", "\r"]
BEFORE_A_FORMULA = [
    "",
    " ",
    "\u3000",
    '"',
    ' "',
    "a",
    *(f"a{sep}{blank}" for sep in ";\t|\n\r" for blank in ("", " ", '"')),
]


def as_programs_read_it(text):
    """Every cell that some program makes of a CSV text: with quotes understood or not, by each separator."""
    for separator in SEPARATORS:
        yield from (cell for line in text.split("\r\n") for cell in line.split(separator) if separator != ",")
        if separator not in "\r\n":
            yield from (cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row)


@pytest.mark.parametrize("sign", FORMULA_SIGNS)
@pytest.mark.parametrize("before", BEFORE_A_FORMULA, ids=ascii)
def test_no_program_finds_a_formula_whatever_it_separates_cells_by(api, recorded, before, sign):
    recorded.tick(disk={}, device=[{"device": f"{before}{sign}cmd|' /C calc'!A0", "busy_percent": 1.0}])
    response = api.get(DISK, {"format": "csv"})
    begun = [cell.lstrip(' "\u3000') for cell in as_programs_read_it(response.content.decode())]
    assert [cell for cell in begun if cell.startswith(tuple(FORMULA_SIGNS))] == []
    [row] = rows(response)
    assert (row["device"].replace("'", "").startswith(before), row["busy_percent"]) == (before.isprintable(), "1.0")


@pytest.mark.parametrize(
    "code", [NUL, *range(1, 0x20), *range(0x7F, 0xA0), 0xAD, 0x61C, 0x200B, 0x200F, 0x2028, 0x202E, 0x2066]
)
def test_no_cell_steers_a_terminal_or_turns_the_reading_direction(api, recorded, code):
    recorded.tick(disk={}, device=[{"device": f"a{chr(code)}b"}])
    response = api.get(DISK, {"format": "csv"})
    assert chr(code) not in response.content.decode().replace("\r\n", "")
    [row] = rows(response)
    assert row["device"] == visible(f"a{chr(code)}b")


@pytest.mark.parametrize(
    "text", ["a b", "a-b", "node --port 3000", "x=1", "root@host", "a, b", 'say "hi"', "한국어", "-"]
)
def test_what_is_no_formula_comes_as_it_is(api, recorded, text):
    recorded.tick(disk={}, device=[{"device": text}])
    [row] = rows(api.get(DISK, {"format": "csv"}))
    assert row["device"] == (f"'{text}" if text == "-" else text)


def test_numbers_get_no_apostrophe(api, recorded):
    recorded.tick(cpu={"load_1": -0.5, "per_core": [-1.5, 2.0, -3.0]})
    [row] = rows(api.get(CPU, {"format": "csv"}))
    assert (row["load_1"], row["per_core"]) == ("-0.5", "[-1.5,2.0,-3.0]")


def test_ndjson_is_not_escaped(api, recorded):
    recorded.tick(disk={}, device=[{"device": "=1+1"}])
    [line] = lines(api.get(DISK, {"format": "ndjson"}))
    assert (line["kind"], line["device"], line["used_bytes"]) == ("device", "=1+1", None)


def test_ndjson_has_the_columns_of_the_csv(api, disks):
    [first, *_rest] = lines(api.get(DISK, {"format": "ndjson"}))
    assert list(first) == list(rows(api.get(DISK, {"format": "csv"}))[0])


def test_csv_of_a_step_has_the_maxima(api, recorded):
    recorded.tick(cpu={"percent": 2.0})
    recorded.tick(FIRST_TICK + 5, cpu={"percent": 4.0})
    response = api.get(CPU, {"format": "csv", "step": "1m", "fields": "percent"})
    assert response.content == (b"timestamp,resolution,percent,percent_max\r\n2026-11-22T17:10:00.000Z,60,3.0,4.0\r\n")


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), ([1, 2], '"[1,2]"'), ("a", "a")])
def test_a_cell_is_written_as_in_json(value, text):
    assert cell(value) == text


@pytest.mark.parametrize("name", ["csv", "ndjson", "json"])
def test_a_file_without_a_line_has_a_type_too(api, recorded, name):
    recorded.tick(cpu={"percent": 1.0})
    response = api.get(CPU, {"format": name, "end": "2001-01-01"})
    assert response.headers["Content-Type"].startswith(("text/csv", "application/"))
    assert response.status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_options_has_no_table_whatever_is_asked_for(api, db, address):
    for name, media_type in TABLES.items():
        for response in (api.options(f"{address}?format={name}"), api.options(address, headers={"accept": media_type})):
            assert response.status_code in {200, 400, 406}, response.content
            assert response.headers["Content-Type"] == "application/json"
            assert "Content-Disposition" not in response.headers
