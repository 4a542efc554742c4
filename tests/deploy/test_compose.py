"""The file for Docker Compose, as Compose itself reads it."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.skips import missing
from tests.source import ROOT

DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
EXAMPLE = DEPLOY / ".env.example"
TEXT = FILE.read_text()
REQUIRED = sorted(set(re.findall(r"\$\{(\w+):\?", TEXT)))
SERVICES = yaml.safe_load(TEXT)["services"]
every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def names_in_the_example():
    return re.findall(r"^(\w+)=$", EXAMPLE.read_text(), re.MULTILINE)


def compose_program():
    """The program of the package in requirements-dev.txt, or one that is installed."""
    package = importlib.util.find_spec("compose")
    packaged = [
        str(Path(place) / "docker-compose") for place in (package.submodule_search_locations if package else ())
    ]
    found = next(filter(None, map(shutil.which, [*packaged, "docker-compose"])), None)
    return found or missing("needs docker-compose, which is not installed")


@pytest.fixture
def config(tmp_path):
    """What Compose makes of the file where these variables are set."""

    def run(**variables):
        settings = tmp_path / "settings"
        settings.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        return subprocess.run(
            [compose_program(), "--env-file", settings, "--file", FILE, "config"],
            env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_compose_accepts_it_with_what_the_example_asks_for(config):
    done = config(**dict.fromkeys(REQUIRED, "x1"))
    assert (done.returncode, done.stderr) == (0, "")
    assert yaml.safe_load(done.stdout)["services"].keys() == SERVICES.keys()


@pytest.mark.parametrize("name", REQUIRED)
def test_it_does_not_start_without_a_required_variable_and_says_what_to_set(config, name):
    done = config(**dict.fromkeys(set(REQUIRED) - {name}, "x1"))
    assert done.returncode != 0
    assert f"required variable {name} is missing a value: " in done.stderr


def test_the_example_names_every_variable_and_has_no_value():
    assert sorted(names_in_the_example()) == sorted(set(re.findall(r"\$\{(\w+):[?-]", TEXT)))
    lines = EXAMPLE.read_text().splitlines()
    assert [line for line in lines if line and not re.fullmatch(r"#.*|\w+=", line)] == []


def test_no_secret_is_in_a_file():
    for name, value in re.findall(r"^ +(\w*(?:PASSWORD|SECRET|KEY)\w*): (.*)$", TEXT, re.MULTILINE):
        assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/sysmon.yaml").read_text())["datasources"]
    secrets = [value for source in sources for value in source.get("secureJsonData", {}).values()]
    assert secrets == ["$READER_PASSWORD"]


@every_service
def test_every_image_has_a_version(service):
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.?\d*(-\w+)?", service["image"])


@every_service
def test_every_service_is_started_again_has_no_privilege_and_says_how_it_is(service):
    assert service["restart"] == "always"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["healthcheck"]["test"][0] == "CMD"


@every_service
def test_a_port_is_published_to_this_machine_only(service):
    assert [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")] == []


@every_service
def test_what_is_mounted_from_here_is_here(service):
    volumes = [volume for volume in service.get("volumes", []) if isinstance(volume, str)]
    sources = [volume.partition(":")[0] for volume in volumes if volume.startswith("./")]
    assert [source for source in sources if not (DEPLOY / source).exists()] == []


def test_the_database_and_the_queue_are_out_of_reach_from_outside():
    networks = yaml.safe_load(TEXT)["networks"]
    assert SERVICES["redis"]["network_mode"] == "none"
    assert [networks[name] for name in SERVICES["postgres"]["networks"]] == [{"internal": True}]


def test_the_parts_of_sysmon_run_alone_with_one_key_under_one_name():
    parts = {name: service for name, service in SERVICES.items() if service["image"].startswith("sysmon:")}
    assert {name: part["command"] for name, part in parts.items()} == {
        "worker": ["up", "--only", "worker"],
        "web": ["up", "--only", "web"],
        "exporter": ["up", "--only", "web"],
    }
    for shared in ("SYSMON_HOSTNAME", "SYSMON_SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert len({part["environment"][shared] for part in parts.values()}) == 1


def test_the_worker_sees_the_machine():
    worker = SERVICES["worker"]
    assert (worker["pid"], worker["network_mode"]) == ("host", "host")
    assert {"type": "bind", "source": "/", "target": "/host"}.items() <= worker["volumes"][-1].items()
    assert worker["volumes"][-1]["read_only"] is True


def test_health_checks_are_answered_whatever_hosts_are_named(config):
    done = config(**dict.fromkeys(REQUIRED, "x1"), SYSMON_ALLOWED_HOSTS="sysmon.example.org")
    web = yaml.safe_load(done.stdout)["services"]["web"]
    assert web["environment"]["SYSMON_ALLOWED_HOSTS"].split(",") == ["localhost", "127.0.0.1", "sysmon.example.org"]
    assert web["healthcheck"]["test"][3].startswith("http://127.0.0.1:8000/")


def test_the_data_directory_of_a_container_is_its_users_alone():
    user = re.findall(r"^USER (\d+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[-1]
    for service in (SERVICES[name] for name in ("worker", "web", "exporter")):
        [options] = [mount.partition(":")[2] for mount in service["tmpfs"] if mount.startswith("/var/lib/sysmon:")]
        assert {"mode=0700", f"uid={user}"} <= set(options.split(","))
