"""Which disks stand on which, and which are counted: trees like those of /sys/block."""

import pytest

from metrics.collectors.device_links import counted_devices, device_links, lower_names


class Tree:
    """Disks below a machine's devices, with the links of /sys/block to them."""

    def __init__(self, directory):
        self.block, self.devices = directory / "block", directory / "devices"
        self.block.mkdir()

    def disk(self, name, *slaves, has_hardware=False, **files):
        """A disk; a slave `sda/sda2` is a partition of it."""
        place = self.devices / name
        (place / "slaves").mkdir(parents=True)
        (self.block / name).symlink_to(place)
        if has_hardware:
            (place / "device").mkdir()
        for slave in slaves:
            target = self.devices / slave
            if "/" in slave:
                target.mkdir(exist_ok=True)
                (target / "partition").write_text("1\n")
            (place / "slaves" / target.name).symlink_to(target)
        for file, text in files.items():
            path = place / file.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def card(self, *names, **files):
        for name in names:
            self.disk(name, has_hardware=True, **files)

    def links(self):
        return {path.name: device_links(path) for path in self.block.iterdir()}


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def plain(tree):
    tree.card("sda", "nvme0n1", "mmcblk0", "vda", "sr0", "cciss!c0d0")


def lvm_on_crypt_on_md(tree):
    tree.card("sda", "sdb")
    tree.disk("md0", "sda/sda2", "sdb/sdb2")
    tree.disk("dm-0", "md0")
    tree.disk("dm-1", "dm-0")


def multipath(tree):
    tree.card("sda", "sdb", "sdc", "sdd")
    tree.disk("dm-0", "sda", "sdb")
    tree.disk("dm-1", "sdc", "sdd")
    tree.disk("md0", "dm-0", "dm-1")


def nvme_multipath(tree):
    tree.card("nvme0n1")
    tree.card("nvme0c0n1", "nvme0c1n1", hidden="1\n")


def bcache(tree):
    tree.card("sda", "nvme0n1")
    tree.disk("bcache0", "sda/sda1", "nvme0n1/nvme0n1p3")


def zfs(tree):
    tree.card("sda")
    for name in ("zd0", "zd16"):
        tree.disk(name)


def drbd(tree):
    tree.card("sda")
    tree.disk("dm-0", "sda/sda3")
    tree.disk("drbd0", "dm-0")
    tree.disk("drbd1")  # older modules name nothing below


def memory_and_files(tree):
    tree.card("vda")
    tree.disk("zram0", comp_algorithm="lzo [zstd]\n")
    tree.disk("loop0", loop__backing_file="/srv/image\n")


def over_the_network_only(tree):
    tree.disk("nbd0")
    tree.disk("dm-0", "nbd0/nbd0p2")
    tree.disk("loop0", loop__backing_file="/srv/image\n")
    tree.disk("zram0", comp_algorithm="lzo\n")


def what_stands_on_a_hidden_disk(tree):
    tree.disk("dm-0")
    tree.disk("dm-1", "dm-0")


MACHINES = [
    (plain, "sda nvme0n1 mmcblk0 vda sr0 cciss!c0d0", {"sda": ""}),
    (lvm_on_crypt_on_md, "sda sdb", {"md0": "sda,sdb", "dm-0": "md0", "dm-1": "dm-0"}),
    (multipath, "sda sdb sdc sdd", {"dm-0": "sda,sdb", "md0": "dm-0,dm-1"}),
    (nvme_multipath, "nvme0n1", {}),
    (bcache, "sda nvme0n1", {"bcache0": "nvme0n1,sda"}),
    (zfs, "sda", {"zd0": ""}),
    (drbd, "sda", {"drbd0": "dm-0"}),
    (memory_and_files, "vda", {"loop0": ""}),
    (over_the_network_only, "nbd0", {"dm-0": "nbd0"}),
    (what_stands_on_a_hidden_disk, "dm-0", {"dm-1": "dm-0"}),
]


@pytest.mark.parametrize(("make", "counted", "lowers"), MACHINES, ids=lambda value: getattr(value, "__name__", None))
def test_each_byte_is_counted_once(tree, make, counted, lowers):
    make(tree)
    links = tree.links()
    assert counted_devices(links) == set(counted.split())
    assert {name: lower_names(links[name]) for name in lowers} == lowers


def test_what_has_no_directory_is_not_known(tmp_path):
    assert device_links(tmp_path / "sda") is None
