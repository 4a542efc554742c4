"""API tokens: made and revoked here, and shown at the moment that they are made and never again."""

# ruff: noqa: ARG002 (Django says which arguments its hooks get)

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from metrics.access import tokens
from metrics.admin.sections import ACCESS
from metrics.models import ApiToken

SET_BY_THE_PROGRAM = ("beginning", "created_at", "last_used_at", "revoked_at")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who has no rights over all has tokens of his own, and sees no others."""

    section = ACCESS
    list_display = ("name", "user", "beginning", "is_good", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("revoked_at",)
    list_select_related = ("user",)
    actions = ("revoke",)
    readonly_fields = SET_BY_THE_PROGRAM

    @admin.display(description=_("good"), boolean=True)
    def is_good(self, token: ApiToken) -> bool:
        """Whether it may be used now."""
        return token.is_good

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """One's own; for a superuser all."""
        every = super().get_queryset(request)
        return every if request.user.is_superuser else every.filter(user=request.user.pk)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is, only a superuser may say, and only once."""
        chosen = ("name", "expires_at")
        if obj is not None:
            return (*chosen, "user", *SET_BY_THE_PROGRAM)
        return (*chosen, "user") if request.user.is_superuser else chosen

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The user of a token stays."""
        return self.readonly_fields if obj is None else ("user", *self.readonly_fields)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Mostly it is one's own."""
        return {"user": request.user.pk, **super().get_changeform_initial_data(request)}

    @sensitive_variables("secret")
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Draw the token when its row is made."""
        if not change:
            obj.user_id = obj.user_id or request.user.pk
            obj.secret = obj.draw_secret()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the token; no answer of the admin is kept by a browser."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("API token made"),
            "opts": self.opts,
            "token": obj,
            "secret": obj.secret,
        }
        return TemplateResponse(request, "admin/metrics/apitoken/made.html", context)

    @admin.action(description=_("Revoke the selected API tokens"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """For good."""
        count = tokens.revoke(queryset)
        text = ngettext("%(count)d token was revoked.", "%(count)d tokens were revoked.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
