"""The query parameters: a declarative class for each endpoint, which checks them and documents them."""

import re
import string
from functools import cache
from typing import Any

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from metrics.formatting.moments import DURATION, SECONDS_OF_UNIT, parse_moment
from metrics.history.events import KIND_NAMES
from metrics.history.metadata import field_names, label_names
from metrics.history.peaks import headline, peak_fields
from metrics.history.processes import sort_orders

MAX_STEP_SECONDS = 366 * 86_400
MAX_LIST = 4096
MAX_SEARCH = 100
LIMITS: dict[type, str] = {
    MinValueValidator: "min_value",
    MaxValueValidator: "max_value",
    MaxLengthValidator: "max_length",
}
# What may stand around a number; strip() alone would take control characters as well.
BLANKS = string.whitespace


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": f"^(now|(now)?-{DURATION})$"},
            {"type": "number", "minimum": 100_000_000, "exclusiveMaximum": 100_000_000_000},
            {"type": "number", "enum": [0]},
        ]
    }
)
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """A moment as seconds since the epoch. With `ends_day` a date alone is the end of that day."""

    default_error_messages = {
        "invalid": _(
            "A valid moment is required: YYYY-MM-DD[Thh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]], now, -2h, or seconds since"
            " the epoch."
        )
    }

    def __init__(self, *, ends_day: bool = False, **kwargs: Any) -> None:
        self.ends_day = ends_day
        super().__init__(**kwargs)

    def to_internal_value(self, value: str) -> float:
        try:
            return parse_moment(value.strip(), ends_day=self.ends_day)
        except (ValueError, OverflowError):
            self.fail("invalid")


class WholeNumberField(serializers.IntegerField):
    """Digits and nothing else: int() would also take 1_0, or the digits of other scripts."""

    def to_internal_value(self, value: str) -> int:  # type: ignore[override]
        text = value.strip(BLANKS)
        if not re.fullmatch("[+-]?[0-9]{1,18}", text):
            self.fail("max_string_length" if len(text) > 18 else "invalid")
        return int(text)


@extend_schema_field({"type": "string", "pattern": "^(auto|0{0,12}[1-9][0-9]{0,5}[smhd]?)$"})
class StepField(serializers.Field[Any, Any, Any, Any]):
    """A number of seconds, or of a unit: 30, 30s, 5m, 1h, 1d; or the word auto."""

    default_error_messages = {
        "invalid": _("A valid step is required: seconds, or 30s, 5m, 1h, 1d, or auto."),
        "min_value": serializers.IntegerField.default_error_messages["min_value"],
        "max_value": serializers.IntegerField.default_error_messages["max_value"],
    }

    def to_internal_value(self, value: str) -> int | str:
        if value == "auto":
            return value
        parts = re.fullmatch(r"([+-]?[0-9]{1,18})([smhd]?)", value.strip(BLANKS))
        if parts is None:
            self.fail("invalid")
        seconds = int(parts[1]) * SECONDS_OF_UNIT[parts[2] or "s"]
        if seconds < 1:
            self.fail("min_value", min_value=1)
        if seconds > MAX_STEP_SECONDS:
            self.fail("max_value", max_value=MAX_STEP_SECONDS)
        return seconds


