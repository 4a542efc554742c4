"""What a first start says while nobody can sign in yet."""

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _


def hint() -> str | None:
    """How to make the first user; None as soon as there is one."""
    if get_user_model()._default_manager.exists():
        return None
    return _("There is no user yet: `python manage.py createsuperuser` makes one, for /admin/")
