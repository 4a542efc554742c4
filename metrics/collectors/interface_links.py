"""Which network interface stands on which, and which ones a total counts, so that each byte is counted once.

The kernel is asked over rtnetlink, which speaks of this network namespace whatever is mounted on /sys. What it does
not say there (before Linux 5.14 whether there is hardware), or not at all in a sandbox, /sys says.
"""

import os
import socket
import struct
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from metrics.collectors import linux
from metrics.collectors.linux import read_text
from metrics.collectors.text import valid_text

# linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_arp.h
_NLMSGHDR, _IFINFOMSG, _RTATTR = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")
NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_GETLINK = 2, 3, 16, 18
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
IFLA_IFNAME, IFLA_LINK, IFLA_MASTER, IFLA_EXT_MASK, IFLA_LINK_NETNSID, IFLA_PARENT_DEV_NAME = 3, 5, 10, 29, 37, 56
RTEXT_FILTER_SKIP_STATS = 1 << 3
ARPHRD_LOOPBACK = 772
ATTRIBUTE_TYPE = 0x3FFF
# The kernel writes no more than 32 KiB at once.
ANSWER_BYTES, TIMEOUT_SECONDS = 65_536, 1.0

# Links are made seldom, and then there is another name; whatever else changes may wait so long.
LINKS_LAST_SECONDS = 30.0


class Link(NamedTuple):
    """What the kernel says of an interface. `outside` numbers the other namespace that its other half is in."""

    has_hardware: bool = False
    is_loopback: bool = False
    master: bytes | None = None
    below: frozenset[bytes] = frozenset()
    outside: int | None = None


class Standing(NamedTuple):
    """What an interface stands on, comma-separated, and whether a total counts it; None where nobody says."""

    lower: str | None
    is_counted: bool | None


UNKNOWN = Standing(None, None)


class InterfaceLinks:
    """Remembers the links for a while."""

    def __init__(self) -> None:
        self._standings: Mapping[bytes, Standing] = {}
        self._names: Collection[bytes] = ()
        self._read_at = 0.0

    def of(self, names: Collection[bytes]) -> list[Standing]:
        """The standing of each interface of this network namespace."""
        now = time.monotonic()
        if list(names) != self._names or now - self._read_at >= LINKS_LAST_SECONDS:
            self._standings = standings(among(names, read_links(names)))
            self._names, self._read_at = list(names), now
        return [self._standings.get(name, UNKNOWN) for name in names]


def among(names: Collection[bytes], links: Mapping[bytes, Link]) -> dict[bytes, Link]:
    """Return the links of some interfaces, as if there were no others: a bridge without its excluded ports is counted
    where these would have been."""
    there = frozenset(names)
    return {
        name: link._replace(below=link.below & there, master=link.master if link.master in there else None)
        for name, link in links.items()
        if name in there
    }


def standings(links: Mapping[bytes, Link]) -> dict[bytes, Standing]:
    """Return what each interface stands on, and whether it is counted.

    Of what stands on a counted one only that is named: a bridge has its uplink below it, not its virtual machines.
    """
    counted = counted_interfaces(links)
    carrying = set(counted)
    while found := {name for name, link in links.items() if name not in carrying and link.below & carrying}:
        carrying |= found
    return {
        name: Standing(",".join(sorted(valid_text(_text(one)) for one in link.below & carrying)), name in counted)
        for name, link in links.items()
    }


def counted_interfaces(links: Mapping[bytes, Link]) -> set[bytes]:
    """Return the interfaces that between them carry every byte once.

    Those with hardware of their own: what passes through bonds, bridges, VLANs, tunnels and virtual machines passes
    through them too, or never leaves the machine. A port of a switch whose bytes pass through another card is not
    counted, and of two halves of one card (a virtual function below Hyper-V's) the upper one is.

    In a container, without hardware, those whose other half is outside: of several namespaces in the one that was
    there first, for those of containers within this one came later. Where there are none of these, whatever is no
    loopback and has nothing below it and no master; and loopback where there is nothing else.
    """
    hardware = {name for name, link in links.items() if link.has_hardware}
    if hardware:
        return {name for name in hardware if _is_lowest_card(name, links, hardware)}
    outsides = [link.outside for link in links.values() if link.outside is not None]
    if outsides:
        return {name for name, link in links.items() if link.outside == min(outsides)}
    virtual = {name for name, link in links.items() if not link.is_loopback}
    lowest = {name for name in virtual if not links[name].below and links[name].master is None}
    return lowest or virtual or set(links)


