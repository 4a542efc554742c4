"""GET /api/v1/metrics/sockets"""

from tests.conftest import FIRST_TICK

ADDRESS = "/api/v1/metrics/sockets"


def test_a_point_has_how_many_there_are_and_what_went_wrong(api, recorded):
    recorded.tick(
        sockets={"used": 225, "tcp_established": 7, "tcp_retransmits_per_second": 1.5, "tcp_retransmits_percent": 0.25}
    )
    [point] = api.get(ADDRESS).json()["results"]
    assert (point["used"], point["tcp_established"]) == (225, 7)
    assert (point["tcp_retransmits_per_second"], point["tcp_retransmits_percent"]) == (1.5, 0.25)
    assert point["udp_errors_per_second"] is None


def test_a_step_has_the_mean_and_the_highest(api, recorded):
    for number in range(3):
        recorded.tick(FIRST_TICK + 5 * number, sockets={"tcp_established": 10 * number, "listen_drops_per_second": 0.5})
    fields = "tcp_established,listen_drops_per_second"
    [point] = api.get(ADDRESS, {"step": "1m", "fields": fields}).json()["results"]
    assert (point["tcp_established"], point["tcp_established_max"]) == (10, 20)
    assert (point["listen_drops_per_second"], point["listen_drops_per_second_max"]) == (0.5, 0.5)


def test_the_worst_moment_is_found(api, recorded):
    for number in range(6):
        recorded.tick(FIRST_TICK + 5 * number, sockets={"tcp_retransmits_per_second": 90.0 * (number == 3)})
    found = api.get(f"{ADDRESS}/peaks", {"field": "tcp_retransmits_per_second"}).json()["results"]
    assert [(one["peak"], one["peak_at"]) for one in found] == [(90.0, "2026-11-22T17:10:15.000Z")]


def test_csv_has_a_row_a_point(api, recorded):
    recorded.tick(sockets={"used": 3, "udp_in_use": 2})
    head, row, *_end = api.get(ADDRESS, {"format": "csv", "fields": "used,udp_in_use"}).content.decode().split("\r\n")
    assert (head, row) == ("timestamp,resolution,used,udp_in_use", "2026-11-22T17:10:00.000Z,5,3,2")


def test_an_unknown_field_is_refused(api, recorded):
    recorded.tick(sockets={"used": 3})
    answer = api.get(ADDRESS, {"fields": "nonsense"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["fields"])


def test_a_machine_that_has_none_has_no_points(api, recorded):
    recorded.tick(cpu={"percent": 1.0})
    assert api.get(ADDRESS).json()["results"] == []
