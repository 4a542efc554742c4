"""What network interfaces send and receive."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from metrics.models.fields import Counter, Flag, Label, Rate, Total
from metrics.models.samples import Sample, one_a_tick

# No interface moves more in a second, whatever it is.
MOST_BYTES_PER_SECOND = 1e12
# Drivers count in lumps, and virtual cards pass the speed that they state; tun and tap always state 10 Mbit/s.
SPEED_TOLERANCE, LOWEST_STATED_MBPS = 10, 100


def most_of_a_link(row: Mapping[str, Any]) -> float:
    """The bytes per second that an interface cannot pass: ten times the speed that it states."""
    speed_mbps = row.get("speed_mbps") or 0
    return speed_mbps * 125_000 * SPEED_TOLERANCE if speed_mbps >= LOWEST_STATED_MBPS else MOST_BYTES_PER_SECOND


class InterfaceSample(Sample):
    """The traffic of a network interface."""

    family, kind, collection = "network", "interface", "interfaces"
    key = reading_key = ("interface",)
    headline = "received_bytes_per_second"
    busiest = ("sent_bytes_per_second", "received_bytes_per_second")
    # Not the counters: the sum of those of other interfaces at each tick is no counter.
    summed = (
        *busiest,
        "sent_packets_per_second",
        "received_packets_per_second",
        "errors_per_second",
        "drops_per_second",
    )
    named_by, plural = "interface", "interfaces"

    interface = Label(_("interface"), source="interface", help_text=_("The interface's name"))
    is_up = Flag(_("up"), source="is_up", help_text=_("Whether it is up"))
    speed_mbps = Total(
        _("link speed"), source="speed_mbps", unit="mbps", help_text=_("Speed of the link, megabits a second")
    )
    sent_bytes = Counter(
        _("sent since boot"), source="sent_bytes", unit="bytes", help_text=_("Bytes sent since the boot")
    )
    received_bytes = Counter(
        _("received since boot"), source="received_bytes", unit="bytes", help_text=_("Bytes received since the boot")
    )
    sent_bytes_per_second = Rate(
        _("sent"),
        source="sent_bytes",
        unit="bytes_per_second",
        at_most=most_of_a_link,
        has_minimum=True,
        help_text=_("Bytes sent"),
    )
    received_bytes_per_second = Rate(
        _("received"),
        source="received_bytes",
        unit="bytes_per_second",
        at_most=most_of_a_link,
        has_minimum=True,
        help_text=_("Bytes received"),
    )
    sent_packets_per_second = Rate(
        _("packets sent"), source="sent_packets", unit="per_second", help_text=_("Packets sent")
    )
    received_packets_per_second = Rate(
        _("packets received"), source="received_packets", unit="per_second", help_text=_("Packets received")
    )
    errors_per_second = Rate(
        _("packet errors"), source="errors", unit="per_second", help_text=_("Packets that were broken, both ways")
    )
    drops_per_second = Rate(
        _("packets dropped"), source="drops", unit="per_second", help_text=_("Packets that were dropped, both ways")
    )
    lower = Label(
        _("stands on"),
        source="lower",
        null=True,
        help_text=_("The interfaces that its bytes pass through as well, comma-separated; empty for none"),
    )
    is_counted = Flag(
        _("counted"),
        source="is_counted",
        help_text=_("Whether a total counts it: those that are counted carry each byte once between them"),
    )

    class Meta:
        verbose_name = _("network interface sample")
        verbose_name_plural = _("network interface samples")
        constraints = [one_a_tick("interface_sample", "interface")]
