"""Whose word counts about where a request came from."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Networks = list[ipaddress.IPv4Network | ipaddress.IPv6Network]


def parse_networks(text: str) -> Networks:
    """Addresses and networks joined by commas; a ValueError says what is wrong."""
    try:
        return [ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError("must be addresses or networks joined by commas, such as 10.0.0.1,192.168.0.0/16") from None


class TrustedProxyMiddleware:
    """Only a trusted proxy (SYSMON_TRUSTED_PROXIES) may say from whom a request came, and that it came by HTTPS.

    The headers of others are set right and not taken away: that they are there at all makes access ask for a sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sender = request.META.get("REMOTE_ADDR", "")
        truth = {"HTTP_X_FORWARDED_PROTO": "http", "HTTP_X_FORWARDED_FOR": sender}
        if not truth.keys().isdisjoint(request.META) and not self._is_trusted(sender):
            request.META.update({name: value for name, value in truth.items() if name in request.META})
        return self._get_response(request)

    def _is_trusted(self, address: str) -> bool:
        try:
            sender = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(sender in network for network in settings.SYSMON_TRUSTED_PROXIES)
