"""Which disk stands on which, and which ones a total counts, so that each byte is counted once."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from metrics.collectors.linux import read_text


class DeviceLinks(NamedTuple):
    """What /sys says of a disk: the disks below it, whether there is hardware, and whether it is what nobody counts:
    another way to the same disk, a file, or memory."""

    below: frozenset[str]
    has_hardware: bool
    is_uncounted: bool


def device_links(directory: Path) -> DeviceLinks | None:
    """Return what is known of a disk by its directory in /sys/block; None where there is none."""
    if not directory.is_dir():
        return None
    return DeviceLinks(
        below=frozenset(_disk_of(directory / "slaves" / name) for name in _listed(directory / "slaves")),
        has_hardware=(directory / "device").exists(),
        # A path that the kernel itself joins with others to one disk (NVMe) is hidden.
        is_uncounted=read_text(directory / "hidden").strip() == "1"
        or (directory / "loop/backing_file").exists()
        or (directory / "comp_algorithm").exists(),
    )


def counted_devices(links: Mapping[str, DeviceLinks]) -> set[str]:
    """Return the disks that between them carry every byte once.

    Those with hardware of their own, and nothing below them: what volumes, arrays, multipath, caches, ZFS volumes and
    mirrors over the network (DRBD) read and write, these do too. Without any, as in some virtual machines and
    containers, whatever has none of the others below it.
    """
    lowest = {name for name, link in links.items() if not link.is_uncounted and not link.below & links.keys()}
    return {name for name in lowest if links[name].has_hardware} or lowest


def lower_names(links: DeviceLinks) -> str:
    """Return the disks below, comma-separated."""
    return ",".join(sorted(links.below))


def _listed(directory: Path) -> Iterable[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return ()


def _disk_of(slave: Path) -> str:
    """The whole disk, where one of its partitions is meant."""
    directory = slave.resolve()
    name = directory.parent.name if (directory / "partition").exists() else slave.name
    return name.replace("!", "/")
