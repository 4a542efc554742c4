"""The addresses below /api/v1. Each checks its parameters, asks the history, and puts the answer into words."""

from typing import Any, ClassVar

import orjson
from django.db import DatabaseError
from drf_spectacular.utils import OpenApiResponse, extend_schema_view
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.access.permissions import has_access, may_see_commands
from metrics.api import parameters, presentation, schema, serializers
from metrics.api.base import ApiViewSet
from metrics.api.errors import NoSampleYet, UnknownHost, answer_in_json
from metrics.api.flat import FlatTable, series_table
from metrics.api.json_point_cache import read_encoded
from metrics.api.presentation import TimelessResponse
from metrics.api.renderers import BrowsableRenderer, CsvRenderer, JsonRenderer, NdjsonRenderer
from metrics.formatting.moments import is_relative, iso, parse_moment
from metrics.history.metadata import series_families
from metrics.history.newest import find_host, last_stored_tick, newest_tick, read_tick
from metrics.history.points import Point
from metrics.history.processes import ProcessQuery, point_names, read_processes
from metrics.history.series import Series, SeriesQuery, read_series
from metrics.models import Host
from metrics.status.health import read_health

# Just before a moment, in seconds: `end` is inclusive.
BEFORE = 0.001


class ReadOnlyViewSet(ApiViewSet):
    """What all addresses share: nothing but reading, and parameters that are checked (`taken` says which)."""

    http_method_names = ["get", "head", "options"]
    parser_classes = ()
    taken: ClassVar[type[parameters.Parameters]] = parameters.PageParameters


class FlatViewSet(ReadOnlyViewSet):
    """An answer that is also there as a table."""

    renderer_classes = [JsonRenderer, CsvRenderer, NdjsonRenderer, BrowsableRenderer]

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.add_post_render_callback(keep_type)
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """What the address takes and gives, which is no table."""
        answer_in_json(request)
        return super().options(request, *args, **kwargs)

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        """The answer as rows."""
        raise NotImplementedError

    def file_name(self, data: dict[str, Any]) -> str:
        """A name for the file, without its ending: only what every system takes."""
        name = f"sysmon-{data['host']}-{self.subject(data)}"
        return "".join(character if character.isalnum() and character.isascii() else "-" for character in name)

    def subject(self, data: dict[str, Any]) -> str:
        """What the answer is about."""
        return str(data["metric"])


def keep_type(response: Response) -> None:
    """A file without a line has a type too; REST framework takes it from what is empty."""
    response.headers.setdefault("Content-Type", response.accepted_media_type)


class SeriesViewSet(FlatViewSet):
    """The time series of a family. `series_viewsets` makes a class for each."""

    family: ClassVar[str]

    def retrieve(self, request: Request) -> Response:
        """The newest points of a range."""
        self.query = self._query(request)
        is_plain = type(request.accepted_renderer) is JsonRenderer
        if is_plain and (encoded := read_encoded(self.query)):
            head = self._head(request, encoded.series, encoded.count)
            return TimelessResponse({**head, "results": encoded.results}, orjson.dumps(head) + encoded.identity)
        series = read_series(self.query)
        self.has_extremes = series.has_extremes
        if not series.points:
            ensure_samples(self.query.host)
        for point in series.points:
            point["timestamp"] = iso(point["timestamp"])
        return TimelessResponse({**self._head(request, series, len(series.points)), "results": series.points})

    def _head(self, request: Request, series: Series, count: int) -> dict[str, Any]:
        next_address = next_page(request, series)
        return {"metric": self.family, "host": self.query.host.name, "count": count, "next": next_address}

    def _query(self, request: Request) -> SeriesQuery:
        values = self.taken.read(request.query_params)
        values.pop("format", None)
        return SeriesQuery(
            host=known_host(values.pop("host", None)),
            family=self.family,
            start=values.pop("start", None),
            end=values.pop("end", None),
            limit=values.pop("limit"),
            step=values.pop("step", None),
            descending=values.pop("order") == "desc",
            fields=values.pop("fields", None),
            only=values,
        )

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        return series_table(self.family, self.query.fields, self.has_extremes, data["results"])


class CurrentViewSet(ReadOnlyViewSet):
    """Every family at the newest tick."""

    taken = parameters.HostParameters

    @schema.documented(
        operation_id="read_current",
        summary="The newest tick",
        parameters=schema.query(parameters.HostParameters),
        tags=["metrics"],
        responses=schema.answers(serializers.current_serializer(), serializers.current_example()),
    )
    def retrieve(self, request: Request) -> Response:
        """Every family at the newest tick; null for one that has no sample of it. Of the processes the top ten."""
        host = known_host(self.taken.read(request.query_params).get("host"))
        newest = newest_tick(host)
        if newest is None:
            raise NoSampleYet
        families = read_tick(host, newest)
        for point in families.values():
            if point and "results" in point:
                hide_commands(request, point["results"])
                point["results"] = [presentation.in_words(process) for process in point["results"]]
        head = {"host": host.name, "timestamp": iso(newest.timestamp), "resolution": newest.resolution}
        return TimelessResponse({**head, **families})


