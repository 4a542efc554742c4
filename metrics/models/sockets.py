"""How many sockets there are, and how TCP and UDP fare."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from metrics.models.fields import Gauge, Rate, Share
from metrics.models.samples import Sample, one_a_tick

# A kernel that lost count of its connections shows 2^32 less a few.
COUNT: dict[str, Any] = {"at_most": 2**31}
EVENTS: dict[str, Any] = {"unit": "per_second", "at_most": 1e9}


class SocketsSample(Sample):
    """The sockets of this machine, over both versions of IP."""

    family = kind = "sockets"
    headline = "tcp_established"

    used = Gauge(_("sockets"), source="used", help_text=_("Sockets of all kinds in use"), **COUNT)
    tcp_established = Gauge(
        _("TCP connections"), source="tcp_established", help_text=_("TCP connections that are established"), **COUNT
    )
    tcp_time_wait = Gauge(
        _("TCP, time-wait"),
        source="tcp_time_wait",
        help_text=_("TCP connections that are closed, and kept for stray packets"),
        **COUNT,
    )
    tcp_orphaned = Gauge(
        _("TCP, orphaned"),
        source="tcp_orphaned",
        help_text=_("TCP connections that no program holds any more"),
        **COUNT,
    )
    tcp_memory_bytes = Gauge(
        _("TCP memory"), source="tcp_memory_bytes", unit="bytes", help_text=_("Memory that TCP's buffers take")
    )
    tcp_opened_per_second = Rate(
        _("TCP opened"), source="tcp_opened", help_text=_("TCP connections that this machine began to open"), **EVENTS
    )
    tcp_accepted_per_second = Rate(
        _("TCP accepted"), source="tcp_accepted", help_text=_("TCP connections that others opened to here"), **EVENTS
    )
    tcp_failed_per_second = Rate(
        _("TCP failed"), source="tcp_failed", help_text=_("TCP connections that did not come about"), **EVENTS
    )
    tcp_retransmits_per_second = Rate(
        _("TCP retransmits"), source="tcp_retransmits", help_text=_("TCP segments that were sent again"), **EVENTS
    )
    tcp_retransmits_percent = Share(
        _("TCP retransmits, share"),
        source="tcp_retransmits",
        over="tcp_segments_sent",
        help_text=_("TCP segments that were sent again, of those that were sent"),
    )
    tcp_errors_per_second = Rate(
        _("TCP errors"), source="tcp_errors", help_text=_("TCP segments that arrived broken"), **EVENTS
    )
    tcp_resets_per_second = Rate(
        _("TCP resets"), source="tcp_resets_sent", help_text=_("TCP connections that this machine cut off"), **EVENTS
    )
    listen_drops_per_second = Rate(
        _("listen drops"),
        source="listen_drops",
        help_text=_("TCP connections that were turned away, mostly because a program did not accept them in time"),
        **EVENTS,
    )
    udp_in_use = Gauge(_("UDP sockets"), source="udp_in_use", help_text=_("UDP sockets in use"), **COUNT)
    udp_received_per_second = Rate(
        _("UDP received"), source="udp_received", help_text=_("UDP datagrams that were received"), **EVENTS
    )
    udp_sent_per_second = Rate(_("UDP sent"), source="udp_sent", help_text=_("UDP datagrams that were sent"), **EVENTS)
    udp_errors_per_second = Rate(
        _("UDP errors"),
        source="udp_errors",
        help_text=_("UDP datagrams that were broken, or found no room in a buffer"),
        **EVENTS,
    )

    class Meta:
        verbose_name = _("socket sample")
        verbose_name_plural = _("socket samples")
        constraints = [one_a_tick("sockets_sample")]
