"""Processes and their samples; who sees a command line."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from metrics.models import Host, Process, ProcessSample
from tests.admin.conftest import AT, ATTACK, detail_path, list_path, text_of


def test_a_sample_links_to_its_process(process, make_sample, superuser_client):
    sample = make_sample(ProcessSample, process=process)
    link = f'<a href="{detail_path(process)}">node (41)</a>'
    assert link in text_of(superuser_client.get(list_path(ProcessSample)))
    assert link in text_of(superuser_client.get(detail_path(sample)))


def test_what_else_ran_at_that_tick_is_one_link_away(process, make_sample, superuser_client, host):
    other = Process.objects.create(host=host, pid=42, started_at=AT, name="other")
    make_sample(ProcessSample, process=process, cpu_percent=1)
    make_sample(ProcessSample, process=other, cpu_percent=90)
    make_sample(ProcessSample, process=other, timestamp=AT + timedelta(seconds=5))
    path = f"{list_path(ProcessSample)}?host=test-host&tier=0&tick={int(AT.timestamp())}"
    assert path.replace("&", "&amp;") in text_of(superuser_client.get(list_path(ProcessSample)))
    assert [row.process.pid for row in superuser_client.get(path).context["cl"].result_list] == [42, 41]


def test_a_process_shows_its_first_and_last_sample_and_links_to_all(process, make_sample, superuser_client):
    first = make_sample(ProcessSample, process=process)
    make_sample(ProcessSample, process=process, timestamp=AT + timedelta(seconds=5))
    last = make_sample(ProcessSample, process=process, timestamp=AT + timedelta(seconds=10))
    text = text_of(superuser_client.get(detail_path(process)))
    assert f'<a href="{detail_path(first)}">2026-11-22 17:40:05+00:00</a>' in text
    assert f'<a href="{detail_path(last)}">2026-11-22 17:40:15+00:00</a>' in text
    assert f"{list_path(ProcessSample)}?process={process.pk}" in text


def test_the_samples_of_a_process_are_those_of_any_host(process, make_sample, superuser_client):
    other = Host.objects.create(name="web-2")
    elsewhere = Process.objects.create(host=other, pid=41, started_at=AT, name="node")
    make_sample(ProcessSample, process=process)
    sample = make_sample(ProcessSample, process=elsewhere, host=other)
    response = superuser_client.get(f"{list_path(ProcessSample)}?process={elsewhere.pk}")
    assert list(response.context["cl"].result_list) == [sample]


def test_samples_are_found_by_the_name_of_the_process(process, make_sample, superuser_client):
    sample = make_sample(ProcessSample, process=process)
    make_sample(ProcessSample)
    for term in ("NOD", "jin", "41", "nod+jin"):
        response = superuser_client.get(f"{list_path(ProcessSample)}?q={term}")
        assert list(response.context["cl"].result_list) == [sample]


@pytest.mark.parametrize("tiers", [(60,), (900,), (60, 900)])
def test_a_process_that_only_exists_in_roll_ups_is_found(tiers, process, make_sample, superuser_client):
    make_sample(ProcessSample)
    kept = [make_sample(ProcessSample, process=process, tier=tier, resolution=tier) for tier in tiers]
    for query in ("q=nod", f"process={process.pk}", "q=nod&from=2026-11-22", f"q=nod&tier={tiers[0]}"):
        response = superuser_client.get(f"{list_path(ProcessSample)}?{query}")
        assert list(response.context["cl"].result_list) == kept[:1], query
    link = f"{list_path(ProcessSample)}?process={process.pk}"
    assert link in text_of(superuser_client.get(f"{list_path(Process)}?q=nod"))


def test_a_search_that_finds_no_process_finds_no_sample(process, make_sample, superuser_client):
    make_sample(ProcessSample, process=process)
    assert "0 process samples" in text_of(superuser_client.get(f"{list_path(ProcessSample)}?q=nosuch"))


@pytest.mark.parametrize("query", ["process=abc", "process=-1", f"process={'9' * 40}", "process=%00"])
def test_a_process_that_cannot_be_is_taken_back(query, make_sample, superuser_client):
    make_sample(ProcessSample)
    assert superuser_client.get(f"{list_path(ProcessSample)}?{query}").status_code == 302


def test_a_process_that_is_gone_has_no_samples(make_sample, superuser_client):
    make_sample(ProcessSample)
    assert "0 process samples" in text_of(superuser_client.get(f"{list_path(ProcessSample)}?process=987654321"))


def test_a_superuser_sees_the_command_line(process, superuser_client):
    assert "node secret.js" in text_of(superuser_client.get(detail_path(process)))


def test_staff_with_the_permission_sees_the_command_line(process, viewer, viewer_client):
    viewer.user_permissions.add(Permission.objects.get(codename="view_command"))
    assert "node secret.js" in text_of(viewer_client.get(detail_path(process)))


def test_staff_without_the_permission_neither_sees_nor_finds_it(process, make_sample, viewer_client):
    make_sample(ProcessSample, process=process)
    text = text_of(viewer_client.get(detail_path(process)))
    assert "secret.js" not in text
    assert "who hold the permission" in text
    assert "0 processes" in text_of(viewer_client.get(f"{list_path(Process)}?q=secret.js"))
    assert "0 process samples" in text_of(viewer_client.get(f"{list_path(ProcessSample)}?q=secret.js"))


def test_whoever_may_see_it_finds_it(process, superuser_client):
    assert "1 process" in text_of(superuser_client.get(f"{list_path(Process)}?q=secret.js"))


def test_processes_are_filtered_by_host(process, superuser_client):
    Process.objects.create(host=Host.objects.create(name="web-2"), pid=1, started_at=AT, name="init")
    assert superuser_client.get(f"{list_path(Process)}").context["cl"].result_count == 2
    response = superuser_client.get(f"{list_path(Process)}?host=web-2")
    assert [row.name for row in response.context["cl"].result_list] == ["init"]
    assert superuser_client.get(f"{list_path(Process)}?host=nobody").status_code == 302


@pytest.mark.parametrize("name", [ATTACK, "\x1b]0;title\x07", "\u202egpj.exe", "n" * 100_000])
def test_a_hostile_process_is_escaped_and_shortened(name, process, make_sample, superuser_client):
    Process.objects.update(name=name, username=name, command=name)
    sample = make_sample(ProcessSample, process=process, status=name)
    paths = [list_path(Process), detail_path(process), list_path(ProcessSample), detail_path(sample)]
    for path in [*paths, f"{list_path(ProcessSample)}?process={process.pk}"]:
        text = text_of(superuser_client.get(path))
        assert ATTACK not in text
        assert not any(character in text for character in "\x1b\x07\u202e")
        assert len(text) < 60_000
    assert "&lt;img src=x onerror=alert(1)&gt;" in text or name != ATTACK
