"""Filters that keep a list on the index of its table: one host and one tier are always chosen."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

import math
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from metrics import conf, tiers
from metrics.admin import columns
from metrics.formatting import moments, units
from metrics.models import Host
from metrics.models.present import last_present_moment

MAX_TIERS = 16
# The word of an address for what a clock wrote that was ahead.
AHEAD = "ahead"
# The largest moment that a date of Python can show: the last second of the year 9999.
MAX_EPOCH = 253_402_300_799


class ListFilter(admin.SimpleListFilter):
    """A filter that refuses a value that it does not know, where Django's would ignore it."""

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """What it may read of the address."""
        return (str(cls.parameter_name),)

    def refuse(self) -> NoReturn:
        """Make Django show the list without any filter."""
        raise IncorrectLookupParameters(f"{self.parameter_name}: {self.used_parameters}")

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
        return [(name, units.visible(name)) for name in self.hosts]

    def default(self) -> str:
        """This machine."""
        here = conf.host_name()
        return here if here in self.hosts else next(iter(self.hosts))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The host's rows."""
        if self.value() not in self.hosts:
            self.refuse()
        return queryset.filter(host=self.hosts[self.value()])


class TierFilter(ListFilter):
    """By tier, by the names that the settings have. Where none is chosen it is the finest that has what is asked for:
    what is too old to be there raw, or was only ever found in a roll-up, is found all the same.

    It stands behind the filters that ask for less, and before that of the tick.
    """

    title = _("tier")
    parameter_name = "tier"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.request, self.model_admin = request, model_admin
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tiers of any host."""
        hosts = Host.objects.values_list("pk", flat=True)
        self.stored = sorted({0, *(tier for host in hosts for tier in stored_tiers(model_admin.model, host))})
        return [(tiers.name_of(tier), columns.tier_name(tier)) for tier in self.stored]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The tier's samples."""
        self.tier = self._asked() if super().value() else self._finest(queryset)
        return queryset.filter(tier=self.tier)

    def value(self) -> str:
        """The name of the chosen one."""
        return tiers.name_of(self.tier)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The tiers alone: there is no "All"."""
        choices = super().choices(changelist)
        next(choices)
        return choices

    def _asked(self) -> int:
        """By its name, or by its seconds."""
        named = {tiers.name_of(tier): tier for tier in self.stored}.get(str(super().value()))
        return (self.whole_number(tiers.WIDEST_SECONDS) or 0) if named is None else named

    def _finest(self, queryset: QuerySet[Any]) -> int:
        if TickFilter.parameter_name in self.request.GET:
            return 0
        term = self.request.GET.get(SEARCH_VAR, "")
        for tier in self.stored:
            rows, _duplicates = self.model_admin.get_search_results(self.request, queryset.filter(tier=tier), term)
            if rows.order_by().exists():
                return tier
        return 0


def stored_tiers(model: Any, host: int) -> Iterator[int]:
    """The tiers of a host, each found by one step in the index; DISTINCT would walk all of it."""
    tier = -1
    for _step in range(MAX_TIERS):
        samples = model._default_manager.filter(host=host, tier__gt=tier)
        tier = samples.order_by("tier").values_list("tier", flat=True).first()
        if tier is None:
            return
        yield tier


class PeriodFilter(ListFilter):
    """By time: the last hour, day or week, or from one moment to another, both included, in the zone of the admin.

    What lies ahead, by a clock that was wrong, is shown to whoever asks for it, and is not the newest otherwise.
    """

    title = _("time")
    parameter_name = "last"
    template = "admin/metrics/period_filter.html"
    field: ClassVar[str] = "timestamp"
    seconds: ClassVar[dict[str, int]] = {"hour": 3_600, "day": 86_400, "week": 604_800}
    edges: ClassVar[dict[str, Any]] = {"from": _("From"), "to": _("To")}

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.request = request
        self.used_parameters |= {name: params.pop(name)[-1] for name in self.edges if name in params}

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """How far back, and the two ends."""
        return (*super().parameter_names(), *cls.edges)

    def expected_parameters(self) -> list[str | None]:
        """What a link of this filter takes away."""
        return list(self.parameter_names())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """How far back."""
        return [("hour", _("Last hour")), ("day", _("Last day")), ("week", _("Last week")), (AHEAD, _("Ahead of now"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Any time, and how far back; either takes back what was chosen by its ends."""
        self.kept = [pair for pair in changelist.params.items() if pair[0] not in (PAGE_VAR, *self.parameter_names())]
        is_open = not any(self.used_parameters.get(name) for name in self.parameter_names())
        for value, text in ((None, _("Any time")), *self.lookup_choices):
            query = changelist.get_query_string({self.parameter_name: value}, [*self.edges, PAGE_VAR])
            yield {
                "selected": is_open if value is None else self.value() == value,
                "query_string": query,
                "display": text,
            }

    def inputs(self) -> list[dict[str, Any]]:
        """The two ends, for the form."""
        return [
            {"name": name, "label": label, "value": self._local(self.moments[name])}
            for name, label in self.edges.items()
        ]

    def _local(self, moment: float | None) -> str:
        here = timezone.get_current_timezone()
        return "" if moment is None else datetime.fromtimestamp(int(moment), here).replace(tzinfo=None).isoformat()

    def zone(self) -> str:
        """In which zone the ends are read."""
        return timezone.get_current_timezone_name()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of the time, which the index has in order."""
        self.moments = {name: self._moment(name) for name in self.edges}
        first, last = self.moments.values()
        if first is not None and last is not None and first > last:
            self._refuse_with(_("The end has to be after the start."))
        if first is not None:
            queryset = queryset.filter(**{f"{self.field}__gte": math.ceil(first)})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field}__lte": math.floor(last)})
        if self.value() is not None:
            return self._chosen(queryset)
        is_for_a_moment = (
            any(moment is not None for moment in (first, last)) or TickFilter.parameter_name in request.GET
        )
        return queryset if is_for_a_moment else queryset.filter(**{f"{self.field}__lte": last_present_moment()})

    def _chosen(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        present = last_present_moment()
        if self.value() == AHEAD:
            return queryset.filter(**{f"{self.field}__gt": present})
        if self.value() not in self.seconds:
            self.refuse()
        since = time.time() - self.seconds[str(self.value())]
        return queryset.filter(**{f"{self.field}__gte": since, f"{self.field}__lte": present})

    def _moment(self, name: str) -> float | None:
        text = str(self.used_parameters.get(name, "")).strip()
        if not text:
            return None
        try:
            moment = moments.parse_moment(text, ends_day=name == "to", zone=timezone.get_current_timezone())
        except (ValueError, OverflowError):
            moment = -1
        if not 0 <= moment <= MAX_EPOCH:
            self._refuse_with(_("“%(text)s” is not a time.") % {"text": units.visible(text)})
        return moment

    def _refuse_with(self, message: Any) -> NoReturn:
        messages.error(self.request, message, fail_silently=True)
        self.refuse()


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
        text = f"{arrow} {units.local_time(moment)}".strip()
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
            return [(str(self.key), units.visible(str(row)) if row else str(self.key))]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            """The samples that point to it."""
            return queryset.filter(**{name: self.key})

    return RelatedFilter
