"""Errors in the one shape of the API: `{"detail": "…", "errors": {"limit": ["…"]}}`."""

import logging
import sqlite3
import sys
from collections.abc import Iterator
from math import ceil
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from metrics import conf
from metrics.access.throttles import count_refused
from metrics.api.renderers import JsonRenderer, is_for_people
from metrics.storage.damage import database_file
from metrics.storage.damage_report import reported_damage

log = logging.getLogger(__name__)


class UnknownHost(exceptions.NotFound):
    """Nothing was ever recorded for the host that was named."""

    default_detail = _("Nothing was recorded for this host.")
    default_code = "unknown_host"


class Unavailable(exceptions.APIException):
    """There is no answer now, but there will be one in `wait` seconds."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__()
        self.wait = conf.interval_seconds()


class NoSampleYet(Unavailable):
    """Before the first tick."""

    default_detail = _("No sample has been recorded yet.")
    default_code = "no_sample_yet"


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    default_detail = _("The database does not answer.")
    default_code = "database_unavailable"


class TooCostly(Unavailable):
    """The database was stopped, see metrics/supervision/deadline.py."""

    default_detail = _("This takes the database too long. Ask for a shorter stretch of time.")
    default_code = "too_costly"


# PostgreSQL's code of a statement that was stopped; its text is in the server's language.
QUERY_CANCELED = "57014"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """What DRF calls for an error in a view. None, which ends in `server_error`, for what nobody expected."""
    error = _counted(_as_api_exception(error), context)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    response.data = _body(error, response.data)
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(ceil(wait))
    answer_in_json(context["request"])
    return response


def _counted(error: Exception, context: dict[str, Any]) -> Exception:
    """The error; where it comes before the request was counted, as that for a stranger does, it counts now, and is
    Throttled where there were too many."""
    if not isinstance(error, exceptions.APIException) or isinstance(error, Unavailable):
        return error
    try:
        wait = count_refused(context["request"], context["view"])
    except (exceptions.APIException, DatabaseError, InterfaceError):
        # Who asks is not known, as with another kind of credentials in a request that was refused for something else.
        return error
    return exceptions.Throttled(wait) if wait else error


def _as_api_exception(error: Exception) -> Exception:
    if isinstance(error, DatabaseError | InterfaceError):
        return _failure_of(error)
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError()
    return error


def _failure_of(error: Exception) -> Unavailable:
    cause = error.__cause__
    is_interrupted = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    if is_interrupted or getattr(cause, "sqlstate", None) == QUERY_CANCELED:
        return TooCostly()
    log.error("the database does not answer: %s", error)
    return DatabaseUnavailable()


def _body(error: Exception, data: Any) -> dict[str, Any]:
    if not isinstance(error, exceptions.ValidationError):
        return {"detail": str(data["detail"]), "errors": {}}
    by_name = data if isinstance(data, dict) else {"non_field_errors": data}
    errors = {name: list(_texts(messages)) for name, messages in by_name.items()}
    return {"detail": " ".join(f"{name}: {text}" for name, texts in errors.items() for text in texts), "errors": errors}


def _texts(messages: Any) -> Iterator[str]:
    yield from map(str, messages if isinstance(messages, list) else [messages])


def answer_in_json(request: Any) -> None:
    """What is no table, such as an error, is JSON whatever format was asked for, except in the pages for people."""
    renderer = getattr(request, "accepted_renderer", None)
    if renderer is None or not is_for_people(renderer):
        request.accepted_renderer, request.accepted_media_type = JsonRenderer(), JsonRenderer.media_type


# What Django calls for an error outside of the API's views, named in sysmon_project/urls.py -------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400"""
    return _page_or_json(request, defaults.bad_request, status.HTTP_400_BAD_REQUEST, _("Bad request."), exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403"""
    return _page_or_json(request, defaults.permission_denied, status.HTTP_403_FORBIDDEN, _("Forbidden."), exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404"""
    return _page_or_json(request, defaults.page_not_found, status.HTTP_404_NOT_FOUND, _("Not found."), exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where it is the database that does not answer."""
    if isinstance(error := sys.exc_info()[1], DatabaseError | InterfaceError):
        return _unavailable(request, _failure_of(error))
    if (database := database_file()) and reported_damage(database) is not None:
        # What is read of a damaged page may be anything.
        return _unavailable(request, DatabaseUnavailable())
    return _page_or_json(request, defaults.server_error, status.HTTP_500_INTERNAL_SERVER_ERROR, _("Server error."))


def _unavailable(request: HttpRequest, error: Unavailable) -> HttpResponse:
    if _wants_page(request):
        response = HttpResponse(f"<h1>{error.detail}</h1>", status=error.status_code)
    else:
        response = JsonResponse({"detail": str(error.detail), "errors": {}}, status=error.status_code)
    response["Retry-After"] = str(ceil(error.wait))
    return response


def _page_or_json(
    request: HttpRequest, page: Any, status_code: int, detail: Any, *exception: Exception
) -> HttpResponse:
    if _wants_page(request):
        response: HttpResponse = page(request, *exception)
        return response
    return JsonResponse({"detail": str(detail), "errors": {}}, status=status_code)


def _wants_page(request: HttpRequest) -> bool:
    wants_html = request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    return wants_html and not request.path_info.startswith("/api/")
