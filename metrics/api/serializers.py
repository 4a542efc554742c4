"""What the answers look like, derived from the models' measures. For the OpenAPI document only: an answer is made of
the history's own dicts, because a serializer for each row would take longer than everything else."""

from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from metrics.api.measure_fields import Field, measure_fields, point_field
from metrics.api.worst_ticks import any_worst_tick, worst_ticks
from metrics.history import metadata
from metrics.history.peaks import headline, peak_fields
from metrics.history.processes import process_fields, sort_orders, totals_fields

Serializer = serializers.Serializer[Any]

TIMESTAMP = "2026-11-22T17:40:00.000Z"
EXAMPLE_OF_UNIT: Mapping[str, Any] = {
    "percent": 12.5,
    "bytes": 8_589_934_592,
    "bytes_per_second": 512.0,
    "per_second": 40.5,
    "mhz": 2400.0,
    "mbps": 1000,
}
EXAMPLE_OF_LABEL = {"device": "sda", "mountpoint": "/", "fstype": "ext4", "interface": "eth0", "status": "running"}
EXAMPLE_OF_TYPE: Mapping[type, Any] = {int: 212, float: 1.25, bool: True, str: ""}


class ErrorSerializer(Serializer):
    """Every error."""

    detail = serializers.CharField(help_text="What is wrong, in a sentence")
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What is wrong with which parameter; empty where it is not about parameters",
    )


class HealthSerializer(Serializer):
    """Whether sysmon does its work."""

    status = serializers.ChoiceField(["healthy", "degraded"], help_text="All that a stranger is told")
    warnings = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="The families that failed at the newest tick or had to wait in part, each with status and message",
    )
    host = serializers.CharField(required=False)
    timestamp = serializers.DateTimeField(required=False)
    checks = serializers.DictField(
        required=False,
        help_text="What was looked at, each with a status and what is known about it: database, sampling (the newest"
        " tick), recorder, families (each with `left_out`: what a setting excludes, or what is kept in a sum only),"
        " forwarding where a destination is set, access where a proxy was noticed, and file where that of the database"
        " was damaged, removed or replaced within the last day",
    )


def serializer(name: str, fields: Mapping[str, Field], help_text: str = "") -> type[Serializer]:
    """A serializer class by the name that the document shall show."""
    return type(f"{name}Serializer", (Serializer,), {**fields, "__doc__": help_text})


def _point_fields(family: str, *, maxima: bool) -> dict[str, Field]:
    """The fields of a family's point: its own ones and its lists."""
    made: dict[str, Field] = {}
    for model in metadata.tables(family):
        if model.collection:
            name = f"{model.kind.title()}{'' if maxima else 'Now'}"
            thing = serializer(name, measure_fields(model, maxima=maxima), str(model.__doc__))
            made[model.collection] = thing(many=True, help_text=str(model.__doc__), required=not maxima)
        else:
            made |= measure_fields(model, maxima=maxima)
    return made


def series_serializer(family: str) -> type[Serializer]:
    """The answer of a family's series."""
    point = serializer(
        f"{family.title()}Point",
        {
            "timestamp": serializers.DateTimeField(help_text="Time of the tick, or the start of the step, in UTC"),
            "resolution": serializers.IntegerField(help_text="What the point covers (seconds)"),
            **_point_fields(family, maxima=True),
        },
    )
    return serializer(
        f"{family.title()}Series",
        {
            "metric": serializers.CharField(),
            "host": serializers.CharField(),
            "count": serializers.IntegerField(help_text="How many results there are"),
            "next": serializers.URLField(allow_null=True, help_text="Address of the next page, with older points"),
            "results": point(many=True),
        },
    )


def process_serializer() -> type[Serializer]:
    """One process."""
    fields: dict[str, Field] = {
        "id": serializers.IntegerField(help_text="Identity of the process in the history"),
        "pid": serializers.IntegerField(),
        "name": serializers.CharField(),
        "username": serializers.CharField(allow_null=True),
        **{field.name: point_field(field) for field in process_fields()},
        "started_at": serializers.DateTimeField(),
        "command": serializers.CharField(
            allow_null=True, help_text="Command line, secrets masked; null for who may not see it"
        ),
        "cpu_seconds": serializers.FloatField(required=False, allow_null=True, help_text="CPU time used in the range"),
        "rss_bytes_max": serializers.IntegerField(
            required=False, allow_null=True, help_text="Highest resident memory in the range"
        ),
        "first_seen": serializers.DateTimeField(required=False, help_text="First tick of the range that saw it"),
        "last_seen": serializers.DateTimeField(required=False, help_text="Last tick of the range that saw it"),
    }
    return serializer("Process", fields, "A process; the last four only for a range.")


