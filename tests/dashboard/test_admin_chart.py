"""The chart above the lists of samples, and what the admin looks like."""

import json
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from metrics.models.samples import sample_models
from tests.conftest import FIRST_TICK


@pytest.fixture
def admin(db, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("root"))
    return client


def chart(response):
    """The data of the chart on a page; None where there is none."""
    found = re.search(r'id="sample-chart-data" type="application/json">(.*?)</script>', response.content.decode())
    return json.loads(found[1]) if found else None


def test_a_list_has_a_chart_of_its_samples(admin, recorded):
    recorded.ticks(5)
    made = chart(admin.get("/admin/metrics/cpusample/"))
    assert made["unit"] == "percent"
    assert made["times"] == [FIRST_TICK + 5 * n for n in range(5)]
    assert made["values"][0] == [0, 1, 2, 3, 4]
    assert made["names"][0] == "CPU usage"


def test_it_follows_the_filters(admin, recorded):
    recorded.ticks(5)
    made = chart(admin.get(f"/admin/metrics/cpusample/?tick={FIRST_TICK + 10}"))
    assert made["times"] == [FIRST_TICK + 10]


def test_it_has_a_line_for_each_thing(admin, recorded):
    for number in range(2):
        names = ["eth0", "lo"] if number else ["lo"]
        rows = [{"interface": name, "received_bytes_per_second": 7.5} for name in names]
        recorded.tick(FIRST_TICK + 5 * number, interface=rows)
    made = chart(admin.get("/admin/metrics/interfacesample/"))
    assert dict(zip(made["names"], made["values"])) == {"lo": [7.5, 7.5], "eth0": [None, 7.5]}


def test_a_process_is_a_line_by_its_name(admin, recorded):
    recorded.tick(process=[{"pid": 3, "cpu_percent": 4.5, "name": "</script><script>alert(1)"}])
    response = admin.get("/admin/metrics/processsample/")
    assert chart(response)["names"] == ["</script><script>alert(1)"]
    assert b"<script>alert" not in response.content


@pytest.mark.parametrize("model", list(sample_models()), ids=lambda model: model.__name__)
def test_every_list_of_samples_opens_without_samples(admin, recorded, model):
    recorded.ticks(1)
    assert admin.get(f"/admin/metrics/{model._meta.model_name}/").status_code == 200


def test_other_lists_have_none(admin, recorded):
    recorded.ticks(2)
    assert chart(admin.get("/admin/metrics/host/")) is None
    assert chart(admin.get("/admin/metrics/tick/")) is None


def test_the_admin_is_called_sysmon_and_leads_to_the_page(admin, recorded):
    html = admin.get("/admin/").content.decode()
    assert re.search(r"<title>[^<]*sysmon</title>", html)
    assert '<p class="to-page"><a href="/">Web page</a></p>' in html
    assert "metrics/admin-theme.css" in html
