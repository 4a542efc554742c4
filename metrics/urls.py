"""Every address of the app, for `include("metrics.urls")` below any path of a project."""

from django.urls import include, path

app_name = "metrics"

urlpatterns = [
    path("", include("metrics.dashboard.urls")),
    path("", include("metrics.exporters.urls")),
    path("", include("metrics.api.urls")),
]