class ProcessesViewSet(FlatViewSet):
    """The top processes, now or at any moment in the history."""

    taken = parameters.ProcessesParameters

    @schema.documented(
        operation_id="read_processes",
        summary="The top processes",
        parameters=schema.query(parameters.ProcessesParameters),
        tags=["metrics"],
        responses=schema.answers(serializers.ProcessesSerializer, serializers.processes_example(), is_flat=True),
    )
    def retrieve(self, request: Request) -> Response:
        """The top processes of the newest tick, of the tick at or before `at`, or by their means from `start` to `end`.

        The newest tick keeps more of them than older ones, so that fewer than `limit` is right there. `search` looks at
        all that is kept, whatever `limit` is.
        """
        values = self.taken.read(request.query_params)
        values.pop("format", None)
        host = known_host(values.pop("host", None))
        # Who may not see command lines is not told either what stands in them.
        self.query = ProcessQuery(host, searches_commands=may_see_commands(request), **values)
        ranked = read_processes(self.query)
        if ranked.timestamp is None:
            ensure_samples(self.query.host)
        hide_commands(request, ranked.results)
        # How finely a range is read depends on how far back it reaches from now.
        kind = Response if self.query.is_range else TimelessResponse
        return kind(presentation.ranking(self.query.host, ranked))

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        head = ["timestamp", "resolution"]
        names = point_names(is_range=self.query.is_range)
        moment = [data[name] for name in head]
        return FlatTable([*head, *names], ([*moment, *map(point.get, names)] for point in data["results"]))


class HealthViewSet(ReadOnlyViewSet):
    """Whether sysmon does its work."""

    permission_classes = ()
    throttle_classes = ()

    def perform_authentication(self, request: Request) -> None:
        """Not before the answer: with a database that does not answer, health still has to."""

    @schema.documented(
        operation_id="read_health",
        summary="Whether sysmon does its work",
        parameters=schema.query(parameters.PageParameters),
        tags=["health"],
        responses={
            **schema.answers(serializers.HealthSerializer, serializers.health_example(), 400, 406),
            (503, schema.JSON): OpenApiResponse(
                serializers.HealthSerializer,
                description="Degraded: the newest tick is too old, or the database does not answer",
            ),
        },
    )
    def retrieve(self, request: Request) -> Response:
        """200 while ticks arrive and the database answers, 503 otherwise. Who may not read is told the status only.

        A family that failed, or that has nothing on this machine, is named and does not count.
        """
        self.taken.read(request.query_params)
        health = read_health()
        is_healthy = health.pop("is_healthy")
        body = {"status": "healthy" if is_healthy else "degraded"}
        if self._may_see_checks(request):
            body |= _health_in_words(health)
        return Response(body, status=200 if is_healthy else 503)

    def _may_see_checks(self, request: Request) -> bool:
        try:
            return has_access(request)
        except (DatabaseError, AuthenticationFailed, Throttled):
            return False


def series_viewsets() -> dict[str, type[SeriesViewSet]]:
    """A class for each family that is a series, made from the models: a new family shows up by itself."""
    return {family: _series_viewset(family) for family in series_families()}


def _series_viewset(family: str) -> type[SeriesViewSet]:
    taken = parameters.series_parameters(family)
    made = type(
        f"{family.title()}ViewSet",
        (SeriesViewSet,),
        {"family": family, "taken": taken, "__doc__": f"The time series of {family}."},
    )
    documented = schema.documented(
        operation_id=f"read_{family}",
        summary=f"The time series of {family}",
        description="The newest points of the range. Where nothing was recorded there is no point.",
        parameters=schema.query(taken),
        tags=["metrics"],
        responses=schema.answers(
            serializers.series_serializer(family), serializers.series_example(family), is_flat=True
        ),
    )
    decorated: type[SeriesViewSet] = extend_schema_view(retrieve=documented)(made)
    return decorated


def known_host(name: str | None) -> Host:
    """The host that was asked for. This machine, unasked, is known from its first sample on."""
    if host := find_host(name):
        return host
    raise UnknownHost if name else NoSampleYet


def ensure_samples(host: Host) -> None:
    """An empty answer is right only where something was recorded at some time."""
    if last_stored_tick(host) is None:
        raise NoSampleYet


def next_page(request: Request, series: Series) -> str | None:
    """The same query again, up to just before the oldest point; with the step in seconds, since `auto` would differ,
    and with its start as a moment, since `-2h` would."""
    if not series.has_older or series.oldest is None:
        return None
    step = {} if series.step is None else {"step": str(series.step)}
    return earlier_page(request, series.oldest - BEFORE, **step)


def earlier_page(request: Request, end: float, **changed: str) -> str:
    """The address of the same query up to another end, with its start as a moment."""
    query = request.query_params.copy()
    query["end"] = iso(end)
    start = str(query.get("start", "")).strip()
    if is_relative(start):
        query["start"] = iso(parse_moment(start))
    for name, value in changed.items():
        query[name] = value
    return request.build_absolute_uri(f"{request.path}?{query.urlencode(safe=':,')}")


def hide_commands(request: Request, processes: list[Point]) -> None:
    """No command line for who may not see it."""
    if processes and not may_see_commands(request):
        for process in processes:
            process["command"] = None


def _health_in_words(health: dict[str, Any]) -> dict[str, Any]:
    checks = health["checks"]
    for check in (checks.get("sampling", {}), *checks.get("forwarding", {}).values()):
        if check.get("newest_tick") is not None:
            check["newest_tick"] = iso(check["newest_tick"])
    if (clock := checks.get("clock")) and clock["jumped_at"] is not None:
        clock["jumped_at"] = iso(clock["jumped_at"])
    if file := checks.get("file"):
        file["happened_at"] = iso(file["happened_at"])
    return {**health, "timestamp": iso(health["timestamp"])}
