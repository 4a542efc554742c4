"""Filters that keep a list on the index of its table: one host and one tier are always chosen."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

import time
from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from metrics import conf, formats
from metrics.models import Host

MAX_TIERS = 16
# The largest moment that a date of Python can show: the last second of the year 9999.
MAX_EPOCH = 253_402_300_799


class ListFilter(admin.SimpleListFilter):
    """A filter that refuses a value that it does not know, where Django's would ignore it."""

    def refuse(self) -> None:
        """Make Django show the list without any filter."""
        raise IncorrectLookupParameters(f"{self.parameter_name}={self.value()}")

    def whole_number(self, highest: int) -> int | None:
        """The parameter as a number from 0 to `highest`; None without the parameter."""
        text = self.used_parameters.get(str(self.parameter_name))
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) <= highest):
            self.refuse()
        return int(text)


class ScopeFilter(ListFilter):
    """A filter that always chooses one value: `default()` where the address names none. There is no "All"."""

    def default(self) -> str:
        """The value that is chosen without a parameter."""
        raise NotImplementedError

    def value(self) -> str:
        """The chosen value."""
        return super().value() or self.default()

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The values alone."""
        choices = super().choices(changelist)
        next(choices)
        return choices


class HostFilter(ScopeFilter):
    """By host: this machine, or the first by name where it has recorded nothing."""

    title = _("host")
    parameter_name = "host"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The hosts there are."""
        self.hosts = dict(Host.objects.values_list("name", "pk"))
        return [(name, formats.visible(name)) for name in self.hosts]

    def default(self) -> str:
        """This machine."""
        here = conf.host_name()
        return here if here in self.hosts else next(iter(self.hosts))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The host's rows."""
        if self.value() not in self.hosts:
            self.refuse()
        return queryset.filter(host=self.hosts[self.value()])


class TierFilter(ScopeFilter):
    """By tier: the raw samples where no other is chosen. What tiers there are, the table itself says."""

    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tiers of any host."""
        hosts = Host.objects.values_list("pk", flat=True)
        stored = {tier for host in hosts for tier in stored_tiers(model_admin.model, host)}
        return [(str(tier), formats.tier(tier)) for tier in sorted({0, *stored})]

    def default(self) -> str:
        """Raw."""
        return "0"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The tier's samples."""
        return queryset.filter(tier=self.whole_number(32_767) or 0)


def stored_tiers(model: Any, host: int) -> Iterator[int]:
    """The tiers of a host, each found by one step in the index; DISTINCT would walk all of it."""
    tier = -1
    for _step in range(MAX_TIERS):
        samples = model._default_manager.filter(host=host, tier__gt=tier)
        tier = samples.order_by("tier").values_list("tier", flat=True).first()
        if tier is None:
            return
        yield tier


class LastFilter(ListFilter):
    """By time: the last hour, day or week."""

    title = _("time")
    parameter_name = "last"
    field: ClassVar[str] = "timestamp"
    seconds: ClassVar[dict[str, int]] = {"hour": 3_600, "day": 86_400, "week": 604_800}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """How far back."""
        return [("hour", _("Last hour")), ("day", _("Last day")), ("week", _("Last week"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Any time, and how far back."""
        choices = super().choices(changelist)
        yield {**next(choices), "display": _("Any time")}
        yield from choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows that are not older."""
        value = self.value()
        if value is None:
            return queryset
        if value not in self.seconds:
            self.refuse()
        return queryset.filter(**{f"{self.field}__gte": time.time() - self.seconds[value]})


class TickFilter(ListFilter):
    """By tick, from a link: shows itself when a tick is chosen, with the one before and the one after it."""

    title = _("tick")
    parameter_name = "tick"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The chosen tick."""
        self.tick = self.whole_number(MAX_EPOCH)
        return [] if self.tick is None else [(str(self.tick), str(self.tick))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The samples of the tick."""
        self.others = queryset.order_by()
        return queryset.filter(timestamp=self.tick)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """All ticks, the one before, the chosen one, the one after."""
        before = self.others.filter(timestamp__lt=self.tick).order_by("-timestamp")
        after = self.others.filter(timestamp__gt=self.tick).order_by("timestamp")
        yield self._choice(changelist, None, str(_("All")))
        yield from self._neighbour(changelist, before, "←")
        chosen = self.others.filter(timestamp=self.tick).order_by("timestamp")
        yield from self._neighbour(changelist, chosen, "") or [self._choice(changelist, self.tick, str(self.tick))]
        yield from self._neighbour(changelist, after, "→")

    def _neighbour(self, changelist: ChangeList, rows: QuerySet[Any], arrow: str) -> list[dict[str, Any]]:
        moment = rows.values_list("timestamp", flat=True).first()
        if moment is None:
            return []
        text = f"{arrow} {formats.local_time(moment)}".strip()
        return [self._choice(changelist, int(moment.timestamp()), text)]

    def _choice(self, changelist: ChangeList, tick: int | None, text: str) -> dict[str, Any]:
        query = changelist.get_query_string({"tick": tick})
        return {"selected": tick == self.tick, "query_string": query, "display": text}


def related_filter(name: str, related: Any) -> type[ListFilter]:
    """A filter by the row that a foreign key points to, from a link; it shows itself when a row is chosen."""

    class RelatedFilter(ListFilter):
        title = related._meta.verbose_name
        parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            """The chosen row."""
            self.key = self.whole_number(2**63 - 1)
            if self.key is None:
                return []
            row = related._default_manager.filter(pk=self.key).first()
            return [(str(self.key), formats.visible(str(row)) if row else str(self.key))]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            """The samples that point to it."""
            return queryset.filter(**{name: self.key})

    return RelatedFilter
