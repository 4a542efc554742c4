"""Hostile names of processes, users, devices, mounts, interfaces and hosts, through everything that shows them."""

import csv
import io
import json
import logging
import re

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from metrics.exporters.prometheus import exposition
from metrics.formatting.units import visible
from metrics.forwarding.line_protocol import escaped
from metrics.history.readings import read_newest
from metrics.models import NewestReading
from sysmon_project.log import LineFormatter
from tests.conftest import FIRST_TICK, RecordedHost

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\uff1d1+1",
    "=1\n=2",
    "a;=1+1",
    "a\t=1+1",
    "a| @SUM(1)",
    " =1+1",
]
PAGES = [
    "<img src=x onerror=alert(1)>", "\"><script>alert(1)</script>", "'-alert(1)-'",
    "</script><script>alert(1)</script>", "{{ 7 * 7 }}{% debug %}", "javascript:alert(1)",
    "&lt;b&gt;", "<!--", "]]>", "<svg/onload=alert(1)>",
]  # fmt: skip
TERMINALS = ["\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "\u202egpj.exe", "\x08\x08\x08", "\x7f", "a\x0bb", "\u200b"]
LINES = ["a\nERROR metrics: forged", "a\r\nSet-Cookie: forged=1", "a\u2028forged", "a\x85forged", "a b,c=d e=1 2"]
ATTACKS = [*FORMULAS, *PAGES, *TERMINALS, *LINES]
MARKUP = re.compile(r"<(img src=x|script>alert|svg/onload)")
TABLES = ("disk", "network", "processes")

every_attack = pytest.mark.parametrize("attack", ATTACKS, ids=ascii)


@pytest.fixture
def host(db, attack):
    """A machine whose every name is the attack."""
    made = RecordedHost(attack)
    made.tick(
        disk={}, partition=[{"device": attack, "mountpoint": attack, "fstype": attack, "percent": 1.0}],
        device=[{"device": attack, "read_bytes_per_second": 1.0}], interface=[{"interface": attack, "sent_bytes": 1}],
        processes={"total": 1},
        process=[{"pid": 7, "name": attack, "username": attack, "command": attack, "cpu_percent": 1.0}],
    )  # fmt: skip
    return made


def ask(api, attack, family, **query):
    response = api.get(f"/api/v1/metrics/{family}", {"host": attack, **query})
    assert response.status_code == 200
    return response


@every_attack
def test_no_cell_of_a_csv_is_a_formula_and_no_name_makes_a_row(api, host, attack):
    for family in TABLES:
        response = ask(api, attack, family, format="csv")
        rows = list(csv.reader(io.StringIO(response.content.decode(), newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        texts = [cell for row in rows[1:] for cell in row if not re.fullmatch(r"-?[\d.]+", cell)]
        assert [text for text in texts if text.startswith(tuple("=+-@\t\r\n\uff1d"))] == []
        # Nothing is lost: without what was put before formulas it is the name as a terminal shows it.
        assert any(cell.replace("'", "") == visible(attack).replace("'", "") for row in rows for cell in row)
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', response.headers["Content-Disposition"])


@every_attack
def test_json_holds_the_name_as_it_is_and_is_no_page(api, host, attack):
    for family in TABLES:
        response = ask(api, attack, family)
        assert response.json()["host"] == attack
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        lines = ask(api, attack, family, format="ndjson").content.decode().split("\n")
        assert any(attack in json.loads(line).values() for line in lines if line)


@every_attack
def test_no_page_of_the_api_takes_it_for_markup(api, host, attack):
    for family in TABLES:
        text = ask(api, attack, family, format="api").content.decode()
        assert not MARKUP.search(text)
        assert "Set-Cookie" not in dict(ask(api, attack, family, format="api").items())


@every_attack
def test_no_page_of_the_admin_takes_it_for_markup_or_obeys_it(host, attack):
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for table in ("host", "partitionsample", "devicesample", "interfacesample", "process", "processsample"):
        address = f"/admin/metrics/{table}/"
        pages = [client.get(address, {"host": attack}), *details(client, address)]
        for text in (page.content.decode() for page in pages if page.status_code == 200):
            assert not MARKUP.search(text)
            # The filter that was chosen is kept for the search, as it is and unseen.
            text = re.sub(r'<input type="hidden" name="host"[^>]*>', "", text)
            found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
            assert not found, (table, text[found.start() - 200 : found.end() + 60])


def details(client, address):
    links = re.findall(rf'"({address}\d+/change/)[^"]*"', client.get(address).content.decode())
    return [client.get(link) for link in dict.fromkeys(links)]


@every_attack
def test_no_name_makes_a_line_for_prometheus(host, attack, at_noon):
    rows = {"partition": [{"device": attack, "mountpoint": attack, "fstype": attack, "total_bytes": 5}]}
    NewestReading.objects.create(
        host=host.host, family="disk", timestamp=FIRST_TICK, uptime_seconds=1, rows=json.dumps(rows)
    )
    text, _type = exposition(host.host, read_newest(host.host), "text/plain")
    families = list(text_string_to_metric_families(text.decode()))
    labels = [sample.labels for family in families for sample in family.samples if "mountpoint" in sample.labels]
    assert labels
    assert all(label["mountpoint"] == attack for label in labels)
    assert not any(family.name.startswith(("ERROR", "forged", "Set")) for family in families)


@every_attack
def test_no_name_makes_a_field_or_a_line_of_the_line_protocol(attack):
    assert not re.search(r"(?<!\\)[ ,=]|[\r\n]", escaped(attack))


@every_attack
def test_no_name_steers_the_terminal(api, recorded, attack):
    recorded.tick(
        processes={"total": 1},
        process=[{"pid": 7, "name": attack, "username": attack, "command": attack, "cpu_percent": 1.0}],
    )
    for arguments in ([], ["--json"]):
        out = io.StringIO()
        call_command("top", *arguments, stdout=out)
        assert all(character.isprintable() or character == "\n" for character in out.getvalue())


@every_attack
def test_no_name_forges_a_line_of_the_log_or_steers_who_reads_it(attack):
    record = logging.LogRecord("metrics", logging.ERROR, "", 1, "collector disk failed: %s", (attack,), None)
    error = OSError(5, "Input/output error", attack)
    traced = logging.LogRecord("metrics", logging.ERROR, "", 1, "x", (), (OSError, error, None))
    line = LineFormatter("%(levelname)s %(message)s").format(record)
    assert len(line.splitlines()) == 1
    assert line.isprintable() or "\t" in line
    text = LineFormatter("%(message)s").format(traced)
    assert all(character.isprintable() or character in "\n\t" for character in text)
    assert not re.search("^ERROR metrics", text, re.MULTILINE)
