"""GET /api/v1/events: what happened to a host."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.api import parameters, presentation, schema
from metrics.api.flat import FlatTable
from metrics.api.measure_fields import Field
from metrics.api.presentation import TimelessResponse
from metrics.api.serializers import TIMESTAMP, serializer
from metrics.api.views import FlatViewSet, earlier_page, hide_commands, known_host
from metrics.history.events import (
    CULPRIT_FIELDS,
    EVENT_FIELDS,
    KIND_NAMES,
    SEVERITY_NAMES,
    EventQuery,
    read_events,
)


class CulpritSerializer(serializers.Serializer[Any]):
    """A process as it was then."""

    pid = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    username = serializers.CharField(allow_null=True)
    unit = serializers.CharField(allow_null=True, help_text="Its systemd unit or container")
    command = serializers.CharField(allow_null=True, help_text="Null for who may not see command lines")
    cpu_percent = serializers.FloatField(allow_null=True, help_text="Over 100 on several cores")
    children_cpu_percent = serializers.FloatField(allow_null=True, help_text="Of its children that had just ended")
    memory_percent = serializers.FloatField(allow_null=True)
    rss_bytes = serializers.IntegerField(allow_null=True, help_text="What it held of memory")
    read_bytes_per_second = serializers.FloatField(allow_null=True)
    write_bytes_per_second = serializers.FloatField(allow_null=True)
    is_likely = serializers.BooleanField(help_text="Whether it is concluded from the tick before, and not known")


class EventSerializer(serializers.Serializer[Any]):
    """What happened, and who did it."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(KIND_NAMES)
    host = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null where it is a moment, or goes on")
    severity = serializers.ChoiceField(SEVERITY_NAMES)
    title = serializers.CharField(help_text="A sentence; it names no command line")
    details = serializers.DictField(help_text="What else is known, by names that the kind has")
    culprits = CulpritSerializer(many=True, help_text="Copies: they outlive the retention of processes")


def events_serializer() -> type[serializers.Serializer[Any]]:
    """The answer."""
    fields: dict[str, Field] = {
        "host": serializers.CharField(),
        "count": serializers.IntegerField(),
        "next": serializers.URLField(allow_null=True, help_text="Address of the page of older events"),
        "results": EventSerializer(many=True),
    }
    return serializer("Events", fields, "What happened, in the order of time.")


EXAMPLE = {
    "host": "web-1",
    "count": 1,
    "next": None,
    "results": [
        {
            "id": 41,
            "kind": "mark",
            "host": "web-1",
            "started_at": TIMESTAMP,
            "ended_at": None,
            "severity": "info",
            "title": "deployed 1.2",
            "details": {},
            "culprits": [],
        }
    ],
}


class EventsViewSet(FlatViewSet):
    """What happened: outages, kills, changes of the clock, marks."""

    taken = parameters.EventsParameters
    name = "Events"

    @schema.documented(
        operation_id="read_events",
        summary="What happened",
        parameters=schema.query(parameters.EventsParameters),
        tags=["events"],
        responses=schema.answers(events_serializer(), EXAMPLE, is_flat=True),
    )
    def retrieve(self, request: Request) -> Response:
        """The newest events that touch the range: also such as began before it and ended in it.

        They are kept by number for each kind, and so for years; their culprits are copies.
        """
        values = self.taken.read(request.query_params)
        host = known_host(values.get("host"))
        query = EventQuery(
            host,
            limit=values["limit"],
            start=values.get("start"),
            end=values.get("end"),
            kinds=values.get("kind"),
            before=values.get("before"),
            descending=values["order"] == "desc",
        )
        page = read_events(query)
        older = None
        if page.oldest:
            older = earlier_page(request, page.oldest["started_at"], before=str(page.oldest["id"]))
        for event in page.events:
            hide_commands(request, event["culprits"])
        results = list(map(presentation.in_words, page.events))
        return TimelessResponse({"host": host.name, "count": len(results), "next": older, "results": results})

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        rows = (
            [*map(event.get, EVENT_FIELDS), *map(culprit.get, CULPRIT_FIELDS)]
            for event in data["results"]
            for culprit in event["culprits"] or [{}]
        )
        return FlatTable([*EVENT_FIELDS, *CULPRIT_FIELDS], rows)

    def subject(self, data: dict[str, Any]) -> str:  # noqa: ARG002 (it is about the host alone)
        return "events"
