"""The serializer fields of the models' measures, for the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from metrics.history import metadata

Field = serializers.Field[Any, Any, Any, Any]

UNITS = {
    "percent": "percent",
    "bytes": "bytes",
    "bytes_per_second": "bytes a second",
    "per_second": "a second",
    "mhz": "MHz",
    "mbps": "megabits a second",
}
FIELD_OF_TYPE: Mapping[type, type[Field]] = {
    int: serializers.IntegerField,
    float: serializers.FloatField,
    bool: serializers.BooleanField,
    str: serializers.CharField,
}

EXTREMES = {"": "", "max": "Highest value in the step: ", "min": "Lowest value in the step: "}


def point_field(field: Any, *, extreme: str = "", is_choice: bool = False) -> Field:
    """The serializer field of a measure; unit, kind and help become its description. With `is_choice` a request may
    leave it out."""
    kind = metadata.value_type(field)
    text = EXTREMES[extreme] + str(field.help_text)
    options: dict[str, Any] = {
        "help_text": f"{text}{_unit_in_words(field)}",
        "allow_null": kind is not str or field.null,
    }
    if extreme or is_choice:
        options["required"] = False
    if kind is list:
        child = serializers.FloatField(allow_null=True)
        made: Field = serializers.ListField(child=child, **options)
    else:
        made = FIELD_OF_TYPE[kind](**options)
    return made


def _unit_in_words(field: Any) -> str:
    unit = UNITS.get(field.unit, field.unit)
    return f" ({', '.join(word for word in (unit, str(field.kind)) if word)})"


def measure_fields(model: Any, *, maxima: bool) -> dict[str, Field]:
    """The fields of what a table gives to a point; with `maxima` to one of a series, whose request may choose some."""
    made = {}
    for field in model.measures():
        made[field.name] = point_field(field, is_choice=maxima and field.name not in model.key)
        for name in metadata.extreme_names(field) if maxima else ():
            made[name] = point_field(field, extreme=name.rpartition("_")[2])
    return made
