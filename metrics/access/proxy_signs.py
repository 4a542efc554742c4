"""What shows that a proxy stands between the sender of a request and this program.

No single sign is enough: nginx with nothing but `proxy_pass` adds no header and names the upstream as the host; it
speaks HTTP/1.0 up to version 1.29.6, and HTTP/1.1 since. What is left is what a browser says of itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from metrics import conf
from metrics.access.addresses import is_loopback

Meta = Mapping[str, Any]

# Clients have spoken HTTP/1.1 for decades; what some proxies speak to what is behind them is older.
NEW_ENOUGH = re.compile(r"HTTP/(?:1\.[1-9]|[2-9])")

# Headers that proxies, load balancers, tunnels and content networks add, and that no client sends by itself. `Proxy`
# alone is none: web servers hand on the variable HTTP_PROXY of their own environment under that name.
ADDED = re.compile(
    "HTTP_(?:"
    + "|".join(
        (
            # Where the request came from, and by which way.
            *(r".*FORWARD.*", r"(?:.+_)?VIA(?:_.+)?", r".+_PROX(?:Y|IED)(?:_.+)?", r"PROX(?:Y|IED)_.+"),
            r".*(?:CLIENT|REAL|REMOTE|CONNECTING|SOURCE|PEER|USER|ORIGINATING)_?(?:IP|ADDR|ADDRESS|PORT|HOST)(?:_.+)?",
            *(r"(?:X_)?REMOTE_.+", r"X_ORIGINAL_.+", r"X_REWRITE_.+", r"X_HOST", r"X_FRONTEND_.+"),
            # That it came by TLS, and with which certificate.
            *(r"(?:X_)?(?:URL_)?SCHEME", r"X_HTTPS?", r"FRONT_END_HTTPS", r"X_SSL.*", r"SSL_.+", r"X_TLS_.+"),
            *(r"(?:X_)?CLIENT_(?:CERT|VERIFY|DN|S_DN|SUBJECT|SSL|TLS).*", r"EARLY_DATA"),
            # Who it is that has signed in there.
            *(r"X_AUTH_REQUEST_.+", r"X_AUTHENTIK_.+", r"X_WEBAUTH_.+", r"TAILSCALE_.+"),
            # What a request is followed by through several servers.
            *(r"X_REQUEST_(?:ID|START)", r"X_CORRELATION_ID", r"X_CLOUD_TRACE_CONTEXT", r"X_UNIQUE_ID"),
            # What makers put in.
            *(r"CF_.+", r"CDN_.+", r"X_CDN.*", r"FASTLY_.+", r"(?:X_)?AKAMAI_.+", r"INCAP_.+", r"FLY_.+", r"ALI_.+"),
            *(r"X_AMZN?_.+", r"X_AZURE_.+", r"X_ARR_.+", r"X_GOOG_.+", r"X_GFE_.+", r"X_APPENGINE_.+", r"X_VERCEL_.+"),
            *(r"X_ENVOY_.+", r"X_VARNISH.*", r"X_NGINX.*", r"X_HAPROXY.*", r"X_TRAEFIK.*", r"X_ACCEL_.+"),
            *(r"X_LITESPEED_.+", r"SURROGATE_.+"),
        )
    )
    + ")"
)

OWN_PAGE, OWN_SITE, UNSAID = "same-origin", "same-site", ""


def shows_proxy(meta: Meta) -> bool:
    """Whether this request has come through a proxy, as far as can be seen; `meta` is what WSGI says of it."""
    if not NEW_ENOUGH.match(meta.get("SERVER_PROTOCOL", "")):
        return True
    if any(name.startswith("HTTP_") and ADDED.fullmatch(name) for name in meta):
        return True
    asked_by = meta.get("HTTP_SEC_FETCH_SITE", UNSAID)
    if asked_by == UNSAID:
        # Over plain HTTP a browser says so of this machine only; an old one never does.
        return any(page not in conf.cors_origins() for page in _pages_elsewhere(meta))
    return asked_by in {OWN_PAGE, OWN_SITE} and any(_pages_elsewhere(meta))


def proves_proxy(meta: Meta) -> bool:
    """Whether a browser says that the page of this program that it shows comes from another machine.

    No web site can make a browser say so of a request to this machine: it sets Sec-Fetch-Site, Origin and the origin
    of Referer by itself. A program on this machine can, and thereby have all others sign in.
    """
    return meta.get("HTTP_SEC_FETCH_SITE") == OWN_PAGE and any(_pages_elsewhere(meta))


def _pages_elsewhere(meta: Meta) -> Iterator[str]:
    """The origins that a request names, but for those of this machine."""
    for text in (meta.get("HTTP_ORIGIN", ""), meta.get("HTTP_REFERER", "")):
        try:
            parts = urlsplit(text)
            host = parts.hostname
        except ValueError:
            continue
        if host and parts.scheme in {"http", "https"} and not is_loopback(host):
            yield f"{parts.scheme}://{parts.netloc}"
