"""Database fields that know what they measure: unit, kind and formula are data that everything else derives from.

A number is stored as a whole multiple of a step, because SQLite keeps small integers in one to four bytes and every
float in eight: 12.34 percent is 1234, two bytes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    AnyField = models.Field[Any, Any]
else:
    AnyField = models.Field

# What the column of an extreme is called, by the end of its name.
EXTREME_NAMES = {"max": _("{name}, highest"), "min": _("{name}, lowest")}

Deconstructed = tuple[str, str, Sequence[Any], dict[str, Any]]


class Kind(StrEnum):
    """How a value behaves in time, and so what a roll-up keeps of it."""

    GAUGE = "gauge"  # goes up and down: mean and maximum
    RATE = "rate"  # computed from two counters: mean and maximum
    COUNTER = "counter"  # only grows until a reset: last value
    TOTAL = "total"  # a size that seldom changes: last value
    FLAG = "flag"  # yes or no: last value
    LABEL = "label"  # text that names a thing: last value


Bound = float | str | Callable[[Mapping[str, Any]], float | None]
"""A number, the raw value of that name in the same row of a reading, or what is computed from the row."""


class Measure(AnyField):
    """A field that knows what it measures and from what in a reading its value comes.

    Its verbose name is what a column and a chart are called, in two or three words; the help text is a sentence.
    `unit` is a word of the contract (percent, bytes, bytes_per_second, …; empty for a bare number). `source` names the
    raw value in the reading's row. Without `rate` the raw value is taken as it is. With it the value is how much the
    counter grew for each unit that the counter `over` grew, or for each second without `over`; times `factor`, and
    `limit` at the most.

    A number below `at_least` or above `at_most` cannot be: it is null, and counted in health.
    """

    unit: str
    kind: Kind
    source: str
    rate: bool
    over: str
    factor: float
    limit: float | None
    at_least: float | None
    at_most: Bound | None

    def __init__(
        self,
        *args: Any,
        unit: str = "",
        kind: Kind = Kind.GAUGE,
        source: str = "",
        rate: bool = False,
        over: str = "",
        factor: float = 1,
        limit: float | None = None,
        at_least: float | None = 0,
        at_most: Bound | None = None,
        **kwargs: Any,
    ) -> None:
        self.unit, self.kind, self.source = unit, kind, source
        self.rate, self.over, self.factor, self.limit = rate, over, factor, limit
        self.at_least, self.at_most = at_least, at_most
        super().__init__(*args, **kwargs)

    def rounded(self, value: Any) -> Any:
        """The value as it would come back from the database."""
        return value

    def has_room_for(self, value: Any) -> bool:  # noqa: ARG002
        """Whether the database can hold a value."""
        return True

    def deconstruct(self) -> Deconstructed:
        """Leave out what the database does not know: a better help text is no migration."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("help_text", None)
        kwargs.pop("verbose_name", None)
        return name, path, args, kwargs


