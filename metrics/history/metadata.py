"""The families there are, their tables, and the fields of their points: all of it derived from the models."""

from collections.abc import Collection, Iterator
from typing import Any

from metrics.models import ProcessSample, Sample
from metrics.models.fields import Averaged, Flag, Label, NumberField, ShareList
from metrics.models.samples import sample_models

EVERY_POINT = ("timestamp", "resolution")


def families() -> list[str]:
    """Every family, in the order in which they are declared."""
    return list(dict.fromkeys(model.family for model in sample_models()))


def all_tables() -> list[type[Sample]]:
    """The tables of every family."""
    return [model for family in families() for model in tables(family)]


def series_families() -> list[str]:
    """The families that are read as a time series: all but the processes, which are ranked."""
    return [family for family in families() if family != ProcessSample.family]


def tables(family: str) -> list[type[Sample]]:
    """The tables of a family: the one whose fields are the point's own first, where there is one."""
    return sorted(sample_models(family), key=lambda model: bool(model.collection))


def field_names(family: str) -> list[str]:
    """What `fields` may name: the fields of a point, its lists, and the fields of what is in the lists."""
    names = [name for model in tables(family) for name in (model.collection, *output_names(model, None, maxima=True))]
    return [name for name in dict.fromkeys((*EVERY_POINT, *names)) if name]


def label_names(family: str) -> list[str]:
    """The labels that tell the things in a family's lists apart, by which they can be filtered."""
    return list(dict.fromkeys(name for model in tables(family) for name in model.key))


def output_names(model: type[Sample], wanted: Collection[str] | None, *, maxima: bool) -> list[str]:
    """What a sample of a table shows of the wanted fields (None: all), in the order of their declaration.

    With `maxima` each field that has a mean is followed by its extremes, which can also be asked for by themselves.
    The labels of what is in a list always come along.
    """
    names = [name for field in model.measures() for name in _outputs(field, maxima)]
    if wanted is None or model.collection in wanted:
        return names
    shown = {name for name in names if name in wanted or _without_extreme(name) in wanted}
    return [name for name in names if name in shown or name in model.key] if shown else []


def has_maximum(field: Any) -> bool:
    """Whether a longer step shows a mean and a maximum of the field, and not its last value."""
    return isinstance(field, Averaged | ShareList)


def extreme_names(field: Any) -> list[str]:
    """The names under which the maximum of a field, and perhaps its minimum, are shown and stored."""
    return [f"{field.name}_{extreme}" for extreme in field.extremes] if has_maximum(field) else []


def value_type(field: Any) -> type:
    """What a value of the field is in Python: int, float, bool, str or list (of floats)."""
    if isinstance(field, NumberField):
        return int if field.scale == 1 else float
    return next(kind for base, kind in ((ShareList, list), (Flag, bool), (Label, str)) if isinstance(field, base))


def numbers(model: type[Sample]) -> list[Any]:
    """The fields that are one number, with what in a reading they come from."""
    return [field for field in model.measures() if isinstance(field, NumberField)]


def labels_of(model: type[Sample]) -> dict[str, str]:
    """The labels of a table, with the values of a reading that they come from."""
    return {field.name: field.source for field in model.measures() if field.name in model.key}


def _outputs(field: Any, maxima: bool) -> Iterator[str]:
    yield field.name
    if maxima:
        yield from extreme_names(field)


def _without_extreme(name: str) -> str:
    return name.removesuffix("_max").removesuffix("_min")
