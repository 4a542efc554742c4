"""Every address of the program."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin", RedirectView.as_view(pattern_name="admin:index", permanent=True, query_string=True)),
    path("admin/", admin.site.urls),
    # Asked for by browsers that show a document which names no icon, such as an answer in JSON.
    path("favicon.ico", RedirectView.as_view(url=static("metrics/icon.svg"))),
    path("", include("metrics.urls")),
]

handler400 = "metrics.api.errors.bad_request"
handler403 = "metrics.api.errors.permission_denied"
handler404 = "metrics.api.errors.page_not_found"
handler500 = "metrics.api.errors.server_error"
