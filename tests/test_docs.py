"""What the documentation names is there, and what is there is documented."""

import ast
import re

import pytest
from django.core.management import get_commands
from django.urls import Resolver404, resolve

from sysmon_project import settings as program_settings
from tests.source import ROOT, modules

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


# Files of the system, and the example of a path of a proxy.
NO_ADDRESSES = ("/proc", "/sysmon")


def named(page, pattern):
    return set(re.findall(pattern, page.read_text("utf-8")))


@every_page
def test_every_link_leads_somewhere(page):
    targets = named(page, r"\]\(([^)#:]+)(?:#[^)]*)?\)")
    assert [target for target in targets if not (page.parent / target).exists()] == []


@every_page
def test_every_command_exists(page):
    commands = named(page, r"manage\.py ([a-z_-]+)")
    assert commands - set(get_commands()) == set()


@every_page
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named(page, r"(?:`|^)make ([a-z-]+)") - targets == set()


@every_page
def test_every_address_answers(page):
    addresses = named(page, r"127\.0\.0\.1:\d+(/[\w./-]*)") | named(page, r"[ (]`(/[\w./-]*)`")
    assert [address for address in addresses if not (answers(address) or address.startswith(NO_ADDRESSES))] == []


def answers(address):
    """FAMILY stands for any family. What nothing else takes goes to the page that says so."""
    try:
        found = resolve(address.replace("FAMILY", "cpu"))
    except Resolver404:
        return False
    return getattr(found.func, "__name__", "") not in {"not_found", "without_slash"}


def test_an_address_that_is_not_there_is_noticed():
    assert answers("/api/v1/metrics/FAMILY")
    assert not answers("/api/v1/metrics/weather")
    assert not answers("/weather")


@every_page
def test_every_setting_exists(page):
    assert (
        named(page, r"\b(SYSMON_[A-Z_]+)\b") - set(settings_read()) - {"SYSMON_TEST_FORBID_SKIP", "SYSMON_TEST_SOAK"}
        == set()
    )


def settings_read():
    """Name -> default, from the calls of the readers in settings.py; None for one that is found out at run time."""
    [module] = [module for module in modules("sysmon_project") if module.name == "sysmon_project.settings"]
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    readers = [call for call in calls if isinstance(call.func, ast.Attribute) and is_env(call.func.value)]
    return {call.args[0].value: default_of(call) for call in readers}


def is_env(node):
    return isinstance(node, ast.Name) and node.id == "env"


def default_of(call):
    if call.func.attr == "url" or len(call.args) < 2:
        return ""
    node = call.args[1]
    value = getattr(program_settings, node.id) if isinstance(node, ast.Name) else getattr(node, "value", None)
    return str(int(value)) if isinstance(value, bool) else None if value is None else str(value)


def test_the_table_of_settings_is_complete_and_has_the_defaults_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    literal = {name: default.strip("`") if default.startswith("`") else None for name, default in rows}
    read = settings_read()
    assert set(literal) == set(read)
    assert {name: default for name, default in literal.items() if default is not None} == {
        name: default for name, default in read.items() if default
    }


def test_every_part_of_the_program_has_its_place_in_the_architecture():
    text = (ROOT / "docs/architecture.md").read_text()
    parts = {path.name for path in (ROOT / "metrics").iterdir() if not path.name.startswith("__")}
    assert [part for part in sorted(parts) if f"`metrics/{part}" not in text] == []


def test_every_place_in_the_architecture_exists():
    places = named(ROOT / "docs/architecture.md", r"`((?:metrics|sysmon_project|tests)/[\w/.]*)`")
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_every_package_has_its_reason():
    lines = (ROOT / "requirements.txt").read_text().partition("# What those need.")[0].splitlines()
    packages = [line.partition("==")[0] for line in lines if "==" in line]
    decisions = (ROOT / "docs/decisions.md").read_text()
    assert [package for package in packages if f"`{package}`" not in decisions] == []
