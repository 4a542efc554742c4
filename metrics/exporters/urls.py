"""The addresses of the exporters."""

from django.urls import path

from metrics.exporters.views import PrometheusView

urlpatterns = [path("metrics", PrometheusView.as_view(), name="prometheus")]
