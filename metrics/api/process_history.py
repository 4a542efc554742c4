"""What happened, and who did it: one process, the biggest consumer of each step, the highest moments of a range."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.api import parameters, presentation, schema, serializers
from metrics.api.flat import FlatTable
from metrics.api.views import FlatViewSet, ensure_samples, hide_commands, known_host, next_page
from metrics.history.metadata import series_families
from metrics.history.peaks import PeakQuery, read_peaks
from metrics.history.process_history import LifeQuery, find_process, line_names, read_life, read_line
from metrics.history.processes import point_names
from metrics.history.series import Series
from metrics.history.top import TopQuery, read_top

NO_PROCESS = "No process with this id is in the history."
TOP_COLUMNS = ["timestamp", "resolution", "id", "pid", "name", "cpu_percent"]
EPISODE_COLUMNS = ["start", "end", "peak", "peak_at", "resolution", "mean"]


def page(request: Request, series: Series) -> dict[str, Any]:
    """Count, next page and points of a line."""
    results = [presentation.in_words(point) for point in series.points]
    return {"count": len(results), "next": next_page(request, series), "results": results}


def line_options(values: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a line in the words of the history."""
    names = ("start", "end", "limit", "step")
    return {name: values[name] for name in names if name in values} | {"descending": values["order"] == "desc"}


class LifeViewSet(FlatViewSet):
    """One process: who it is, when it was seen, and what it used."""

    taken = parameters.LineParameters
    name = "Process"

    @schema.documented(
        operation_id="read_process",
        summary="One process from its start to its end",
        parameters=[
            OpenApiParameter("id", int, OpenApiParameter.PATH, description="As in the results of other addresses"),
            *schema.query(parameters.LineParameters),
        ],
        tags=["processes"],
        responses=schema.answers(serializers.life_serializer(), serializers.life_example(), is_flat=True),
    )
    def retrieve(self, request: Request, id: int) -> Response:  # noqa: A002 (the word of the address)
        """A point where it was among the highest, none where it was not.

        In a step its rates are means over all the time that was recorded: while it was not among the highest it used
        nothing worth keeping.
        """
        values = self.taken.read(request.query_params)
        process = find_process(id)
        if process is None:
            raise NotFound(NO_PROCESS)
        series = read_line(LifeQuery(process, **line_options(values)))
        self.has_extremes = series.has_extremes
        found = presentation.life(process, read_life(process))
        hide_commands(request, [found])
        return Response(found | page(request, series))

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        names = line_names(maxima=self.has_extremes)
        return FlatTable(names, (list(map(point.get, names)) for point in data["results"]))

    def subject(self, data: dict[str, Any]) -> str:
        return f"process-{data['id']}"


class TopViewSet(FlatViewSet):
    """The biggest consumer of each step."""

    taken = parameters.TopParameters
    name = "Top"

    @schema.documented(
        operation_id="read_top",
        summary="The process that used the most CPU, for each step",
        parameters=schema.query(parameters.TopParameters),
        tags=["processes"],
        responses=schema.answers(serializers.TopSerializer, serializers.top_example(), is_flat=True),
    )
    def retrieve(self, request: Request) -> Response:
        """The biggest consumer of each of the newest steps.

        A step in which nothing was recorded, or in which no process used any CPU, has no point.
        """
        values = self.taken.read(request.query_params)
        host = known_host(values.get("host"))
        series = read_top(TopQuery(host, **line_options(values)))
        if not series.points:
            ensure_samples(host)
        return Response({"metric": "cpu/top", "host": host.name, **page(request, series)})

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        return FlatTable(TOP_COLUMNS, ([point[name] for name in TOP_COLUMNS] for point in data["results"]))


class PeaksViewSet(FlatViewSet):
    """The highest moments of a family. `peaks_viewsets` makes a class for each."""

    family: ClassVar[str]
    name = "Peaks"

    def retrieve(self, request: Request) -> Response:
        """The highest episodes of a range, the highest first."""
        values = self.taken.read(request.query_params)
        values.pop("format", None)
        query = PeakQuery(known_host(values.pop("host", None)), self.family, **values)
        episodes = read_peaks(query)
        if not episodes:
            ensure_samples(query.host)
        for episode in episodes:
            hide_commands(request, episode["processes"])
        return Response(presentation.peaks(query, episodes))

    def flat_table(self, data: dict[str, Any]) -> FlatTable:
        names = point_names(is_range=True)
        rows = (
            [*map(episode.get, EPISODE_COLUMNS), *map(process.get, names)]
            for episode in data["results"]
            for process in episode["processes"] or [{}]
        )
        return FlatTable([*EPISODE_COLUMNS, *names], rows)


def peaks_viewsets() -> dict[str, type[PeaksViewSet]]:
    """A class for each family that is a series, made from the models: a new family shows up by itself."""
    return {family: _peaks_viewset(family) for family in series_families()}


def _peaks_viewset(family: str) -> type[PeaksViewSet]:
    taken = parameters.peaks_parameters(family)
    documentation = f"The highest moments of {family}."
    made = type(
        f"{family.title()}PeaksViewSet", (PeaksViewSet,), {"family": family, "taken": taken, "__doc__": documentation}
    )
    documented = schema.documented(
        operation_id=f"read_{family}_peaks",
        summary=f"The highest moments of {family}",
        description=(
            "The highest moments of the range, merged into episodes, the highest first, each with the processes that"
            " used the most in it. What never rises above what is usual has none."
        ),
        parameters=schema.query(taken),
        tags=["metrics"],
        responses=schema.answers(serializers.PeaksSerializer, serializers.peaks_example(family), is_flat=True),
    )
    decorated: type[PeaksViewSet] = extend_schema_view(retrieve=documented)(made)
    return decorated
