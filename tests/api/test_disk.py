"""GET /api/v1/metrics/disk"""

import pytest

ADDRESS = "/api/v1/metrics/disk"


@pytest.fixture
def disks(recorded):
    for number in range(2):
        recorded.tick(
            1_795_367_400 + 5 * number,
            disk={"pressure_some_percent": 1.5},
            partition=[
                {"device": "/dev/sda1", "mountpoint": "/", "fstype": "ext4", "used_bytes": 10 + number},
                {"device": "/dev/sdb1", "mountpoint": "/home", "fstype": "xfs", "used_bytes": 20},
            ],
            device=[
                {"device": "sda", "name": "sda", "read_bytes_per_second": 512.0 * (number + 1)},
                {"device": "dm-0", "name": "vg-root", "busy_percent": 3.0},
            ],
        )
    return recorded


def test_a_point_has_two_lists(api, disks):
    point = api.get(ADDRESS).json()["results"][-1]
    assert point["pressure_some_percent"] == 1.5
    assert [partition["mountpoint"] for partition in point["partitions"]] == ["/", "/home"]
    assert point["devices"][1] == {
        "device": "sda",
        "name": "sda",
        "read_bytes_per_second": 1024.0,
        "write_bytes_per_second": None,
        "reads_per_second": None,
        "writes_per_second": None,
        "busy_percent": None,
        "lower": None,
        "is_counted": None,
    }


def test_a_point_without_disks_has_empty_lists(api, recorded):
    recorded.tick(disk={})
    [point] = api.get(ADDRESS).json()["results"]
    assert (point["partitions"], point["devices"]) == ([], [])
    [point] = api.get(ADDRESS, {"step": 60}).json()["results"]
    assert (point["partitions"], point["devices"]) == ([], [])


def test_device_filters_both_lists(api, disks):
    point = api.get(ADDRESS, {"device": "sda,/dev/sdb1"}).json()["results"][0]
    assert [partition["device"] for partition in point["partitions"]] == ["/dev/sdb1"]
    assert [device["device"] for device in point["devices"]] == ["sda"]


def test_history_follows_the_name_when_the_numbers_change(api, recorded):
    """After a boot the mapper numbers its devices anew."""
    for number, device in enumerate(["dm-0", "dm-1", "dm-0"]):
        other = {"dm-0": "dm-1", "dm-1": "dm-0"}[device]
        recorded.tick(
            1_795_367_400 + 5 * number,
            disk={},
            device=[
                {"device": device, "name": "vg-root", "busy_percent": 10.0 + number},
                {"device": other, "name": "vg-swap", "busy_percent": 90.0},
            ],
        )
    points = api.get(ADDRESS, {"name": "vg-root"}).json()["results"]
    assert [point["devices"][0]["device"] for point in points] == ["dm-0", "dm-1", "dm-0"]
    assert [point["devices"][0]["busy_percent"] for point in points] == [10.0, 11.0, 12.0]
    [step] = api.get(ADDRESS, {"step": "1m"}).json()["results"]
    highest = {(row["name"], row["device"]): row["busy_percent_max"] for row in step["devices"]}
    assert highest == {
        ("vg-root", "dm-0"): 12.0, ("vg-root", "dm-1"): 11.0, ("vg-swap", "dm-0"): 90.0, ("vg-swap", "dm-1"): 90.0,
    }  # fmt: skip


def test_a_step_keeps_what_a_disk_stood_on_last(api, recorded):
    for number, lower in enumerate(("sda", "sda,sdb", "sdb")):
        recorded.tick(
            1_795_367_400 + 5 * number,
            disk={},
            device=[{"device": "dm-0", "name": "vg-root", "lower": lower, "is_counted": False}],
        )
    [step] = api.get(ADDRESS, {"step": "1m", "fields": "lower,is_counted"}).json()["results"]
    assert step["devices"] == [{"device": "dm-0", "name": "vg-root", "lower": "sdb", "is_counted": False}]


def test_mountpoint_filters_the_partitions(api, disks):
    point = api.get(ADDRESS, {"mountpoint": "/"}).json()["results"][0]
    assert [partition["mountpoint"] for partition in point["partitions"]] == ["/"]
    assert len(point["devices"]) == 2


def test_fields_of_a_list_come_with_its_labels(api, disks):
    point = api.get(ADDRESS, {"fields": "used_bytes"}).json()["results"][0]
    assert point == {
        "timestamp": "2026-11-22T17:10:00.000Z",
        "resolution": 5,
        "partitions": [
            {"device": "/dev/sda1", "mountpoint": "/", "used_bytes": 10},
            {"device": "/dev/sdb1", "mountpoint": "/home", "used_bytes": 20},
        ],
    }


def test_fields_may_name_a_whole_list(api, disks):
    point = api.get(ADDRESS, {"fields": "devices"}).json()["results"][0]
    assert list(point) == ["timestamp", "resolution", "devices"]
    assert len(point["devices"][0]) == 9


def test_fields_of_the_point_leave_the_lists_out(api, disks):
    point = api.get(ADDRESS, {"fields": "pressure_some_percent"}).json()["results"][0]
    assert list(point) == ["timestamp", "resolution", "pressure_some_percent"]


def test_a_step_means_each_disk_by_itself(api, disks):
    [point] = api.get(ADDRESS, {"step": 60, "fields": "used_bytes,read_bytes_per_second"}).json()["results"]
    assert [(p["mountpoint"], p["used_bytes_max"]) for p in point["partitions"]] == [("/", 11), ("/home", 20)]
    assert [(d["device"], d["read_bytes_per_second"]) for d in point["devices"]] == [("dm-0", None), ("sda", 768.0)]


def test_a_step_keeps_labels_that_are_no_key(api, disks):
    [point] = api.get(ADDRESS, {"step": 60}).json()["results"]
    assert [partition["fstype"] for partition in point["partitions"]] == ["ext4", "xfs"]


def test_it_takes_few_queries(api, disks, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        api.get(ADDRESS)
    with django_assert_max_num_queries(12):
        api.get(ADDRESS, {"step": 60})


def test_an_interface_is_no_parameter_here(api, disks):
    assert "interface" in api.get(ADDRESS, {"interface": "eth0"}).json()["errors"]