def _is_lowest_card(name: bytes, links: Mapping[bytes, Link], hardware: Collection[bytes]) -> bool:
    """Ports of a bridge are its lowers too, but what has a card for a master is a half of that card."""
    cards_below = links[name].below.intersection(hardware)
    return links[name].master not in hardware and all(links[card].master == name for card in cards_below)


def read_links(names: Collection[bytes]) -> dict[bytes, Link]:
    """Return what is known of each interface that is there."""
    try:
        links = netlink_links()
    except (OSError, struct.error):
        links = {}
    for name in names:
        if name not in links and (link := sysfs_link(_directory(name))):
            links[name] = link
    return links


class _Message(NamedTuple):
    """A link, by the numbers of its interface and of those that it names."""

    name: bytes
    number: int
    is_loopback: bool
    has_parent: bool
    master: int
    link: int
    outside: int | None


def netlink_links() -> dict[bytes, Link]:
    """Return every link of this namespace. Raises OSError where the kernel, or a sandbox, does not answer."""
    request = _IFINFOMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + struct.pack(
        "=HHI", 8, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS
    )
    head = _NLMSGHDR.pack(_NLMSGHDR.size + len(request), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(TIMEOUT_SECONDS)
        netlink.send(head + request)
        return _joined(list(_messages(netlink)))


def _messages(netlink: socket.socket) -> Iterator[_Message]:
    while True:
        answer = netlink.recv(ANSWER_BYTES)
        while answer:
            length, kind, *_ = _NLMSGHDR.unpack_from(answer)
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR or length < _NLMSGHDR.size:
                raise OSError("the kernel refuses to list its links")
            if kind == RTM_NEWLINK:
                yield _message(answer[_NLMSGHDR.size : length])
            answer = answer[_aligned(length) :]


def _message(body: bytes) -> _Message:
    _family, kind, index, _flags, _change = _IFINFOMSG.unpack_from(body)
    attributes = dict(_attributes(body[_IFINFOMSG.size :]))

    def number(attribute: int) -> int:
        value = attributes.get(attribute, b"")
        return int(struct.unpack("=i", value)[0]) if len(value) == 4 else 0

    return _Message(
        name=attributes.get(IFLA_IFNAME, b"").rstrip(b"\0"),
        number=index,
        is_loopback=kind == ARPHRD_LOOPBACK,
        has_parent=IFLA_PARENT_DEV_NAME in attributes,
        master=number(IFLA_MASTER),
        link=number(IFLA_LINK),
        outside=number(IFLA_LINK_NETNSID) if IFLA_LINK_NETNSID in attributes else None,
    )


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    while len(body) >= _RTATTR.size:
        length, kind = _RTATTR.unpack_from(body)
        if length < _RTATTR.size:
            return
        yield kind & ATTRIBUTE_TYPE, body[_RTATTR.size : length]
        body = body[_aligned(length) :]


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _joined(messages: Collection[_Message]) -> dict[bytes, Link]:
    """Names for numbers. Two that name each other are the two ends of a cable (veth), of which none is below."""
    by_number = {message.number: message for message in messages}
    below: dict[bytes, set[bytes]] = {message.name: set() for message in messages}
    for message in messages:
        if master := by_number.get(message.master):
            below[master.name].add(message.name)
        lower = by_number.get(message.link) if message.outside is None else None
        if lower and lower is not message and lower.link != message.number:
            below[message.name].add(lower.name)
    return {
        message.name: Link(
            has_hardware=message.has_parent or _has_hardware(message),
            is_loopback=message.is_loopback,
            master=by_number[message.master].name if message.master in by_number else None,
            below=frozenset(below[message.name]),
            outside=message.outside,
        )
        for message in messages
    }


def _has_hardware(message: _Message) -> bool:
    """By /sys, where that shows this namespace."""
    directory = _directory(message.name)
    return (directory / "device").exists() and read_text(directory / "ifindex").strip() == str(message.number)


def sysfs_link(directory: Path) -> Link | None:
    """Return what /sys says of an interface; None where it does not know it."""
    try:
        files = os.listdir(directory)
    except OSError:
        return None
    below = frozenset(os.fsencode(file.removeprefix("lower_")) for file in files if file.startswith("lower_"))
    index, link = (read_text(directory / file).strip() for file in ("ifindex", "iflink"))
    return Link(
        has_hardware="device" in files,
        is_loopback=read_text(directory / "type").strip() == str(ARPHRD_LOOPBACK),
        master=os.fsencode(os.path.basename(os.readlink(directory / "master"))) if "master" in files else None,
        below=below,
        # Of which namespace is not said: 0 stands for any.
        outside=0 if link not in ("", "0", index) and not below and "device" not in files else None,
    )


def _directory(name: bytes) -> Path:
    return linux.INTERFACES / os.fsdecode(name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
