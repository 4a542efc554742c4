"""What an answer says of the worst tick of a bucket, for the document; derived from what is kept of it."""

from typing import Any

from rest_framework import serializers

from metrics.history.processes import sort_orders
from metrics.history.worst_ticks import total_name, used_name

ABOUT = (
    "The tick of the bucket at which the machine used most, and who did; null at a raw tick, or where it is not known"
)


def _tick(order: str) -> type[serializers.Serializer[Any]]:
    process: dict[str, Any] = {
        "id": serializers.IntegerField(help_text="Identity of the process in the history"),
        "pid": serializers.IntegerField(),
        "name": serializers.CharField(),
        "username": serializers.CharField(allow_null=True),
        used_name(order): serializers.FloatField(help_text="What the process used at that tick"),
    }
    culprit: Any = type(f"WorstTick{order.title()}ProcessSerializer", (serializers.Serializer,), process)
    tick: dict[str, Any] = {
        "timestamp": serializers.DateTimeField(help_text="When it was, exactly"),
        total_name(order): serializers.FloatField(help_text="What the machine used"),
        "processes": culprit(many=True, help_text="The three highest"),
    }
    return type(f"WorstTick{order.title()}Serializer", (serializers.Serializer,), tick)


TICKS = {order: _tick(order) for order in sort_orders()}


def worst_ticks() -> serializers.Serializer[Any]:
    """The worst tick of a bucket by each order of processes."""
    fields: dict[str, Any] = {order: tick(allow_null=True) for order, tick in TICKS.items()}
    made: type[serializers.Serializer[Any]] = type("WorstTicksSerializer", (serializers.Serializer,), fields)
    return made(allow_null=True, help_text=ABOUT)


def any_worst_tick() -> serializers.DictField:
    """The worst tick by the order that is behind a family."""
    return serializers.DictField(allow_null=True, help_text=f"{ABOUT}; by the order that is behind this family")
