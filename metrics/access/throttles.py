"""How often an address, or a user, may ask: the rates of the settings, counted over all processes of the web server."""

from threading import local
from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from typing_extensions import override

from metrics import conf
from metrics.access.permissions import is_signed_in
from metrics.access.proxies import sender_of
from metrics.access.rate_limiter import RateLimiter

if TYPE_CHECKING:  # REST framework's views import the throttles that the settings name
    from rest_framework.views import APIView

    from metrics.access.redis_rate_limiter import RedisRateLimiter

_of_thread = local()


def attempts() -> "RateLimiter | RedisRateLimiter":
    """The memory that the settings say, as this thread uses it."""
    file, redis_url = conf.attempts_file(), conf.redis_url()
    known: dict[str, Any] = _of_thread.__dict__
    place = f"{redis_url} {file}"
    if place not in known:
        known[place] = _in_redis(RateLimiter(file)) if redis_url else RateLimiter(file)
    found: RateLimiter | RedisRateLimiter = known[place]
    return found


def _in_redis(stand_in: RateLimiter) -> "RedisRateLimiter":
    """Imported when it is needed: Redis' client takes eight megabytes."""
    from metrics.access.redis_rate_limiter import RedisRateLimiter

    return RedisRateLimiter(stand_in)


class RateThrottle(SimpleRateThrottle):
    """A rate that a setting gives (`SYSMON_RATE_…`), looked up at each request; empty is no limit."""

    setting: ClassVar[str]
    num_requests: int
    duration: int

    @override
    def get_rate(self) -> str | None:
        return conf.rate(self.setting)

    @override
    def allow_request(self, request: Request, view: "APIView") -> bool:
        request._request.was_counted = True  # type: ignore[attr-defined]
        subject = self.get_cache_key(request, view) if self.rate else None
        if subject is None:
            return True
        self._wait = attempts().acquire(self._name(subject), self.num_requests, self.duration)
        return self._wait == 0

    @override
    def get_ident(self, request: Request) -> str:
        return sender_of(request.META)

    def _name(self, subject: str) -> str:
        return f"{self.scope} {self.rate} {subject}"

    @override
    def wait(self) -> float:
        return self._wait


class AddressThrottle(RateThrottle):
    """Requests of an address whose sender has not signed in."""

    scope = "address"
    setting = "ANON"

    @override
    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        return None if is_signed_in(request) else self.get_ident(request)


class UserThrottle(RateThrottle):
    """Requests of a user who has signed in, wherever they come from."""

    scope = "user"
    setting = "USER"

    @override
    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        return str(request.user.pk) if is_signed_in(request) else None


class SignInThrottle(RateThrottle):
    """Attempts of an address to sign in; those of somebody who has signed in already count as well."""

    scope = "sign-in"
    setting = "LOGIN"

    @override
    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        return self.get_ident(request)


class Guesses(RateThrottle):
    """Credentials that were wrong, sent with requests to the API: after too many of an address none of it is looked at
    for a while, as with passwords."""

    scope = "guess"
    setting = "ANON"

    def check(self, request: Request) -> None:
        """Throttled where the address of a request has guessed too often; counts nothing."""
        if self.rate and (wait := attempts().wait(self._subject(request), self.num_requests, self.duration)):
            raise Throttled(wait)

    def count(self, request: Request) -> None:
        """Count a wrong guess."""
        if self.rate:
            attempts().acquire(self._subject(request), self.num_requests, self.duration)

    def _subject(self, request: Request) -> str:
        return self._name(self.get_ident(request))


def count_refused(request: Request, view: "APIView") -> float:
    """Count a request that was refused before its view came to count it, and return 0; or, where there were too many,
    after how many seconds there is room for one."""
    if getattr(request._request, "was_counted", False):
        return 0
    refusing = (throttle for throttle in view.get_throttles() if not throttle.allow_request(request, view))
    return max((throttle.wait() or 0 for throttle in refusing), default=0)