class ListField(serializers.CharField):
    """Words joined by commas. With `choices` only those."""

    default_error_messages = {"invalid_choice": serializers.ChoiceField.default_error_messages["invalid_choice"]}

    def __init__(self, *, choices: list[str] | None = None, **kwargs: Any) -> None:
        self.choices = None if choices is None else dict.fromkeys(choices)
        super().__init__(max_length=MAX_LIST, trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        text = super().run_validation(data)
        words = tuple(dict.fromkeys(text.split(",")))
        if "" in words:
            self.fail("blank")
        for word in words:
            if self.choices is not None and word not in self.choices:
                self.fail("invalid_choice", input=word)
        return words


class Parameters(serializers.Serializer[Any]):
    """Query parameters. None of them is taken twice, and none that is not declared."""

    @classmethod
    def read(cls, query: QueryDict) -> dict[str, Any]:
        """The values, by name; a ValidationError that names every parameter that is wrong."""
        declared = _shared(cls)
        errors: dict[str, Any] = {name: [UNKNOWN] for name in query if name not in declared.fields}
        errors |= {name: [REPEATED] for name, given in query.lists() if len(given) > 1}
        try:
            values = declared.run_validation(query.dict())
        except ValidationError as error:
            raise ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise ValidationError(errors)
        return dict(values)


UNKNOWN = _("There is no such parameter.")
REPEATED = _("This parameter may be given once only.")


@cache
def _shared(parameters: type[Parameters]) -> Parameters:
    """One instance for all requests: a serializer copies all of its fields, and checking leaves no trace in it.

    But for one: REST framework's messages of limits would stay in the language in which they were first needed.
    """
    made = parameters()
    for field in made.fields.values():
        validators: list[Any] = field.validators
        for validator in validators:
            if name := LIMITS.get(type(validator)):
                validator.message = format_lazy(field.error_messages[name], **{name: validator.limit_value})
    return made


class PageParameters(Parameters):
    """For an address that has no parameter of its own."""

    format = serializers.ChoiceField(
        ["json", "api"], required=False, help_text=_("Format of the answer; it beats the Accept header")
    )


class HostParameters(PageParameters):
    """For an address that is about a host."""

    host = serializers.CharField(
        required=False,
        min_length=1,
        max_length=255,
        trim_whitespace=False,
        help_text=_("Name of the host; this machine without it"),
    )


class RangeParameters(HostParameters):
    """For an address that is about a stretch of time."""

    format = serializers.ChoiceField(
        ["json", "csv", "ndjson", "api"],
        required=False,
        help_text=_("Format of the answer; it beats the Accept header"),
    )
    start = MomentField(
        required=False,
        help_text=_("First moment, inclusive: ISO 8601, UTC without an offset; now, -2h, or seconds since the epoch"),
    )
    end = MomentField(
        required=False, ends_day=True, help_text=_("Last moment, inclusive; a date alone is the end of that day")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "start" in attrs and "end" in attrs and attrs["start"] > attrs["end"]:
            raise ValidationError({"start": [_("Ensure this moment is not after end.")]})
        return attrs


class SeriesParameters(RangeParameters):
    """For a time series; each family has a class of its own (`series_parameters`)."""

    limit = WholeNumberField(
        min_value=1, max_value=1000, default=100, help_text=_("The newest points of the range, so many at the most")
    )
    step = StepField(
        required=False,
        help_text=_(
            "One point for each step: seconds, or 30s, 5m, 1h, 1d; auto is the smallest one with which the range fits"
            " into limit. Without it the points are those that are stored"
        ),
    )
    order = serializers.ChoiceField(["asc", "desc"], default="asc", help_text=_("Order of the points in time"))


def series_parameters(family: str) -> type[SeriesParameters]:
    """The parameters of a family's series: those of all, its fields, and the labels of what is in its lists."""
    names = field_names(family)
    labels = {
        name: ListField(required=False, help_text=_("Only these, joined by commas")) for name in label_names(family)
    }
    wanted = ListField(required=False, choices=names, help_text=_("Only these fields, joined by commas"))
    return type(f"{family.title()}Parameters", (SeriesParameters,), {"fields": wanted, **labels})


class ProcessesParameters(RangeParameters):
    """For the top processes."""

    limit = WholeNumberField(min_value=1, max_value=100, default=10, help_text=_("So many processes at the most"))
    sort_by = serializers.ChoiceField(sort_orders(), default=sort_orders()[0], help_text=_("What to rank them by"))
    at = MomentField(
        required=False, help_text=_("A moment: the newest tick at or before it; the newest of all without it")
    )
    search = serializers.CharField(
        required=False,
        min_length=1,
        max_length=MAX_SEARCH,
        help_text=_(
            "Only processes with this text in their name, user or PID, or in the command line for who may see it;"
            " upper and lower case are the same"
        ),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "at" in attrs and ("start" in attrs or "end" in attrs):
            raise ValidationError({"at": [_("This cannot be given together with start or end.")]})
        return super().validate(attrs)


class LineParameters(SeriesParameters):
    """For the line of one process, which says by itself what host it ran on."""

    host = None  # type: ignore[assignment]


class TopParameters(SeriesParameters):
    """For the biggest consumers."""

    step = StepField(
        default="auto", help_text=_("One point for each step: seconds, or 30s, 5m, 1h, 1d; auto as in a time series")
    )


class PeaksParameters(RangeParameters):
    """For the highest moments; each family has a class of its own (`peaks_parameters`)."""

    limit = WholeNumberField(min_value=1, max_value=100, default=10, help_text=_("So many episodes at the most"))


def peaks_parameters(family: str) -> type[PeaksParameters]:
    """The parameters of a family's peaks: those of all, and its fields that go up and down."""
    field = serializers.ChoiceField(
        list(peak_fields(family)), default=headline(family), help_text=_("The field to look at")
    )
    return type(f"{family.title()}PeaksParameters", (PeaksParameters,), {"field": field})


class EventsParameters(RangeParameters):
    """For what happened."""

    kind = ListField(required=False, choices=KIND_NAMES, help_text=_("Only these kinds, joined by commas"))
    limit = WholeNumberField(
        min_value=1, max_value=1000, default=100, help_text=_("The newest events of the range, so many at the most")
    )
    order = serializers.ChoiceField(["asc", "desc"], default="asc", help_text=_("Order of the events in time"))
    before = WholeNumberField(
        required=False,
        min_value=1,
        max_value=2**53,
        help_text=_("Of the events that began at end only those with a lower id, as the next page asks"),
    )
