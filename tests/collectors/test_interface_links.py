"""Which interfaces stand on which, and which are counted: real ones in namespaces of their own, and made-up ones."""

import json
import socket
import subprocess
import sys

import psutil
import pytest

from metrics.collectors import interface_links, linux
from metrics.collectors.interface_links import InterfaceLinks, Link, Standing, read_links, standings

CARD, LOOPBACK, VIRTUAL = Link(has_hardware=True), Link(is_loopback=True), Link()


def on(*names, **facts):
    return Link(below=frozenset(name.encode() for name in names), **facts)


def in_(master, **facts):
    return Link(master=master.encode(), **facts)


def outside(number, **facts):
    return Link(outside=number, **facts)


# What the machine has, which interfaces carry each byte once, and what some others stand on.
MACHINES = {
    "one card": ({"lo": LOOPBACK, "eth0": CARD}, "eth0", {"eth0": "", "lo": ""}),
    "a bond": (
        {
            "eno1": in_("bond0", has_hardware=True),
            "eno2": in_("bond0", has_hardware=True),
            "bond0": on("eno1", "eno2"),
        },
        "eno1 eno2",
        {"bond0": "eno1,eno2"},
    ),
    "VLANs on a team": (
        {"eth0": in_("team0", has_hardware=True), "team0": on("eth0"), "team0.5": on("team0"), "team0.6": on("team0")},
        "eth0",
        {"team0.5": "team0", "team0": "eth0"},
    ),
    "Proxmox with a firewall for each guest": (
        {
            "eno1": in_("vmbr0", has_hardware=True),
            "vmbr0": on("eno1", "fwpr100p0"),
            "tap100i0": in_("fwbr100i0"),
            "fwln100i0": in_("fwbr100i0"),
            "fwpr100p0": in_("vmbr0"),
            "fwbr100i0": on("tap100i0", "fwln100i0"),
        },
        "eno1",
        {"vmbr0": "eno1", "fwbr100i0": "", "tap100i0": ""},
    ),
    "Open vSwitch": (
        {
            "eth0": in_("ovs-system", has_hardware=True),
            "ovs-system": on("eth0", "vnet0"),
            "br-ex": VIRTUAL,
            "vnet0": in_("ovs-system"),
        },
        "eth0",
        {"ovs-system": "eth0", "br-ex": ""},
    ),
    "Kubernetes with cilium": (
        {
            "ens5": CARD,
            "cilium_net": VIRTUAL,
            "cilium_host": VIRTUAL,
            "cilium_vxlan": VIRTUAL,
            "lxc1a2b": outside(3),
            "lxc3c4d": outside(4),
        },
        "ens5",
        {"cilium_vxlan": ""},
    ),
    "LXD, docker, podman and libvirt together": (
        {
            "wlp2s0": CARD,
            "lxdbr0": on("veth1"),
            "veth1": in_("lxdbr0", outside=0),
            "docker0": VIRTUAL,
            "podman1": on("veth2"),
            "veth2": in_("podman1", outside=1),
            "virbr0": on("vnet0"),
            "vnet0": in_("virbr0"),
        },
        "wlp2s0",
        {"lxdbr0": ""},
    ),
    "tunnels": (
        {"eth0": CARD, "wg0": VIRTUAL, "tailscale0": VIRTUAL, "ppp0": VIRTUAL, "gre1": on("eth0"), "ip0": on("eth0")},
        "eth0",
        {"gre1": "eth0", "wg0": ""},
    ),
    "a switch of DSA": (
        {"eth0": CARD, "lan1": on("eth0", has_hardware=True), "lan2": on("eth0", has_hardware=True, master=b"br0")},
        "eth0",
        {"lan1": "eth0"},
    ),
    "Azure's accelerated card, half of which is another": (
        {"eth0": on("enP1s1", has_hardware=True), "enP1s1": in_("eth0", has_hardware=True)},
        "eth0",
        {"eth0": "", "enP1s1": ""},
    ),
    "a card plugged into a second machine's bridge": (
        {"eth0": CARD, "usb0": in_("br0", has_hardware=True), "br0": on("usb0")},
        "eth0 usb0",
        {"br0": "usb0"},
    ),
    "a container": ({"lo": LOOPBACK, "eth0": outside(0), "tunl0": VIRTUAL, "wg0": VIRTUAL}, "eth0", {"wg0": ""}),
    "a container of two networks": ({"lo": LOOPBACK, "eth0": outside(0), "eth1": outside(0)}, "eth0 eth1", {}),
    "a container with a bridge and containers of its own": (
        {
            "lo": LOOPBACK,
            "eth0": in_("br0", outside=0),
            "br0": on("eth0", "veth1"),
            "veth1": in_("br0", outside=1),
            "veth2": outside(2),
        },
        "eth0",
        {"br0": "eth0"},
    ),
    "a container of an unprivileged user": ({"lo": LOOPBACK, "tap0": VIRTUAL}, "tap0", {}),
    "OpenVZ": ({"lo": LOOPBACK, "venet0": VIRTUAL}, "venet0", {}),
    "a namespace with two halves of a cable in a bridge": (
        {"lo": LOOPBACK, "a": in_("br0"), "b": VIRTUAL, "br0": on("a")},
        "b",
        {},
    ),
    "nothing but a circle": ({"lo": LOOPBACK, "a": on("b"), "b": on("a")}, "a b", {}),
    "nothing but loopback": ({"lo": LOOPBACK}, "lo", {}),
    "nothing": ({}, "", {}),
}  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
def test_each_byte_is_counted_once(machine):
    links, counted, lowers = MACHINES[machine]
    found = standings({name.encode(): link for name, link in links.items()})
    assert {name.decode() for name, standing in found.items() if standing.is_counted} == set(counted.split())
    assert {name: found[name.encode()].lower for name in lowers} == lowers


