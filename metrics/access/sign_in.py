"""Bounds how often an address may try a password in the admin."""

from collections.abc import Callable
from math import ceil

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.views import APIView

from metrics.access.throttles import SignInThrottle

# Where the admin looks at a password that somebody has sent: at the sign-in, and before it takes another one.
CHECKS_PASSWORD = ("admin:login", "admin:password_change")


class SignInThrottleMiddleware:
    """Answers 429 where an address has tried too many passwords. The API's own address for tokens counts with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.path in map(reverse, CHECKS_PASSWORD):
            throttle = SignInThrottle()
            if not throttle.allow_request(Request(request), APIView()):
                return _refused(throttle.wait())
        return self._get_response(request)


def _refused(seconds: float) -> HttpResponse:
    detail = "Too many attempts to sign in. Try again later."
    answer = JsonResponse({"detail": detail, "errors": {}}, status=429)
    answer["Retry-After"] = str(ceil(seconds))
    return answer
