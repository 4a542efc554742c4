"""The machines that were recorded."""

from datetime import timedelta

from metrics.models import CpuSample, Host, Tick
from tests.admin.conftest import AT, ATTACK, detail_path, list_path, text_of


def test_a_host_shows_its_machine_and_the_uptime_at_its_newest_tick(host, superuser_client):
    for days in (1, 2):
        at = AT + timedelta(days=days, hours=3)
        Tick.objects.create(host=host, timestamp=at, resolution=5, lag_milliseconds=0, duration_milliseconds=1)
    text = text_of(superuser_client.get(list_path(Host)))
    for shown in ("8.0 GiB", "2 d 3 h", "2026-11-24 20:40:05"):
        assert shown in text


def test_a_host_that_never_ticked_has_no_uptime(host, superuser_client):
    assert '<td class="field-uptime"><span class="number">-</span></td>' in text_of(
        superuser_client.get(list_path(Host))
    )


def test_a_clock_that_was_set_back_gives_no_negative_uptime(host, superuser_client):
    at = AT - timedelta(hours=1)
    Tick.objects.create(host=host, timestamp=at, resolution=5, lag_milliseconds=0, duration_milliseconds=1)
    assert '<span class="number">0 s</span>' in text_of(superuser_client.get(list_path(Host)))


def test_a_host_links_to_everything_that_it_recorded(host, superuser_client):
    assert f"{list_path(CpuSample)}?host=test-host" in text_of(superuser_client.get(detail_path(host)))


def test_a_host_with_a_hostile_name_is_escaped_in_its_pages_and_in_filters(make_sample, superuser_client):
    hostile = Host.objects.create(name=ATTACK, os_name=ATTACK)
    make_sample(CpuSample, host=hostile)
    paths = [list_path(Host), detail_path(hostile), list_path(CpuSample)]
    for path in [*paths, f"{list_path(CpuSample)}?host=%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E"]:
        text = text_of(superuser_client.get(path))
        assert ATTACK not in text
        assert "&lt;img" in text
