"""The addresses of the web page."""

from django.urls import path, re_path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from metrics.dashboard.views import FrontPage, Messages

urlpatterns = [
    path("", FrontPage.as_view(), name="front-page"),
    path("language", require_POST(set_language), name="set-language"),
    re_path(r"^messages/(?P<state>[0-9a-f]+)/(?P<language>[a-z-]+)\.json$", Messages.as_view(), name="messages"),
]