Process = process_serializer()


class ProcessesSerializer(Serializer):
    """The top processes."""

    metric = serializers.CharField()
    host = serializers.CharField()
    timestamp = serializers.DateTimeField(allow_null=True, help_text="The tick, or the first one of the range")
    resolution = serializers.IntegerField(allow_null=True, help_text="What the results cover (seconds)")
    sort_by = serializers.ChoiceField(sort_orders())
    total = serializers.IntegerField(allow_null=True, help_text="How many processes there were")
    count = serializers.IntegerField(help_text="How many results there are")
    worst = worst_ticks()
    results = Process(many=True)


def life_serializer() -> type[Serializer]:
    """A process, and the points of its line."""
    [samples] = [model for model in metadata.tables("processes") if model.collection]
    point = serializer(
        "ProcessPoint",
        {
            "timestamp": serializers.DateTimeField(),
            "resolution": serializers.IntegerField(help_text="What the point covers (seconds)"),
            **measure_fields(samples, maxima=True),
        },
        "What a process used.",
    )
    names = ("id", "pid", "name", "username", "command", "started_at")
    seen = "when it was among the highest, as exactly as what is left can tell"
    fields: dict[str, Field] = {
        **{name: field for name, field in process_serializer()().fields.items() if name in names},
        "host": serializers.CharField(),
        "first_seen": serializers.DateTimeField(allow_null=True, help_text=f"First moment {seen}"),
        "last_seen": serializers.DateTimeField(allow_null=True, help_text=f"Last moment {seen}"),
        "count": serializers.IntegerField(help_text="How many results there are"),
        "next": serializers.URLField(allow_null=True, help_text="Address of the next page, with older points"),
        "results": point(many=True),
    }
    return serializer("Life", fields, "One process from its start to its end.")


class TopPointSerializer(Serializer):
    """The biggest consumer of a step."""

    timestamp = serializers.DateTimeField(help_text="Start of the step")
    resolution = serializers.IntegerField(help_text="Width of the step (seconds)")
    id = serializers.IntegerField(help_text="Identity of the process in the history")
    pid = serializers.IntegerField()
    name = serializers.CharField()
    cpu_percent = serializers.FloatField(
        help_text="Its CPU time over the step, and that of its ended children; over 100 on several cores (percent)"
    )


class TopSerializer(Serializer):
    """The biggest consumer of each step."""

    metric = serializers.CharField()
    host = serializers.CharField()
    count = serializers.IntegerField(help_text="How many results there are")
    next = serializers.URLField(allow_null=True, help_text="Address of the next page, with older points")
    results = TopPointSerializer(many=True)


class EpisodeSerializer(Serializer):
    """A stretch of time in which a value was high."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    peak = serializers.FloatField(help_text="The highest value")
    peak_at = serializers.DateTimeField(help_text="When that was")
    resolution = serializers.IntegerField(help_text="How exactly that is known (seconds)")
    mean = serializers.FloatField(help_text="Mean of the episode")
    processes = Process(many=True, help_text="Those that used the most of it; first those of the worst tick")
    worst = any_worst_tick()


class PeaksSerializer(Serializer):
    """The highest episodes of a range."""

    metric = serializers.CharField()
    host = serializers.CharField()
    field = serializers.CharField(help_text="The field that was looked at")
    unit = serializers.CharField(help_text="Its unit")
    count = serializers.IntegerField(help_text="How many results there are")
    results = EpisodeSerializer(many=True)


def current_serializer() -> type[Serializer]:
    """Every family at the newest tick; null for one that has no sample of it."""
    families: dict[str, Field] = {
        family: serializer(f"{family.title()}Now", _point_fields(family, maxima=False))(allow_null=True)
        for family in metadata.series_families()
    }
    totals = {field.name: point_field(field) for field in totals_fields()}
    processes = serializer(
        "ProcessesNow",
        {
            **totals,
            "sort_by": serializers.ChoiceField(sort_orders()),
            "count": serializers.IntegerField(help_text="How many results there are"),
            "results": Process(many=True),
        },
    )
    head: dict[str, Field] = {
        "host": serializers.CharField(),
        "timestamp": serializers.DateTimeField(),
        "resolution": serializers.IntegerField(help_text="The interval (seconds)"),
    }
    return serializer("Current", {**head, **families, "processes": processes(allow_null=True)})


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})
class LinksField(serializers.DictField):
    """Names and addresses."""


class InformationSerializer(Serializer):
    """Where everything is."""

    name = serializers.CharField()
    description = serializers.CharField()
    links = LinksField()


def example_of(fields: Iterable[Any]) -> dict[str, Any]:
    """A plausible value for each measure."""
    return {field.name: _example(field) for field in fields}


def _example(field: Any) -> Any:
    kind = metadata.value_type(field)
    if kind is list:
        return [12.5, 3.1]
    return EXAMPLE_OF_LABEL.get(field.name) or EXAMPLE_OF_UNIT.get(field.unit, EXAMPLE_OF_TYPE[kind])


def series_example(family: str) -> dict[str, Any]:
    """An answer of a family's series with one point."""
    point: dict[str, Any] = {"timestamp": TIMESTAMP, "resolution": 5}
    for model in metadata.tables(family):
        if model.collection:
            point[model.collection] = [example_of(model.measures())]
        else:
            point |= example_of(model.measures())
    return {"metric": family, "host": "web-1", "count": 1, "next": None, "results": [point]}


