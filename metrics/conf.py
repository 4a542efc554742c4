"""The settings that this app reads, with their defaults, looked up when they are needed and never at import.

They are a project's: this one makes them from the environment, another one may set any of them in its settings.py, as
text or as what the text is parsed to, or none.
"""

import ipaddress
import socket
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from metrics.access.addresses import parse_networks
from metrics.collectors.exclusions import DEFAULTS, NOTHING, parse_patterns

# What a setting SYSMON_EXCLUDE_… leaves out, in small letters.
EXCLUDABLE = tuple(DEFAULTS)
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def interval_seconds() -> int:
    """Whole seconds between two ticks."""
    return int(getattr(settings, "SYSMON_INTERVAL", 5))


def max_points() -> int:
    """Raw points kept for each family and host."""
    return int(getattr(settings, "SYSMON_MAX_POINTS", 3600))


def host_name() -> str:
    """The name under which this machine's samples are stored."""
    return str(getattr(settings, "SYSMON_HOSTNAME", "") or socket.gethostname())


def forward_destinations() -> tuple[Any, ...]:
    """Where ticks are forwarded to: a `metrics.forwarding.destinations.Destination` each."""
    given = getattr(settings, "SYSMON_FORWARD_URL", "")
    if not isinstance(given, str):
        return tuple(given)
    # Here, because whoever forwards nothing is spared it.
    from metrics.forwarding.destinations import parse_destinations

    return tuple(parse_destinations(given)) if given else ()


def keeps_tick_readings() -> bool:
    """Whether a destination wants the counters of every tick, which no sample holds."""
    return any(destination.needs_readings for destination in forward_destinations())


def stale_after_seconds(resolution: int) -> int:
    """The age at which the newest tick says that nothing is being recorded: three intervals and five seconds."""
    return 3 * resolution + 5


def excluded(what: str) -> str:
    """The shell patterns of what is not stored of `interfaces`, `mounts` or `disks`, joined by commas; `none` for none.
    Raises ValueError for one that cannot be used."""
    given = getattr(settings, f"SYSMON_EXCLUDE_{what.upper()}", DEFAULTS[what])
    text = given if isinstance(given, str) else ",".join(given)
    return ",".join(parse_patterns(what, text or NOTHING)) or NOTHING


def commands() -> str:
    """What is stored of command lines: `safe`, `masked` or `names`."""
    return str(getattr(settings, "SYSMON_COMMANDS", "masked"))


# Storage -----------------------------------------------------------------------------------------------------------


def base_directory() -> Path:
    """Where relative paths count from."""
    return Path(getattr(settings, "BASE_DIR", "."))


def data_directory() -> Path:
    """Where what is no sample is kept: locks, and what the rate limits have counted. Made where it is missing."""
    directory = Path(getattr(settings, "SYSMON_DATA_DIR", "") or base_directory() / "data")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def attempts_file() -> Path:
    """What the rate limits have counted: a file of its own, which may be lost."""
    given = getattr(settings, "ATTEMPTS_FILE", "")
    return Path(given) if given else data_directory() / "attempts.sqlite3"


def redis_url() -> str:
    """The server for counters and for the queue; empty for none."""
    return str(getattr(settings, "REDIS_URL", ""))


# Access ------------------------------------------------------------------------------------------------------------


def api_access() -> str:
    """Who may read: `auto`, `public` or `authenticated`."""
    return str(getattr(settings, "SYSMON_API_ACCESS", "auto"))


def rate(name: str) -> str | None:
    """How often somebody may ask, as `5/min`, by the last word of the setting (ANON, USER or LOGIN); None: no limit."""
    return getattr(settings, f"SYSMON_RATE_{name}", "5/min" if name == "LOGIN" else "") or None


def cors_origins() -> Sequence[str]:
    """Other sites whose pages may call the API; django-cors-headers' setting, which a project need not have."""
    return tuple(getattr(settings, "CORS_ALLOWED_ORIGINS", ()))


def trusted_proxies() -> Networks:
    """The networks whose word counts about where a request came from."""
    given = getattr(settings, "SYSMON_TRUSTED_PROXIES", "")
    return _networks(given if isinstance(given, str) else ",".join(map(str, given)))


@lru_cache(maxsize=8)
def _networks(text: str) -> Networks:
    return tuple(parse_networks(text))


def has_https() -> bool:
    """Whether TLS is in front."""
    return bool(getattr(settings, "SYSMON_HTTPS", False))


def url_prefix() -> str:
    """The path below which a proxy publishes the program, such as `/sysmon`; empty for none."""
    return str(getattr(settings, "SYSMON_URL_PREFIX", ""))


def is_behind_proxy() -> bool:
    """Whether a setting says that a proxy is in front."""
    return has_https() or bool(url_prefix()) or bool(trusted_proxies())


# The web server of `up` ----------------------------------------------------------------------------------------------


def bind_address() -> str:
    """Where the web server listens."""
    return str(getattr(settings, "SYSMON_HOST", "127.0.0.1"))


def port() -> int:
    """The port of the web server."""
    return int(getattr(settings, "SYSMON_PORT", 8000))


def web_processes() -> int:
    """Processes of the web server."""
    return int(getattr(settings, "SYSMON_WEB_PROCESSES", 1))


def is_secret_key_generated() -> bool:
    """Whether the secret key is this machine's own."""
    return bool(getattr(settings, "IS_SECRET_KEY_GENERATED", False))