class NumberField(Measure):
    """A number kept as an integer: `round(value * scale / step)`; an int in Python where scale is 1, else a float."""

    description = _("Number")

    def __init__(self, *args: Any, scale: int = 1, step: int = 1, **kwargs: Any) -> None:
        self.scale, self.step = scale, step
        kwargs.setdefault("null", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        """Stored as a 64 bit integer on every database."""
        return "BigIntegerField"

    def deconstruct(self) -> Deconstructed:
        """Migrations know one class, whatever the field measures."""
        name, _path, args, kwargs = super().deconstruct()
        return name, f"{NumberField.__module__}.NumberField", args, {**kwargs, "scale": self.scale, "step": self.step}

    def has_room_for(self, value: Any) -> bool:
        """A 64 bit integer, and so neither infinite nor no number at all."""
        try:
            stored = self.get_prep_value(value) or 0
        except (OverflowError, TypeError, ValueError):
            return False
        return -(2**63) <= stored < 2**63

    def decode(self, stored: int) -> float | int:
        """The value of a stored integer. The division comes last: 57 / 100 is 0.57, 57 * 0.01 is not."""
        return stored * self.step if self.scale == 1 else stored * self.step / self.scale

    def rounded(self, value: Any) -> Any:
        """The value as it would come back from the database."""
        return None if value is None else self.decode(round(value * self.scale / self.step))

    def from_db_value(self, value: int | None, *_args: object) -> float | int | None:
        """Decode one stored integer."""
        return None if value is None else self.decode(value)

    def to_python(self, value: Any) -> float | int | None:
        """A number, or a ValidationError."""
        if value in (None, ""):
            return None
        try:
            return int(value) if self.scale == 1 else float(value)
        except (TypeError, ValueError):
            raise ValidationError(_("“%(value)s” is not a number."), params={"value": value}) from None

    def get_prep_value(self, value: Any) -> int | None:
        """Encode one number for the database."""
        return None if value is None else round(value * self.scale / self.step)


class Extreme(NumberField):
    """The highest or lowest value of another field of the same sample in a roll-up; null in a raw sample."""


class Averaged(NumberField):
    """A number of which a roll-up keeps the mean in its own column, and extremes in columns beside it.

    The maximum is there always: a spike of seconds has to stay visible in a quarter of an hour. `has_minimum` is for
    what is scarce when it is low, and for what a chart shows as a band from the lowest to the highest value.
    """

    def __init__(self, *args: Any, has_minimum: bool = False, **kwargs: Any) -> None:
        self.extremes = ("max", "min") if has_minimum else ("max",)
        super().__init__(*args, **kwargs)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Add the columns of the extremes to the model."""
        super().contribute_to_class(cls, name, private_only)
        for extreme in self.extremes:
            title = format_lazy(EXTREME_NAMES[extreme], name=self.verbose_name)
            field = Extreme(title, scale=self.scale, step=self.step, unit=self.unit, help_text=self.help_text)
            field.contribute_to_class(cls, f"{name}_{extreme}")


class Gauge(Averaged):
    """A value that is what the reading says it is."""


class Total(NumberField):
    """A size that seldom changes, such as the memory of a machine."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"kind": Kind.TOTAL, **kwargs})


class Counter(NumberField):
    """A running total since the boot."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"kind": Kind.COUNTER, **kwargs})


class Rate(Averaged):
    """How much the counter `source` grows in a second."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"kind": Kind.RATE, "rate": True, "scale": 10, **kwargs})


class Share(Rate):
    """The growth of the counter `source` as a percentage of that of `over`, or of the time that went by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"unit": "percent", "scale": 100, "factor": 100, "limit": 100, **kwargs})


class ShareList(Measure):
    """A list of percentages, one for each element of the counters `source` and `over`; a JSON text in the database."""

    description = _("List of percentages")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        defaults = {"unit": "percent", "kind": Kind.RATE, "rate": True, "factor": 100, "null": True, "editable": False}
        super().__init__(*args, **{**defaults, **kwargs})
        self.extremes = ("max",)

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Add the column with the maxima to the model."""
        super().contribute_to_class(cls, name, private_only)
        title = format_lazy(EXTREME_NAMES["max"], name=self.verbose_name)
        ExtremeList(title).contribute_to_class(cls, f"{name}_max")

    def deconstruct(self) -> Deconstructed:
        """Migrations know a class that adds no columns of its own."""
        name, _path, args, kwargs = super().deconstruct()
        return name, f"{NumberField.__module__}.ExtremeList", args, {**kwargs, "null": True, "editable": False}

    def get_internal_type(self) -> str:
        """Stored as text on every database: nobody asks for one core by SQL."""
        return "TextField"

    def from_db_value(self, value: str | None, *_args: object) -> list[float | None] | None:
        """The list that was stored."""
        return None if value is None else orjson.loads(value)

    def rounded(self, value: Any) -> Any:
        """One decimal, a third of the size of full floats."""
        return None if value is None else [None if v is None else round(v, 1) for v in value]

    def get_prep_value(self, value: list[float | None] | None) -> str | None:
        """Compact JSON."""
        return None if value is None else orjson.dumps(self.rounded(value)).decode()


class ExtremeList(ShareList):
    """Element by element the highest values of a list in a roll-up; null in a raw sample."""

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Be a column, and add none."""
        super(ShareList, self).contribute_to_class(cls, name, private_only)


class Flag(Measure, models.BooleanField):  # type: ignore[type-arg]
    """Yes or no, or unknown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"kind": Kind.FLAG, "null": True, "editable": False, **kwargs})


class Label(Measure, models.TextField):  # type: ignore[type-arg]
    """Text that names a thing. TEXT, not VARCHAR(n): a mount point has no useful limit, and both cost the same."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"kind": Kind.LABEL, "editable": False, **kwargs})


class EpochField(AnyField):
    """A moment: an integer in the database (seconds, or `per_second` parts of one), an aware datetime in Python.

    Not an IntegerField, which the admin would print as a number, and not a DateTimeField, whose text SQLite can only
    compare and group by calling Python for each row.
    """

    description = _("Moment")

    def __init__(self, *args: Any, per_second: int = 1, **kwargs: Any) -> None:
        self.per_second = per_second
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        """Stored as a 64 bit integer on every database."""
        return "BigIntegerField"

    def deconstruct(self) -> Deconstructed:
        """The unit of storage belongs to the migration."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "per_second": self.per_second}

    def from_db_value(self, value: int | None, *_args: object) -> datetime | None:
        """The moment in UTC."""
        return None if value is None else datetime.fromtimestamp(value / self.per_second, UTC)

    def to_python(self, value: Any) -> datetime | None:
        """An aware datetime, from a datetime, a number of seconds or ISO 8601 text."""
        if value is None or isinstance(value, datetime):
            return value
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if moment := parse_datetime(str(value)):
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        raise ValidationError(_("“%(value)s” is not a moment."), params={"value": value})

    def get_prep_value(self, value: Any) -> int | None:
        """Encode an aware datetime or a number of seconds."""
        if value is None:
            return None
        seconds = value.timestamp() if isinstance(value, datetime) else value
        return round(seconds * self.per_second)

    def value_to_string(self, obj: models.Model) -> str:
        """ISO 8601, for `dumpdata`."""
        value = self.value_from_object(obj)
        return "" if value is None else value.isoformat()
