"""A recorded host, users of the admin, and pages of it."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils.timezone import now

from metrics.models import (
    CollectorState,
    CommandMasking,
    Event,
    ForwardCursor,
    Host,
    JobFailure,
    NewestProcesses,
    NewestReading,
    Process,
    Recorder,
    RollUpState,
    ScheduledJob,
    Tick,
    TickReading,
    UpkeepLease,
)
from metrics.models.fields import Flag, Label, ShareList
from metrics.models.samples import sample_models

AT = datetime(2026, 11, 22, 17, 40, 5, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"


def value_of(field: Any) -> Any:
    """A value that a measure may have."""
    if isinstance(field, ShareList):
        return [12.5, None]
    return {Flag: True, Label: "name"}.get(type(field), 3)


@pytest.fixture
def host(db):
    return Host.objects.create(name="test-host", memory_bytes=8 * 2**30, logical_cores=4, booted_at=AT)


@pytest.fixture
def process(host):
    return Process.objects.create(
        host=host, pid=41, started_at=AT, name="node", username="jin", command="node secret.js"
    )


@pytest.fixture
def make_sample(host) -> Callable[..., Any]:
    """Store a sample of any table; what is not said has a value that is allowed."""

    def make(model: Any, **values: Any) -> Any:
        defaults: dict[str, Any] = {field.name: value_of(field) for field in model.measures()}
        defaults |= {"host": host, "tier": 0, "timestamp": AT, "resolution": 5}
        for name in model.key:
            if model._meta.get_field(name).is_relation and name not in values:
                defaults[name] = Process.objects.get_or_create(host=host, pid=1, started_at=AT, name="init")[0]
        return model.objects.create(**defaults | values)

    return make


@pytest.fixture
def recorded(host, make_sample):
    """One row of every table, by model."""
    rows = [host, *(make_sample(model) for model in sample_models()), Process.objects.get()]
    rows += [
        Tick.objects.create(host=host, timestamp=AT, resolution=5, lag_milliseconds=3, duration_milliseconds=40),
        NewestReading.objects.create(
            host=host, family="cpu", timestamp=AT, uptime_seconds=90_061, rows='{"cpu":[{"user_seconds":1.5}]}'
        ),
        NewestProcesses.objects.create(host=host, timestamp=AT, rows='{"names":["process"],"rows":[[7]]}'),
        RollUpState.objects.create(host=host, last_tick=1, newest=AT),
        CollectorState.objects.create(
            host=host, family="cpu", outcome="ok", timestamp=AT, succeeded_at=AT, duration_milliseconds=1.25, runs=7
        ),
        ForwardCursor.objects.create(host=host, destination="influx://127.0.0.1:8086/sysmon", newest=AT, points=7),
        TickReading.objects.create(host=host, timestamp=AT, rows=zlib.compress(b'{"cpu":[{"load_1":1.5}]}')),
        CommandMasking.objects.create(host=host, commands="safe", rules="0f3a", last_process=7, until_process=9),
        Event.objects.create(
            host=host,
            kind="oom_kill",
            key="1",
            started_at=AT,
            severity="critical",
            title=ATTACK,
            details={"limit": ATTACK},
            culprits=[{"pid": 41, "name": ATTACK, "command": "node secret.js"}],
        ),
        UpkeepLease.objects.create(host=host, holder=host.name, expires_at=now()),
        Recorder.objects.create(host=host, pid=4242, taken_over_at=now()),
        ScheduledJob.objects.create(func="os.system", args="'id'", cluster=host.name, minutes=1),
        JobFailure.objects.create(
            machine=host.name, job="metrics.tasks.prune", started_at=AT, failed_at=AT, message=ATTACK, traceback=ATTACK
        ),
    ]
    return {type(row): row for row in rows}


@pytest.fixture
def superuser_client(db):
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def viewer(db):
    """Staff that may look at everything of the app, but not at command lines."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="metrics", codename__startswith="view_").exclude(
            codename="view_command"
        )
    )
    return user


@pytest.fixture
def viewer_client(viewer):
    client = Client()
    client.force_login(viewer)
    return client


def list_path(model: Any) -> str:
    return f"/admin/metrics/{model._meta.model_name}/"


def detail_path(row: Any) -> str:
    return f"{list_path(row)}{row.pk}/change/"


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()
