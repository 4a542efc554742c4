"""Who may read: everybody on this machine, or whoever has signed in."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from typing_extensions import override

from sysmon_project.addresses import is_loopback

AUTO, PUBLIC = "auto", "public"
COMMAND_PERMISSION = "metrics.view_command"


class ApiAccess(BasePermission):
    """Reading is public, or takes a user who has signed in."""

    @override
    def has_permission(self, request: Request, view: object) -> bool:
        return has_access(request)


def has_access(request: Request) -> bool:
    """Whether this request may read."""
    return settings.SYSMON_API_ACCESS == PUBLIC or is_public_on_loopback(request) or request.user.is_authenticated


def may_see_commands(request: Request) -> bool:
    """Whether this request may read the command lines of processes."""
    return is_public_on_loopback(request) or request.user.has_perm(COMMAND_PERMISSION)


def is_public_on_loopback(request: Request | HttpRequest) -> bool:
    """Whether access is `auto` and nobody but this machine can have sent the request.

    What the server was told to listen on is not enough: another server may run this program, or a proxy stand in front.
    """
    if settings.SYSMON_API_ACCESS != AUTO or not is_loopback(settings.SYSMON_HOST):
        return False
    return all(map(is_loopback, settings.ALLOWED_HOSTS)) and _comes_from_here(request)


def _comes_from_here(request: Request | HttpRequest) -> bool:
    meta = request.META
    was_forwarded = any(name.startswith("HTTP_X_FORWARDED_") or name in {"HTTP_FORWARDED", "HTTP_VIA"} for name in meta)
    try:
        return not was_forwarded and ipaddress.ip_address(meta.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
