"""Every panel of every dashboard, asked of the real engines about a real recording: none comes back empty."""

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
import yaml

from tests import postgresql
from tests.skips import needs
from tests.source import ROOT
from tests.supervision.running import Up, eventually, free_port

pytestmark = pytest.mark.live

DEPLOY = ROOT / "deploy"
BOARDS = {path.stem: json.loads(path.read_text()) for path in (DEPLOY / "grafana/dashboards").glob("*.json")}
READER = "sysmon_reader"
HOST = "panel-host"


def targets(kind):
    """The queries of every panel with sources of a kind, by the names of their panels."""
    return [
        pytest.param(target, id=f"{name}-{panel['title']}-{target['refId']}")
        for name, board in BOARDS.items()
        for panel in board["panels"]
        if panel["datasource"]["type"] == kind
        for target in panel["targets"]
    ]


@pytest.fixture(scope="module")
def database():
    """A database as the container's first start leaves it."""
    psql = needs("psql")
    with postgresql.running() as server:
        # Whatever another program finds under its name, as a container would.
        environment = {
            "PATH": f"{psql.rpartition('/')[0]}:/usr/bin:/bin", "PGHOST": "127.0.0.1", "PGPORT": str(server.port),
            "POSTGRES_USER": postgresql.USER, "POSTGRES_DB": "postgres", "READER_PASSWORD": "only'for this test",
        }  # fmt: skip
        subprocess.run([DEPLOY / "postgres/reader.sh"], env=environment, check=True, timeout=30)
        yield server


@pytest.fixture(scope="module")
def up(database, tmp_path_factory):
    running = Up(
        tmp_path_factory.mktemp("panels") / "data", DATABASE_URL=database.url(), SYSMON_HOSTNAME=HOST,
        REDIS_URL="", SYSMON_SECRET_KEY="one for all",
    )  # fmt: skip
    running.start()
    yield running
    running.end_for_sure()


@pytest.fixture(scope="module")
def stores(up, tmp_path_factory):
    """Prometheus with the settings of the deployment, and the VictoriaMetrics that it writes to; their addresses."""
    directory = tmp_path_factory.mktemp("stores")
    prometheus, victoria = free_port(), free_port()
    commands = [
        [
            needs("victoria-metrics"), f"-storageDataPath={directory}/victoria",
            f"-httpListenAddr=127.0.0.1:{victoria}", "-search.latencyOffset=1s",
        ],
        [
            needs("prometheus"), f"--config.file={settings_here(directory, up.port, victoria)}",
            f"--storage.tsdb.path={directory}/prometheus", f"--web.listen-address=127.0.0.1:{prometheus}",
        ],
    ]  # fmt: skip
    with (directory / "log").open("wb") as log:
        running = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
    addresses = {"prometheus": f"http://127.0.0.1:{prometheus}", "victoriametrics": f"http://127.0.0.1:{victoria}"}
    try:
        for address in addresses.values():
            found = eventually(lambda address=address: len(ask(address, "node_load1[1m]", values=True)) >= 6, 40)
            assert found, (directory / "log").read_text()
        yield addresses
    finally:
        for process in running:
            process.kill()
            process.wait(10)


def settings_here(directory, port, victoria):
    """The deployment's prometheus.yaml with the addresses of this test, and no patience."""
    settings = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    settings["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    settings["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    settings["remote_write"][0] |= {"url": f"http://127.0.0.1:{victoria}/api/v1/write"}
    file = directory / "prometheus.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


def ask(address, query, *, values=False):
    """The series that a query answers with now; with `values` the values of the first one."""
    arguments = urllib.parse.urlencode({"query": query, "time": f"{time.time():.3f}"})
    try:
        with urllib.request.urlopen(f"{address}/api/v1/query?{arguments}", timeout=5) as answer:
            series = json.load(answer)["data"]["result"]
    except OSError:
        return []
    return series[0]["values"] if values and series else series


@pytest.mark.parametrize("store", ["prometheus", "victoriametrics"])
@pytest.mark.parametrize("target", targets("prometheus"))
def test_a_panel_of_a_scraped_machine_shows_something(stores, up, store, target):
    query = target["expr"].replace("$instance", f"127.0.0.1:{up.port}").replace("$__rate_interval", "10s")
    assert "$" not in query
    assert eventually(lambda: ask(stores[store], query), 10)


def test_the_machines_to_choose_from_are_there(stores):
    variable = next(one for one in BOARDS["host"]["templating"]["list"] if one["name"] == "instance")
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
    assert [series["metric"][label] for series in ask(stores["prometheus"], metric)]


@pytest.fixture(scope="module")
def select(database, up):
    """Ask the history as Grafana does, as the user who may only read."""
    import psycopg

    assert eventually(lambda: up.get("/api/v1/metrics/processes?limit=1&start=2026-01-01")[1]["count"], 20)
    url = database.url().replace(f"{postgresql.USER}:", f"{READER}:")
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


def expanded(query):
    """A panel's query as Grafana sends it to the engine for the last five minutes, in steps of five seconds."""
    now = int(time.time())
    macros = {
        r"\$__unixEpochFilter\((\w+)\)": rf"\1 >= {now - 300} AND \1 <= {now}",
        r"\$__unixEpochGroup\((\w+), ?\$__interval\)": r"floor((\1)/5)*5",
        r"\$\{host:sqlstring\}": f"'{HOST}'",
    }
    for macro, sql in macros.items():
        query = re.sub(macro, sql, query)
    assert "$" not in query
    return query


@pytest.mark.parametrize("target", targets("grafana-postgresql-datasource"))
def test_a_panel_of_the_history_shows_something(select, target):
    rows = select(expanded(target["rawSql"]))
    assert rows
    assert any(value not in (None, 0) for row in rows for value in row[1:])


def test_the_hosts_to_choose_from_are_there(select):
    [variable] = [one for one in BOARDS["processes"]["templating"]["list"] if one["name"] == "host"]
    assert select(variable["query"]) == [(HOST,)]


@pytest.mark.parametrize("statement", ["SELECT * FROM auth_user", "SELECT command FROM metrics_process"])
def test_the_reader_may_read_nothing_but_the_views(select, statement):
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        select(statement)


def test_no_view_shows_command_lines(select):
    columns = select("SELECT column_name FROM information_schema.columns WHERE table_schema = 'panels'")
    assert ("username",) in columns
    assert ("command",) not in columns


def test_every_source_of_a_panel_is_provisioned():
    text = (DEPLOY / "grafana/provisioning/datasources/sysmon.yaml").read_text()
    provisioned = {(source["uid"], source["type"]) for source in yaml.safe_load(text)["datasources"]}
    used = {(panel["datasource"]["uid"], panel["datasource"]["type"]) for b in BOARDS.values() for panel in b["panels"]}
    assert used - {("$source", "prometheus")} <= provisioned


def test_panels_have_names_of_their_own_and_do_not_overlap():
    for board in BOARDS.values():
        places = [panel["gridPos"] for panel in board["panels"]]
        cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
        assert len(cells) == len(set(cells))
        assert max(x for x, _y in cells) < 24
        assert len({panel["title"] for panel in board["panels"]}) == len(places)
