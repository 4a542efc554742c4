"""What happened to a host, beside its samples: one table for every kind, each kept by its own number."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import orjson
from django.db import models
from django.utils.translation import gettext_lazy as _

from metrics.models.fields import AnyField, EpochField
from metrics.models.hosts import Host
from metrics.models.inserts import insert


class Severity(models.TextChoices):
    """How much it matters."""

    INFO = "info", _("info")
    WARNING = "warning", _("warning")
    CRITICAL = "critical", _("critical")


class EventKind(NamedTuple):
    """What one kind of event is called, how much it matters unless an event says otherwise, and how many of it are kept
    for each host: many of one kind never push out another."""

    label: Any
    severity: Severity
    kept: int


KINDS: dict[str, EventKind] = {
    "reboot": EventKind(_("reboot"), Severity.INFO, 1000),
    "unclean_stop": EventKind(_("unclean stop"), Severity.CRITICAL, 1000),
    "gap": EventKind(_("gap"), Severity.WARNING, 1000),
    "clock_step": EventKind(_("clock step"), Severity.INFO, 1000),
    "oom_kill": EventKind(_("out of memory"), Severity.CRITICAL, 1000),
    "damage": EventKind(_("damaged database"), Severity.CRITICAL, 1000),
    "file_replaced": EventKind(_("database replaced"), Severity.CRITICAL, 1000),
    "mark": EventKind(_("mark"), Severity.INFO, 5000),
    "alert": EventKind(_("alert"), Severity.WARNING, 5000),
    "read_only": EventKind(_("read-only file system"), Severity.CRITICAL, 1000),
    "unit_failed": EventKind(_("failed unit"), Severity.WARNING, 1000),
}


class JsonText(AnyField):
    """Lists and objects as compact JSON in a column of text, the same on every engine."""

    description = _("JSON")

    def get_internal_type(self) -> str:
        """Text: nobody asks for a part of it by SQL."""
        return "TextField"

    def from_db_value(self, value: str | None, *_args: object) -> Any:
        """The list or object that was stored."""
        return None if value is None else orjson.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        """Compact JSON."""
        return None if value is None else orjson.dumps(value).decode()

    def value_to_string(self, obj: models.Model) -> str:
        """The JSON, for `dumpdata`."""
        return self.get_prep_value(self.value_from_object(obj)) or ""

    def to_python(self, value: Any) -> Any:
        """From the text of `dumpdata`."""
        return orjson.loads(value) if isinstance(value, str) else value


class Event(models.Model):
    """Something that happened at a moment, or from one to another.

    `key` tells it from others of its kind, so that what is told twice is stored once. `culprits` are copies: they
    outlive the processes that they name.
    """

    host = models.ForeignKey(Host, models.CASCADE, db_index=False, related_name="+", verbose_name=_("host"))
    kind = models.CharField(_("kind"), max_length=32)
    key = models.CharField(_("key"), max_length=128)
    started_at = EpochField(_("from"), per_second=1000)
    ended_at = EpochField(_("until"), per_second=1000, null=True)
    severity = models.CharField(_("severity"), max_length=16, choices=Severity.choices)
    title = models.TextField(_("title"))
    details = JsonText(_("details"))
    culprits = JsonText(_("culprits"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["host", "kind", "key"], name="one_event_a_key")]
        indexes = [
            models.Index(fields=["host", "started_at"], name="event_by_time"),
            models.Index(fields=["host", "kind", "started_at"], name="event_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"


@dataclass(frozen=True, slots=True)
class Culprit:
    """A process as it was when something happened. `is_likely` says that it is concluded and not known."""

    pid: int | None
    name: str
    username: str | None = None
    unit: str | None = None
    command: str | None = None
    cpu_percent: float | None = None
    children_cpu_percent: float | None = None
    memory_percent: float | None = None
    rss_bytes: int | None = None
    read_bytes_per_second: float | None = None
    write_bytes_per_second: float | None = None
    is_likely: bool = False


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event before it is stored; moments are seconds since the epoch. Without a severity it is its kind's."""

    kind: str
    key: str
    started_at: float
    title: str
    ended_at: float | None = None
    severity: Severity | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    culprits: Sequence[Culprit] = ()


def note_event(host_id: int, event: NewEvent) -> bool:
    """Store an event; False where it is known already."""
    values = {
        "host": host_id,
        "kind": event.kind,
        "key": event.key,
        "started_at": event.started_at,
        "ended_at": event.ended_at,
        "severity": str(event.severity or KINDS[event.kind].severity),
        "title": event.title,
        "details": dict(event.details),
        "culprits": [asdict(culprit) for culprit in event.culprits],
    }
    return insert(Event, [values], or_ignore=True) == 1