class Sys:
    """A tree like /sys/class/net, where the kernel does not answer itself."""

    def __init__(self, directory):
        self.directory = directory

    def has(self, name, *lowers, index=1, link=None, kind=1, master="", has_hardware=False):
        place = self.directory / name
        place.mkdir(parents=True)
        numbers = {"ifindex": index, "iflink": index if link is None else link, "type": kind}
        for file, number in numbers.items():
            (place / file).write_text(f"{number}\n")
        for lower in lowers:
            (place / f"lower_{lower}").symlink_to(f"../{lower}")
        if master:
            (place / "master").symlink_to(f"../{master}")
        if has_hardware:
            (place / "device").mkdir()


@pytest.fixture
def sys_tree(tmp_path, monkeypatch):
    def refuse():
        raise PermissionError

    monkeypatch.setattr(interface_links, "netlink_links", refuse)
    monkeypatch.setattr(linux, "INTERFACES", tmp_path)
    return Sys(tmp_path)


def test_where_a_sandbox_refuses_the_kernels_answer_sys_is_read(sys_tree):
    sys_tree.has("lo", kind=772)
    sys_tree.has("eth0", has_hardware=True, master="bond0")
    sys_tree.has("bond0", "eth0")
    sys_tree.has("veth1", index=7, link=8)
    sys_tree.has("v5", "bond0", index=9, link=3)
    assert read_links([b"lo", b"eth0", b"bond0", b"veth1", b"v5", b"gone0"]) == {
        b"lo": LOOPBACK,
        b"eth0": in_("bond0", has_hardware=True),
        b"bond0": on("eth0"),
        b"veth1": outside(0),
        b"v5": on("bond0"),
    }


def test_what_nobody_knows_is_null(sys_tree):
    assert InterfaceLinks().of([b"eth0"]) == [Standing(None, None)]


