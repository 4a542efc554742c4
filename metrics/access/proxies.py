"""Whose word counts about where a request came from."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from metrics import conf
from metrics.access.addresses import network_of, parse_address


def is_trusted(address: str) -> bool:
    """Whether an address is that of a proxy which may say from whom a request came."""
    sender = parse_address(address)
    return sender is not None and any(sender in network for network in conf.trusted_proxies())


def sender_of(variables: Mapping[str, Any]) -> str:
    """Who counts as one sender, from the variables of WSGI: an address of IPv4, a network of IPv6; behind a trusted
    proxy, whom that one names."""
    address = str(variables.get("REMOTE_ADDR") or "")
    forwarded = str(variables.get("HTTP_X_FORWARDED_FOR") or "")
    if forwarded and is_trusted(address):
        address = forwarded.rpartition(",")[2].strip()
    return network_of(address)


class TrustedProxyMiddleware:
    """Only a trusted proxy (SYSMON_TRUSTED_PROXIES) may say from whom a request came, and that it came by HTTPS.

    The headers of others are set right and not taken away: that they are there at all makes access ask for a sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sender = request.META.get("REMOTE_ADDR", "")
        truth = {"HTTP_X_FORWARDED_PROTO": "http", "HTTP_X_FORWARDED_FOR": sender}
        if not truth.keys().isdisjoint(request.META) and not is_trusted(sender):
            request.META.update({name: value for name, value in truth.items() if name in request.META})
        return self._get_response(request)
