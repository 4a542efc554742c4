"""The hint of metrics.access.first_user, for the sign-in page."""

from django import template
from django.utils.html import format_html, format_html_join

from metrics.access import first_user

register = template.Library()


@register.simple_tag
def first_user_hint() -> str:
    """How to make the first user, its command marked as one; nothing as soon as there is a user."""
    hint = first_user.hint() or ""
    return format_html_join("", "{}", ((_part(number, text),) for number, text in enumerate(hint.split("`"))))


def _part(number: int, text: str) -> str:
    return format_html("<code>{}</code>", text) if number % 2 else text
