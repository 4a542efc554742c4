"""`GET /metrics`, for Prometheus and its kind."""

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from metrics.api import schema
from metrics.api.base import ApiView
from metrics.api.errors import NoSampleYet
from metrics.api.renderers import AnyFormatNegotiation, JsonRenderer
from metrics.exporters.prometheus import exposition
from metrics.history.newest import find_host
from metrics.history.readings import read_newest


class PrometheusView(ApiView):
    """The newest tick of this host in Prometheus' text format."""

    # Errors are JSON as everywhere; the answer itself is written by the client library.
    renderer_classes = [JsonRenderer]
    content_negotiation_class = AnyFormatNegotiation

    @schema.documented(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Never collects: the values are the recorder's own."""
        host = find_host()
        recorded = read_newest(host) if host else None
        if host is None or recorded is None:
            raise NoSampleYet
        text, content_type = exposition(host, recorded, request.headers.get("Accept", ""))
        response = HttpResponse(text, content_type=content_type)
        patch_vary_headers(response, ("Accept",))
        return response