def test_links_are_read_again_when_a_name_is_new_or_after_a_while(monkeypatch):
    links = {b"eth0": VIRTUAL}
    monkeypatch.setattr(interface_links, "read_links", lambda _names: dict(links))
    known = InterfaceLinks()
    assert known.of([b"eth0"]) == [Standing("", True)]
    links[b"eth1"] = CARD
    assert known.of([b"eth0"]) == [Standing("", True)]
    assert known.of([b"eth0", b"eth1"]) == [Standing("", False), Standing("", True)]
    links[b"eth0"] = CARD
    monkeypatch.setattr(interface_links, "LINKS_LAST_SECONDS", 0.0)
    assert known.of([b"eth0", b"eth1"]) == [Standing("", True), Standing("", True)]


class Answering:
    """A kernel that answers so."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def __call__(self, *_arguments):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def settimeout(self, _seconds):
        pass

    def send(self, _request):
        pass

    def recv(self, _size):
        return self.answers.pop(0)


@pytest.mark.skipif(not psutil.LINUX, reason="the kernel is asked on Linux only")
@pytest.mark.parametrize(
    "answer",
    [
        b"\x01",
        b"\x24\0\0\0\x02\0\0\0" + bytes(28),
        b"\x01\0\0\0\x10\0\0\0" + bytes(8),
        b"\x14\0\0\0\x10\0\0\0" + bytes(12),
    ],
)
def test_an_answer_that_is_none_costs_only_itself(sys_tree, monkeypatch, answer):
    monkeypatch.undo()
    monkeypatch.setattr(linux, "INTERFACES", sys_tree.directory)
    monkeypatch.setattr(socket, "socket", Answering(answer))
    assert read_links([b"eth0"]) == {}


PROGRAM = """
import json
from metrics.collectors.network import NetworkCollector
rows = NetworkCollector().read()["interface"]
print(json.dumps({row["interface"]: [row["lower"], row["is_counted"]] for row in rows}))
"""
# The commands that make the interfaces, run in a namespace whose /sys is that of another, and what is then counted.
NAMESPACES = {
    "a bridge and a macvlan over a cable": (
        """ip link add v0 type veth peer name v1; ip link add br0 type bridge; ip link set v0 master br0
        ip link add link v1 name m0 type macvlan""",
        {"lo": ["", False], "v0": ["", False], "v1": ["", True], "br0": ["", False], "m0": ["v1", False]},
    ),
    "a tap in a bridge": (
        "ip tuntap add t0 mode tap; ip tuntap add t1 mode tun; ip link add br0 type bridge; ip link set t0 master br0",
        {"lo": ["", False], "t0": ["", False], "t1": ["", True], "br0": ["", False]},
    ),
    "a container, and one within it": (
        """unshare -n sleep 20 & outer=$!; unshare -n sleep 20 & inner=$!; kids="$outer $inner"
        here=$(readlink /proc/self/ns/net)
        for kid in $kids; do while [ "$(readlink /proc/$kid/ns/net)" = "$here" ]; do :; done; done
        ip link add br0 type bridge
        ip link add eth0 type veth peer name peer netns $outer; ip link set eth0 master br0
        ip link add v1 type veth peer name peer netns $inner; ip link set v1 master br0""",
        {"lo": ["", False], "eth0": ["", True], "v1": ["", False], "br0": ["eth0", False]},
    ),
}


@pytest.mark.skipif(not psutil.LINUX, reason="interfaces are made with Linux' ip")
@pytest.mark.parametrize("namespace", NAMESPACES)
def test_real_interfaces_are_counted_once(namespace):
    make, expected = NAMESPACES[namespace]
    script = f'exec 2>&3; {make}; "$0" -c "$1"; kill $kids'
    command = ["unshare", "-n", "sh", "-c", f"exec 3>/dev/null; {script}", sys.executable, PROGRAM]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    found = json.loads(done.stdout) if done.stdout else {}
    if not found.keys() >= expected.keys():
        pytest.skip(f"such interfaces cannot be made here: {done.stderr.strip()}")
    assert {name: found[name] for name in expected} == expected
