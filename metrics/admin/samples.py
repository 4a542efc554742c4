"""Every table of samples, by one class: columns, help, units, filters and search come from the model's own fields."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

from typing import Any, cast

from django.contrib import admin
from django.db.models import BinaryField, F, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from metrics.admin import columns
from metrics.admin.columns import Column
from metrics.admin.filters import HostFilter, PeriodFilter, TickFilter, TierFilter, related_filter
from metrics.admin.read_only import SEARCHED_ROWS, Link, ReadOnlyAdmin
from metrics.admin.sections import SAMPLES
from metrics.formatting import units
from metrics.models import Sample, Tick
from metrics.models.samples import sample_models


class SampleAdmin(ReadOnlyAdmin):
    """The samples of one table: the newest first, and within a tick the highest first."""

    section = SAMPLES
    model: type[Sample]

    def __init__(self, model: type[Sample], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        self.related = [field for field in _key_fields(model) if field.is_relation]
        self.related_filters = [related_filter(field.name, field.related_model) for field in self.related]
        self.list_columns = self._list_columns()
        self.sections = (
            (None, self._about_lines()),
            (_("Measured"), _lines(model.measures())),
            (_("Highest and lowest, in a roll-up"), _lines(model.extremes())),
        )

    # What a list shows

    def _list_columns(self) -> list[Column]:
        measures: list[Any] = self.model.measures()
        return [
            columns.time_column("timestamp", _("time")),
            *([Column("same_tick", _("what else"), same_tick_link)] if self.model.key else []),
            *(columns.related_column(field.name, field.verbose_name) for field in self.related),
            *(columns.measure_column(field) for field in measures),
        ]

    def get_ordering(self, request: HttpRequest) -> Any:
        """As the index has it: reading it backwards gives the newest first."""
        return ["-timestamp", *_highest_first(self.model)]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """The labels of the key."""
        return self.model.key

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        """What the links of a row name."""
        return ["host", *(field.name for field in self.related)]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Host, tier, time and tick; one thing, such as a process, has one host: there the host is not asked for."""
        chosen = any(field.name in request.GET for field in self.related)
        return [
            *([] if chosen else [HostFilter]),
            PeriodFilter,
            *self.related_filters,
            TierFilter,
            TickFilter,
        ]

    @property
    def search_help_text(self) -> str:  # type: ignore[override]
        """What is searched, and how far back."""
        labels = [str(field.verbose_name) for field in _key_fields(self.model) if not field.is_relation]
        asked = [gettext("Part of: %(names)s.") % {"names": ", ".join(labels)}] if labels else []
        asked += [str(self._pages_of(field.related_model).search_help_text) for field in self.related]
        bound = gettext("Looks at the newest %(rows)s samples.") % {"rows": units.number(SEARCHED_ROWS)}
        return " ".join([*asked, bound])

    def search(self, request: HttpRequest, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By the labels of the key, which the index has; what a key points to is searched in its own table first."""
        if not self.related:
            return super().search(request, queryset, term)
        for field in self.related:
            queryset = queryset.filter(**{f"{field.name}__in": self._found(request, field.related_model, term)})
        return queryset

    def _found(self, request: HttpRequest, related: Any, term: str) -> QuerySet[Any]:
        everything = related._default_manager.order_by("-pk")
        rows, _duplicates = self._pages_of(related).get_search_results(request, everything, term)
        return rows.order_by().values("pk")

    def _pages_of(self, related: Any) -> ReadOnlyAdmin:
        return cast(ReadOnlyAdmin, self.admin_site.get_model_admin(related))

    # What a detail page shows

    def _about_lines(self) -> list[Column]:
        return [_about_line(field) for field in self.model._meta.concrete_fields if _is_about(field)]

    def caption(self, row: Any) -> str:
        """The thing that the sample is about, and the time."""
        things = [columns.short(str(getattr(row, name))) for name in self.model.key]
        return " · ".join([*things, units.local_time(row.timestamp, offset=True)])

    def see_also(self, row: Any) -> list[Link]:
        """Its tick, what else there was at that tick, and what it points to."""
        links = [
            (str(capfirst(field.verbose_name)), columns.object_url(getattr(row, field.name))) for field in self.related
        ]
        if self.model.key:
            plural = self.opts.verbose_name_plural
            links.append((gettext("All %(samples)s of this tick") % {"samples": plural}, same_tick_url(row)))
        tick = Tick.objects.filter(host=row.host_id, timestamp=row.timestamp).first()
        return [*links, (gettext("Tick"), columns.object_url(tick))] if tick else links


def _lines(fields: list[Any]) -> list[Column]:
    return [columns.measure_line(field) for field in fields]


def _key_fields(model: type[Sample]) -> list[Any]:
    return [model._meta.get_field(name) for name in model.key]


def _highest_first(model: type[Sample]) -> list[Any]:
    return [F(model.headline).desc(nulls_last=True)] if model.key else []


def _is_about(field: Any) -> bool:
    return not (hasattr(field, "unit") or field.primary_key or isinstance(field, BinaryField))


ABOUT = {
    "timestamp": lambda name, label: columns.time_column(name, label, offset=True),
    "tier": lambda name, label: columns.number_column(name, label, columns.tier_name),
    "resolution": lambda name, label: columns.number_column(name, label, units.duration),
}


def _about_line(field: Any) -> Column:
    if field.is_relation:
        return columns.related_column(field.name, field.verbose_name)
    make = ABOUT.get(field.name)
    if make:
        return make(field.name, field.verbose_name)
    return columns.number_column(field.name, field.verbose_name, units.measured)


def same_tick_url(row: Sample) -> str:
    """The list of what else there was at a sample's tick."""
    moment = int(row.timestamp.timestamp())
    return columns.list_url(type(row), host=row.host.name, tier=row.tier, tick=moment)


def same_tick_link(row: Sample) -> str:
    """A link to what else there was at a sample's tick."""
    return columns.link(same_tick_url(row), _("same tick"))


for model in sample_models():
    admin.site.register(model, SampleAdmin)
