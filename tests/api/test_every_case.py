"""The whole OpenAPI document, asked with thousands of requests that fit it and that do not."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from metrics.api.schema import document
from sysmon_project.wsgi import application

# Thousands of made-up requests.
pytestmark = pytest.mark.slow

# For each address, with requests that fit the document, and as many that do not.
CASES, CASES_OF_SOAK = 80, 1500
SCHEMA = schemathesis.openapi.from_dict(document())


def from_here(environ, start_response):
    """As the web server calls it."""
    return application({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


SCHEMA.app = from_here
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]


@pytest.fixture(autouse=True)
def one_connection():
    """Requests of this test are within its transaction: its connection has to outlive them, as with Django's client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def full(api, recorded, other_host):
    """Two hosts with a short history of everything."""
    times = recorded.ticks(30)
    for timestamp in times[-5:]:
        other_host.tick(timestamp, cpu={}, memory={"percent": 1.0}, disk={}, processes={"total": 1})
    recorded.tick(
        times[-1] + 600, cpu={"percent": 1.0}, memory={"percent": 2.0}, disk={},
        partition=[{"device": "sda1", "mountpoint": "/"}], device=[{"device": "sda"}], interface=[{"interface": "lo"}],
        processes={"total": 2}, process=[{"pid": 7, "cpu_percent": 3.0}, {"pid": 8, "cpu_percent": 1.0}],
    )  # fmt: skip


def excused(case, response):
    """Checks that expect what no OpenAPI document can say: which parameters exclude each other, how wide a step
    of each unit may be, which characters nobody means, and what 503 is for; or what no address can: an object becomes
    a text there, which may well be a name, or nothing at all."""
    query = case.query or {}
    moments = {"start", "end", "at"} & query.keys()
    is_said_so = any(text in response.text for text in ("less than or equal to 31622400", "Null characters"))
    is_other = response.status_code == 400 and (len(moments) > 1 or is_said_so)
    checks = [positive_data_acceptance] if is_other else []
    if response.status_code == 200 and any(isinstance(value, dict) for value in query.values()):
        checks.append(negative_data_rejection)
    is_health = case.operation.path == "/api/v1/health" and response.status_code == 503
    return [*checks, not_a_server_error] if is_health else checks


@pytest.mark.soak
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_every_answer_is_one_that_the_document_names(full, is_soak, operation, mode):
    count = CASES_OF_SOAK if is_soak else CASES

    @settings(
        max_examples=count, deadline=None, derandomize=not is_soak, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        response = case.call(base_url="http://localhost", headers={"Host": "localhost", "Accept-Encoding": "identity"})
        case.validate_response(response, excluded_checks=excused(case, response))

    ask()