def process_example() -> dict[str, Any]:
    """A process in an answer."""
    return {
        "id": 41,
        "pid": 2201,
        "name": "node",
        "username": "jin",
        **example_of(process_fields()),
        "started_at": TIMESTAMP,
        "command": "node server.js",
    }


def processes_example() -> dict[str, Any]:
    """An answer with one process."""
    head = {"metric": "processes", "host": "web-1", "timestamp": TIMESTAMP, "resolution": 5}
    return {**head, "sort_by": "cpu", "total": 212, "count": 1, "worst": None, "results": [process_example()]}


def current_example() -> dict[str, Any]:
    """A whole tick."""
    points = {family: series_example(family)["results"][0] for family in metadata.series_families()}
    for point in points.values():
        del point["timestamp"], point["resolution"]
    totals = {**example_of(totals_fields()), "sort_by": "cpu", "count": 1, "results": [process_example()]}
    return {"host": "web-1", "timestamp": TIMESTAMP, "resolution": 5, **points, "processes": totals}


def health_example() -> dict[str, Any]:
    """A healthy answer."""
    return {
        "status": "healthy",
        "warnings": [],
        "host": "web-1",
        "timestamp": TIMESTAMP,
        "checks": {
            "database": {"status": "ok"},
            "sampling": {"status": "ok", "newest_tick": TIMESTAMP, "age_seconds": 1.2, "allowed_age_seconds": 20},
            "storing": {"status": "ok", "pending_ticks": 0},
        },
    }


def life_example() -> dict[str, Any]:
    """An answer of a process with one point."""
    names = ("id", "pid", "name", "username", "command", "started_at")
    head = {name: value for name, value in process_example().items() if name in names}
    point = {"timestamp": TIMESTAMP, "resolution": 5, **example_of(process_fields())}
    seen = {"host": "web-1", "first_seen": TIMESTAMP, "last_seen": TIMESTAMP}
    return {**head, **seen, "count": 1, "next": None, "results": [point]}


def top_example() -> dict[str, Any]:
    """An answer with one step."""
    point = {"timestamp": TIMESTAMP, "resolution": 300, "id": 41, "pid": 2201, "name": "node", "cpu_percent": 87.5}
    return {"metric": "cpu/top", "host": "web-1", "count": 1, "next": None, "results": [point]}


def peaks_example(family: str) -> dict[str, Any]:
    """An answer with one episode."""
    _model, field = peak_fields(family)[headline(family)]
    high = _example(field)
    process = {
        **process_example(),
        "cpu_seconds": 61.2,
        "rss_bytes_max": 319_815_680,
        "first_seen": TIMESTAMP,
        "last_seen": TIMESTAMP,
    }
    episode = {
        "start": TIMESTAMP,
        "end": "2026-11-22T17:44:00.000Z",
        "peak": high,
        "peak_at": TIMESTAMP,
        "resolution": 5,
        "mean": high,
        "processes": [process],
        "worst": None,
    }
    head = {"metric": f"{family}/peaks", "host": "web-1", "field": field.name, "unit": field.unit}
    return {**head, "count": 1, "results": [episode]}
