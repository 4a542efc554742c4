"""The hint of metrics.first_user, for the sign-in page."""

from django import template

from metrics import first_user

register = template.Library()


@register.simple_tag
def first_user_hint() -> str | None:
    """How to make the first user; nothing as soon as there is one."""
    return first_user.hint()
