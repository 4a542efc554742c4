"""GET /api/v1/metrics/network"""

import pytest

ADDRESS = "/api/v1/metrics/network"


@pytest.fixture
def interfaces(recorded):
    for number in range(2):
        recorded.tick(
            1_795_367_400 + 5 * number,
            interface=[
                {"interface": "eth0", "is_up": True, "sent_bytes": 100 + number, "sent_bytes_per_second": 0.5},
                {"interface": "lo", "is_up": number == 0, "speed_mbps": None},
            ],
        )
    return recorded


def test_a_point_lists_the_interfaces(api, interfaces):
    point = api.get(ADDRESS).json()["results"][-1]
    assert [interface["interface"] for interface in point["interfaces"]] == ["eth0", "lo"]
    assert point["interfaces"][0]["is_up"] is True
    assert point["interfaces"][1]["is_up"] is False
    assert point["interfaces"][0]["sent_bytes"] == 101
    assert point["interfaces"][1]["speed_mbps"] is None


def test_interface_filters_the_list(api, interfaces):
    for point in api.get(ADDRESS, {"interface": "lo"}).json()["results"]:
        assert [interface["interface"] for interface in point["interfaces"]] == ["lo"]


def test_a_step_keeps_the_last_counter_and_flag(api, interfaces):
    [point] = api.get(ADDRESS, {"step": "1m"}).json()["results"]
    eth0, lo = point["interfaces"]
    assert (eth0["sent_bytes"], eth0["is_up"], lo["is_up"]) == (101, True, False)
    assert "sent_bytes_max" not in eth0
    assert (eth0["sent_bytes_per_second"], eth0["sent_bytes_per_second_max"]) == (0.5, 0.5)


def test_an_interface_that_was_unplugged_is_no_longer_listed(api, interfaces):
    interfaces.tick(1_795_367_410, interface=[{"interface": "lo"}])
    point = api.get(ADDRESS).json()["results"][-1]
    assert [interface["interface"] for interface in point["interfaces"]] == ["lo"]


def test_the_limit_counts_points_and_not_interfaces(api, interfaces):
    body = api.get(ADDRESS, {"limit": 1}).json()
    assert body["count"] == 1
    assert len(body["results"][0]["interfaces"]) == 2
    assert body["next"] is not None
