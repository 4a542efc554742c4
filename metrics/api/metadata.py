"""What there is to be read: hosts, families with their fields; and what sysmon itself costs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.utils.text import capfirst
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from metrics import conf
from metrics.api import parameters, schema
from metrics.api.serializers import TIMESTAMP, Serializer
from metrics.api.views import ReadOnlyViewSet, known_host
from metrics.formatting.moments import iso
from metrics.history import metadata
from metrics.history.newest import is_fresh, newest_tick
from metrics.models import Host
from metrics.status.cost import read_cost
from metrics.status.health import read_left_out, read_warnings

PAGE_CODES = (400, 401, 403, 404, 406, 429, 503)
FACTS = (
    *("name", "os_name", "kernel", "architecture", "cpu_model"),
    *("logical_cores", "physical_cores", "memory_bytes", "boot_id"),
)


class FieldSerializer(Serializer):
    """A field of a point."""

    name = serializers.CharField()
    title = serializers.CharField(help_text="What it is called, in the language of the request")
    unit = serializers.CharField(help_text="Its unit; empty for a bare number, a flag or a label")
    kind = serializers.CharField(help_text="gauge, rate, counter, total, flag or label")
    type = serializers.CharField(help_text="int, float, bool, str, or list (of float)")
    help = serializers.CharField(help_text="What it says, in the language of the request")
    has_maximum = serializers.BooleanField(help_text="Whether a longer step also has its maximum")


class TableSerializer(Serializer):
    """Fields that stand in the point itself, or in a list of it."""

    kind = serializers.CharField()
    title = serializers.CharField(help_text="What it is, in the language of the request")
    collection = serializers.CharField(help_text="Name of the list in a point; empty for the point's own fields")
    key = serializers.ListField(child=serializers.CharField(), help_text="Labels that tell things in the list apart")
    headline = serializers.CharField(help_text="The field that stands for the table in one line")
    columns = FieldSerializer(many=True)


class FamilySerializer(Serializer):
    """A family and the tables that it consists of."""

    name = serializers.CharField()
    is_series = serializers.BooleanField(help_text="Whether it is read as a time series; processes are ranked instead")
    tables = TableSerializer(many=True)


class FamiliesSerializer(Serializer):
    """Every family."""

    count = serializers.IntegerField(help_text="How many results there are")
    results = FamilySerializer(many=True)


class HostFactsSerializer(Serializer):
    """A machine; what is not known of it is null or empty."""

    name = serializers.CharField()
    is_this_machine = serializers.BooleanField(help_text="Whether the program that answers runs on it")
    os_name = serializers.CharField()
    kernel = serializers.CharField()
    architecture = serializers.CharField()
    cpu_model = serializers.CharField()
    logical_cores = serializers.IntegerField(allow_null=True)
    physical_cores = serializers.IntegerField(allow_null=True)
    memory_bytes = serializers.IntegerField(allow_null=True)
    boot_id = serializers.CharField()
    booted_at = serializers.DateTimeField(allow_null=True)
    first_seen = serializers.DateTimeField(allow_null=True)
    newest_tick = serializers.DateTimeField(allow_null=True)
    interval_seconds = serializers.IntegerField(allow_null=True, help_text="The interval at its newest tick")
    is_recording = serializers.BooleanField(help_text="Whether its newest tick is as new as it should be")
    warnings = serializers.ListField(
        child=serializers.DictField(),
        help_text="What keeps its newest readings from being whole, such as processes that cannot be seen, or the"
        " memory of a container: each with family, status and message, as in health",
    )
    left_out = serializers.ListField(
        child=serializers.DictField(),
        help_text="What of its newest tick is not kept by its own name, each with `what` (interfaces, mounts, disks),"
        " `reason` (`excluded` by a `setting`, or `summed`: only in a row `others/…`), `count`, and the first `names`",
    )


class HostsSerializer(Serializer):
    """Every host."""

    count = serializers.IntegerField(help_text="How many results there are")
    results = HostFactsSerializer(many=True)


class CostSerializer(Serializer):
    """What sysmon itself uses; null where it was not recorded."""

    host = serializers.CharField()
    timestamp = serializers.DateTimeField(allow_null=True, help_text="The newest tick")
    resolution = serializers.IntegerField(allow_null=True, help_text="What it covers (seconds)")
    processes = serializers.IntegerField(allow_null=True, help_text="Processes with the command line of this program")
    cpu_percent = serializers.FloatField(allow_null=True, help_text="CPU time of all of them; 100 is one core")
    rss_bytes = serializers.IntegerField(
        allow_null=True, help_text="Their resident memory; what they share is counted for each"
    )
    memory_bytes = serializers.IntegerField(
        allow_null=True,
        help_text="Their memory now, what they share counted once; null where the system does not say",
    )


def describe_field(field: Any) -> dict[str, Any]:
    """What is known of a measure."""
    return {
        "name": field.name,
        "title": capfirst(str(field.verbose_name)),
        "unit": field.unit,
        "kind": str(field.kind),
        "type": metadata.value_type(field).__name__,
        "help": str(field.help_text),
        "has_maximum": metadata.has_maximum(field),
    }


def describe_table(model: Any) -> dict[str, Any]:
    """What is known of a table of samples."""
    return {
        "kind": model.kind,
        "title": str(model._meta.verbose_name),
        "collection": model.collection,
        "key": list(model.key),
        "headline": model.headline,
        "columns": [describe_field(field) for field in model.measures()],
    }


def describe_families() -> Iterator[dict[str, Any]]:
    """Every family, in the order in which they are declared."""
    series = metadata.series_families()
    for family in metadata.families():
        tables = [describe_table(model) for model in metadata.tables(family)]
        yield {"name": family, "is_series": family in series, "tables": tables}


def describe_host(host: Host) -> dict[str, Any]:
    """The facts of a host, and how far its history reaches."""
    newest = newest_tick(host)
    return {
        **{name: getattr(host, name) for name in FACTS},
        "is_this_machine": host.name == conf.host_name(),
        "booted_at": host.booted_at and iso(host.booted_at.timestamp()),
        "first_seen": host.first_seen_at and iso(host.first_seen_at.timestamp()),
        "newest_tick": newest and iso(newest.timestamp),
        "interval_seconds": newest and newest.resolution,
        "is_recording": newest is not None and is_fresh(newest),
        "warnings": read_warnings(host),
        "left_out": read_left_out(host),
    }


class FamiliesViewSet(ReadOnlyViewSet):
    """Every family with the fields of its points."""

    name = "Families"

    @schema.documented(
        operation_id="read_families",
        summary="The families and their fields",
        parameters=schema.query(parameters.PageParameters),
        tags=["catalogue"],
        responses=schema.answers(
            FamiliesSerializer,
            {
                "count": 1,
                "results": [
                    {
                        "name": "cpu",
                        "is_series": True,
                        "tables": [
                            {
                                "kind": "cpu",
                                "title": "CPU sample",
                                "collection": "",
                                "key": [],
                                "headline": "percent",
                                "columns": [
                                    {
                                        "name": "percent",
                                        "title": "CPU usage",
                                        "unit": "percent",
                                        "kind": "rate",
                                        "type": "float",
                                        "help": "CPU time in use, of all cores together",
                                        "has_maximum": True,
                                    }
                                ],
                            }
                        ],
                    }
                ],
            },
            *PAGE_CODES,
        ),
    )
    def retrieve(self, request: Request) -> Response:
        """Each family with its tables, and the name, title, unit, kind and help of each field."""
        self.taken.read(request.query_params)
        results = list(describe_families())
        return Response({"count": len(results), "results": results})


class HostsViewSet(ReadOnlyViewSet):
    """The machines that were recorded."""

    name = "Hosts"

    @schema.documented(
        operation_id="read_hosts",
        summary="The hosts",
        parameters=schema.query(parameters.PageParameters),
        tags=["catalogue"],
        responses=schema.answers(
            HostsSerializer,
            {
                "count": 1,
                "results": [
                    {
                        "name": "web-1",
                        "is_this_machine": True,
                        "os_name": "Debian GNU/Linux 12",
                        "kernel": "Linux 6.1.0",
                        "architecture": "x86_64",
                        "cpu_model": "AMD EPYC 7313",
                        "logical_cores": 8,
                        "physical_cores": 4,
                        "memory_bytes": 16_642_998_272,
                        "boot_id": "0d4f7a52-6f3c-4a05-9e63-7f8f5d0f2f11",
                        "booted_at": TIMESTAMP,
                        "first_seen": TIMESTAMP,
                        "newest_tick": TIMESTAMP,
                        "interval_seconds": 5,
                        "is_recording": True,
                        "warnings": [
                            {
                                "family": "processes",
                                "status": "ok",
                                "message": "only 3 processes with 5 of the machine's 190 threads are seen",
                            }
                        ],
                        "left_out": [
                            {
                                "what": "interfaces",
                                "reason": "excluded",
                                "setting": "SYSMON_EXCLUDE_INTERFACES",
                                "count": 2,
                                "names": ["veth1a2b3c4", "veth5d6e7f8"],
                            }
                        ],
                    }
                ],
            },
            *PAGE_CODES,
        ),
    )
    def retrieve(self, request: Request) -> Response:
        """Every host with its facts; none before the first sample."""
        self.taken.read(request.query_params)
        results = [describe_host(host) for host in Host.objects.all()]
        return Response({"count": len(results), "results": results})


class CostViewSet(ReadOnlyViewSet):
    """What sysmon itself costs."""

    name = "Cost"

    @schema.documented(
        operation_id="read_cost",
        summary="What sysmon itself uses",
        parameters=schema.query(parameters.PageParameters),
        tags=["health"],
        responses=schema.answers(
            CostSerializer,
            {
                "host": "web-1",
                "timestamp": TIMESTAMP,
                "resolution": 5,
                "processes": 8,
                "cpu_percent": 0.8,
                "rss_bytes": 209_715_200,
                "memory_bytes": 94_371_840,
            },
            *PAGE_CODES,
        ),
    )
    def retrieve(self, request: Request) -> Response:
        """CPU and memory of sysmon's own processes at the newest tick, from the history like everything else.

        They are those of the program that answers; other instances on the same machine are not counted.
        """
        self.taken.read(request.query_params)
        host = known_host(None)
        cost = read_cost(host)
        if cost is None:
            names = ("timestamp", "resolution", "processes", "cpu_percent", "rss_bytes", "memory_bytes")
            return Response({"host": host.name, **dict.fromkeys(names)})
        return Response({"host": host.name, **asdict(cost), "timestamp": iso(cost.timestamp)})
