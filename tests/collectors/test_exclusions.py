"""What a setting leaves out: which names its patterns match, and which patterns cannot be meant."""

import re
from pathlib import Path

import pytest

from metrics.collectors import exclusions, mount_questions
from metrics.collectors.base import NoData
from metrics.collectors.disk import DiskCollector
from metrics.collectors.exclusions import DEFAULTS, Exclusion, parse_patterns
from metrics.collectors.file_systems import space_at
from metrics.collectors.interface_links import Link, among, standings
from metrics.collectors.network import NetworkCollector
from metrics.models.samples import sample_models
from tests.collectors.test_disk import FrozenMachine as DiskMachine
from tests.collectors.test_network import FrozenMachine as NetworkMachine

MATCHES = [
    ("interfaces", "veth*", "veth1a2b", True),
    ("interfaces", "veth*", "eth0", False),
    ("interfaces", "veth*", "VETH0", False),
    ("interfaces", "veth*", "my-veth0", False),
    ("interfaces", "br-*, docker0", "docker0", True),
    ("interfaces", "tap?", "tap1", True),
    ("interfaces", "tap?", "tap12", False),
    ("interfaces", "eth[!0]", "eth0", False),
    ("interfaces", "eth[!0]", "eth1", True),
    ("interfaces", "[[]odd", "[odd", True),
    ("interfaces", "a.b", "axb", False),
    ("interfaces", "none", "none", False),
    ("interfaces", "[n]one", "none", True),
    ("interfaces", "veth*,", "", False),
    ("mounts", "/var/lib/docker/*", "/var/lib/docker/overlay2/1/merged", True),
    ("mounts", "/var/lib/docker/*", "/var/lib/docker", False),
    ("mounts", "*/tmp", "/srv/tmp", True),
    ("mounts", "/mnt/a b", "/mnt/a b", True),
    ("mounts", "D:*", "D:\\", True),
    ("disks", "sd[b-d],loop*", "sdc", True),
    ("disks", "vg0-*", "vg0-root", True),
    ("disks", "none", "sda", False),
]  # fmt: skip


@pytest.mark.parametrize(("what", "patterns", "name", "is_out"), MATCHES)
def test_a_name_is_left_out_where_a_pattern_matches_all_of_it(what, patterns, name, is_out):
    exclusion = Exclusion(what)
    exclusion.set_up({f"exclude_{what}": patterns})
    assert exclusion.leaves_out(name) is is_out
    assert exclusion.names() == ({what: [name]} if is_out else {})


REFUSED = [
    ("interfaces", "eth[0", "eth[0 opens a bracket"),
    ("interfaces", "a[]", "opens a bracket"),
    ("interfaces", "/sys/*", "no interface has one in its name"),
    ("interfaces", ",", "must be shell patterns"),
    ("interfaces", "a\x07b", "no printable text"),
    ("interfaces", "x" * 5000, "no printable text of 4096"),
    ("mounts", "home", "must begin with / or *"),
    ("mounts", "/ok,./relative", "./relative must begin with / or *"),
    ("disks", "/dev/sda", "named as in lsblk"),
]


@pytest.mark.parametrize(("what", "text", "complaint"), REFUSED)
def test_a_pattern_that_would_match_nothing_ever_is_refused_in_one_line(what, text, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)) as error:
        parse_patterns(what, text)
    assert str(error.value).isprintable()


def test_what_can_be_excluded_is_what_the_lists_without_bounds_are_called():
    assert set(DEFAULTS) == {model.plural for model in sample_models() if model.busiest}


def test_what_was_left_out_of_the_reading_before_is_forgotten():
    exclusion = Exclusion("interfaces")
    exclusion.leaves_out("veth0")
    exclusion.begin()
    assert exclusion.names() == {}


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetworkMachine:
    return NetworkMachine(tmp_path, monkeypatch)


def line(name: str) -> str:
    return f"{name:>6}: 200 4 0 0 0 0 0 0 100 3 0 0 0 0 0 0\n"


def test_an_excluded_interface_is_in_no_row_of_any_kind_and_is_named(network):
    network.has(line("eth0"), line("veth1"), line("veth2"))
    collector = NetworkCollector()
    reading = collector.read()
    assert [row["interface"] for row in reading["interface"]] == ["eth0"]
    assert all("veth" not in str(row) for rows in reading.values() for row in rows)
    assert collector.excluded == {"interfaces": ["veth1", "veth2"]}
    assert collector.warning == ""


def test_a_machine_of_which_every_interface_is_excluded_has_nothing_and_says_why(network):
    network.has(line("eth0"))
    collector = NetworkCollector()
    collector.set_up({"exclude_interfaces": "*"})
    with pytest.raises(NoData, match="every network interface is excluded"):
        collector.read()
    assert collector.excluded == {"interfaces": ["eth0"]}


def test_a_bridge_is_counted_in_the_place_of_its_excluded_ports():
    links = {
        b"docker0": Link(below=frozenset({b"veth1"})),
        b"veth1": Link(master=b"docker0"),
        b"lo": Link(is_loopback=True),
    }
    found = standings(among([b"docker0", b"lo"], links))
    assert {name: standing.is_counted for name, standing in found.items()} == {b"docker0": True, b"lo": False}


def test_an_uplink_is_counted_whatever_is_excluded():
    links = {b"eth0": Link(has_hardware=True, master=b"br0"), b"br0": Link(below=frozenset({b"eth0", b"veth1"}))}
    found = standings(among([b"eth0", b"br0"], {**links, b"veth1": Link(master=b"br0")}))
    assert (found[b"eth0"].is_counted, found[b"br0"]) == (True, ("eth0", False))


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DiskMachine:
    return DiskMachine(tmp_path, monkeypatch)


@pytest.mark.parametrize("pattern", ["dm-0", "vg-*"], ids=["by the kernel's name", "by the volume's"])
def test_an_excluded_disk_is_in_no_row_of_any_kind_and_is_named(disks, pattern):
    collector = DiskCollector()
    collector.set_up({"exclude_disks": pattern})
    reading = collector.read()
    assert {str(row["device"]) for kind in ("device", "diskstats") for row in reading[kind]} == {"loop1", "vda"}
    assert collector.excluded == {"disks": ["dm-0"]}


def test_an_excluded_mount_is_never_asked(disks, monkeypatch):
    hung, root = disks.directory / "hung", str(disks.directory)
    disks.mount(f"27 1 254:0 / {root} rw - ext4 /dev/vda rw", f"28 27 0:9 / {hung} rw - nfs4 server:/ rw")
    asked = []
    monkeypatch.setattr(mount_questions, "space_at", lambda path, before: asked.append(path) or space_at(path, before))
    collector = DiskCollector()
    collector.set_up({"exclude_mounts": "*/hung"})
    reading = collector.read()
    assert asked == [root]
    assert [row["mountpoint"] for kind in ("partition", "filesystem") for row in reading[kind]] == [root, root]
    assert (collector.excluded, collector.warning) == ({"mounts": [str(hung)]}, "")


def test_the_defaults_are_patterns_themselves():
    assert [parse_patterns(what, text) for what, text in DEFAULTS.items()] == [
        ("veth*",),
        tuple(exclusions.EXCLUDED_MOUNTS.split(",")),
        (),
    ]
