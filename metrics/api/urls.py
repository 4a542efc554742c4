"""The addresses of the API and of the pages around it; none ends in a slash."""

from typing import Any

from django.urls import path, re_path
from django.views.generic import RedirectView

from metrics.api import events, metadata, pages, process_history, sign_in, views

READ: Any = {"get": "retrieve"}

urlpatterns = [
    path("docs", pages.SwaggerPage.as_view(), name="docs"),
    path("redoc", pages.RedocPage.as_view(), name="redoc"),
    path("openapi.json", pages.OpenApiDocument.as_view(), name="openapi"),
    path("api", RedirectView.as_view(pattern_name="metrics:api", query_string=True)),
    path("api/v1", pages.ApiRoot.as_view(READ), name="api"),
    path("api/v1/auth/token", sign_in.TokenView.as_view(), name="token"),
    path("api/v1/auth/refresh", sign_in.RefreshView.as_view(), name="refresh"),
    path("api/v1/health", views.HealthViewSet.as_view(READ), name="health"),
    path("api/v1/hosts", metadata.HostsViewSet.as_view(READ), name="hosts"),
    path("api/v1/families", metadata.FamiliesViewSet.as_view(READ), name="families"),
    path("api/v1/events", events.EventsViewSet.as_view(READ), name="events"),
    path("api/v1/cost", metadata.CostViewSet.as_view(READ), name="cost"),
    path("api/v1/metrics/current", views.CurrentViewSet.as_view(READ), name="current"),
    path("api/v1/metrics/processes", views.ProcessesViewSet.as_view(READ), name="processes"),
    *(
        path(f"api/v1/metrics/{family}", viewset.as_view(READ), name=family)
        for family, viewset in views.series_viewsets().items()
    ),
    path("api/v1/metrics/cpu/top", process_history.TopViewSet.as_view(READ), name="top"),
    *(
        path(f"api/v1/metrics/{family}/peaks", viewset.as_view(READ), name=f"{family}-peaks")
        for family, viewset in process_history.peaks_viewsets().items()
    ),
    path("api/v1/processes/<int:id>", process_history.LifeViewSet.as_view(READ), name="process"),
    re_path(r"^(?P<path>.+)/$", pages.without_slash),
    re_path(r"^api/", pages.not_found),
]
