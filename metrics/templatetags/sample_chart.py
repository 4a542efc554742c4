"""The samples of an admin's list as the columns of a chart."""

from collections.abc import Iterable
from math import inf
from typing import Any

from django import template
from django.db.models import QuerySet
from django.utils.text import capfirst

from metrics.formatting.units import visible
from metrics.models import Sample
from metrics.models.fields import Kind, NumberField

register = template.Library()

# So many samples are drawn, the newest of the list as it is filtered; more would not be told apart.
DRAWN_SAMPLES = 2000
# More lines than these colours there are none to tell apart.
MAX_LINES = 6
MAX_NAME = 40
DRAWN_KINDS = (Kind.GAUGE, Kind.RATE)


@register.simple_tag
def sample_chart(changelist: Any) -> dict[str, Any] | None:
    """What the chart of a list needs: a unit, names, and columns of times and values; None for other lists.

    Of a table whose samples are about one thing it has a line for each field of the headline's unit, of the others a
    line of the headline for each thing.
    """
    model = changelist.model
    if not issubclass(model, Sample) or not model.headline:
        return None
    headline = model._meta.get_field(model.headline)
    newest = changelist.queryset.order_by("-timestamp")
    columns = _by_thing(model, newest) if model.key else _by_field(model, headline, newest)
    if not columns["times"]:
        return None
    return {"unit": headline.unit, "title": capfirst(str(headline.help_text)), **columns}


def _by_field(model: type[Sample], headline: Any, newest: QuerySet[Any]) -> dict[str, Any]:
    fields = [field for field in model.measures() if _is_drawn(field) and field.unit == headline.unit][:MAX_LINES]
    names = [field.name for field in fields]
    rows = list(newest.values_list("timestamp", *names)[:DRAWN_SAMPLES])[::-1]
    values = [[row[place] for row in rows] for place in range(1, len(names) + 1)]
    return {
        "times": [_seconds(row[0]) for row in rows],
        "names": [capfirst(str(f.verbose_name)) for f in fields],
        "values": values,
    }


def _by_thing(model: type[Sample], newest: QuerySet[Any]) -> dict[str, Any]:
    labels = [f"{name}__name" if model._meta.get_field(name).is_relation else name for name in model.key]
    rows = list(newest.values_list("timestamp", model.headline, *labels)[:DRAWN_SAMPLES])[::-1]
    lines: dict[str, dict[float, Any]] = {}
    for moment, value, *label in rows:
        lines.setdefault(visible(" ".join(map(str, label)), MAX_NAME), {})[_seconds(moment)] = value
    times = sorted({_seconds(row[0]) for row in rows})
    highest = sorted(lines, key=lambda name: -_highest(lines[name].values()))[:MAX_LINES]
    return {"times": times, "names": highest, "values": [[lines[name].get(at) for at in times] for name in highest]}


def _highest(values: Iterable[float | None]) -> float:
    return max((value for value in values if value is not None), default=-inf)


def _is_drawn(field: Any) -> bool:
    return isinstance(field, NumberField) and field.kind in DRAWN_KINDS


def _seconds(moment: Any) -> float:
    return float(moment.timestamp())
