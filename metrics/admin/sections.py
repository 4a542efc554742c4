"""Under which headings the admin lists its models: what people come for first, the program's own work folded away.

A model's admin names its section; a model whose admin names none is looked after by the program, or by another app.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _


class Section(NamedTuple):
    """A heading of the index and of the sidebar."""

    name: str
    title: Any
    is_folded: bool = False


SAMPLES = Section("samples", _("Samples"))
MACHINES = Section("machines", _("Hosts and processes"))
ACCESS = Section("access", _("Users and tokens"))
INTERNALS = Section("internals", _("Internals"), is_folded=True)
IN_ORDER = (SAMPLES, MACHINES, ACCESS, INTERNALS)


def section_of(model: Any, model_admin: Any) -> Section:
    """What the admin says; users and groups, whose admin is Django's, are about access."""
    default = ACCESS if model._meta.app_label == get_user_model()._meta.app_label else INTERNALS
    section: Section = getattr(model_admin, "section", default)
    return section


def by_section(apps: Iterable[dict[str, Any]], registry: Mapping[Any, Any], path: str) -> list[dict[str, Any]]:
    """Django's list of apps with their models, made a list of sections: as templates know it, with `is_folded`.

    Within a section the models stand as they were registered. A folded section that has the page of `path` is open.
    """
    place = {model: number for number, model in enumerate(registry)}
    shown = sorted((entry for app in apps for entry in app["models"]), key=lambda entry: place[entry["model"]])
    listed = {
        section: [one for one in shown if section_of(one["model"], registry[one["model"]]) == section]
        for section in IN_ORDER
    }
    return [_as_app(section, models, path) for section, models in listed.items() if models]


def _as_app(section: Section, models: list[dict[str, Any]], path: str) -> dict[str, Any]:
    return {
        "name": section.title,
        "app_label": section.name,
        "app_url": "",
        "has_module_perms": True,
        "models": models,
        "is_folded": section.is_folded,
        "is_open": any(one["admin_url"] and path.startswith(one["admin_url"]) for one in models),
    }
