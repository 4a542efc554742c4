"""The addresses of the web page."""

from django.conf import settings
from django.urls import path, re_path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from metrics.dashboard.views import FrontPage, Messages

LANGUAGES = "|".join(code for code, _name in settings.LANGUAGES)

urlpatterns = [
    path("", FrontPage.as_view(), name="front-page"),
    path("language", require_POST(set_language), name="set-language"),
    re_path(rf"^messages/(?P<state>\w+)/(?P<language>{LANGUAGES})\.json$", Messages.as_view(), name="messages"),
]
