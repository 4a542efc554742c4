"""Who may read: everybody on this machine, or whoever has signed in."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from typing_extensions import override

from metrics import conf
from metrics.access.addresses import is_loopback, parse_address
from metrics.access.proxy_signs import proves_proxy, shows_proxy
from metrics.recording.heartbeat import attached

log = logging.getLogger(__name__)

AUTO, PUBLIC = "auto", "public"
COMMAND_PERMISSION = "metrics.view_command"


class ApiAccess(BasePermission):
    """Reading is public, or takes a user who has signed in."""

    @override
    def has_permission(self, request: Request, view: object) -> bool:
        return has_access(request)


def has_access(request: Request) -> bool:
    """Whether this request may read."""
    return conf.api_access() == PUBLIC or is_public_on_loopback(request) or is_signed_in(request)


def is_signed_in(request: Request) -> bool:
    """Whether a user has sent this request. A project may have no object that stands for nobody."""
    return request.user is not None and request.user.is_authenticated


def may_see_commands(request: Request) -> bool:
    """Whether this request may read the command lines of processes."""
    return is_public_on_loopback(request) or (is_signed_in(request) and request.user.has_perm(COMMAND_PERMISSION))


def is_public_on_loopback(request: Request | HttpRequest) -> bool:
    """Whether access is `auto` and nothing shows that anybody but this machine has sent the request.

    What the server was told to listen on is not enough: another server may run this program, or a proxy stand in front.
    """
    if not is_open_by_settings() or attached().has_proxy() or shows_proxy(request.META):
        return False
    sender = parse_address(request.META.get("REMOTE_ADDR", ""))
    return sender is not None and sender.is_loopback


def is_open_by_settings() -> bool:
    """Whether access is `auto`, and the settings say that nobody but this machine can ask."""
    if conf.api_access() != AUTO or conf.is_behind_proxy():
        return False
    return is_loopback(conf.bind_address()) and all(map(is_loopback, settings.ALLOWED_HOSTS))


class ProxyNoticeMiddleware:
    """Ends public access until the next start, for all processes, when a browser proves that a proxy is in front.

    It looks at every request, static files too: they are the first that a page asks for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if proves_proxy(request.META) and is_open_by_settings() and _names_us(request) and attached().note_proxy():
            log.warning(
                "a browser came through a proxy: reading takes a sign-in until the next start; "
                "behind a proxy set SYSMON_API_ACCESS=authenticated"
            )
        return self._get_response(request)


def _names_us(request: HttpRequest) -> bool:
    """Not a page whose name was bound to this address (DNS rebinding): its browser could be made to say anything."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True
