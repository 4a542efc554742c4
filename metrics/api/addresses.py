"""Addresses of the app wherever a project has put them, and those of the project that its pages lead to."""

from urllib.parse import urlencode

from django.conf import global_settings, settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse


def address_of(name: str) -> str:
    """The path of one of the app's own addresses, by its name in metrics/urls.py."""
    return reverse(f"metrics:{name}")


def address_in_project(name: str) -> str | None:
    """The path of an address that the project may have, such as `admin:index`; None where it has not."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def sign_in_address(next_path: str) -> str:
    """Where somebody signs in to come back to a path: what LOGIN_URL says, or else the admin's page."""
    has_own = settings.LOGIN_URL != global_settings.LOGIN_URL
    admin = None if has_own else address_in_project("admin:login")
    return f"{admin or resolve_url(settings.LOGIN_URL)}?{urlencode({'next': next_path})}"
