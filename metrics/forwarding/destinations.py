"""Where ticks are forwarded to: SYSMON_FORWARD_URL, read once at the start. Secrets show in no name and no message."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

MAX_DESTINATIONS = 8
MAX_NAME = 255


class Format(StrEnum):
    """In which format a destination takes points."""

    LINE_PROTOCOL = "line protocol"
    REMOTE_WRITE = "remote write"


@dataclass(frozen=True, slots=True)
class Destination:
    """One address that takes points. `name` is what people see of it.

    `database` is one of InfluxDB 1; where it is missing it is made by a request to `create_address`.
    """

    name: str
    format: Format
    address: str = field(repr=False)
    authorization: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    database: str = ""
    create_address: str = field(default="", repr=False)

    @property
    def needs_readings(self) -> bool:
        """Whether it takes counters, which the samples do not hold: the raw readings of each tick are kept for it."""
        return self.format == Format.REMOTE_WRITE

    def without_secrets(self, text: str) -> str:
        """A text of the far side, in which it may have repeated what it was sent."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return text


def parse_destinations(text: str) -> tuple[Destination, ...]:
    """Read URLs joined by commas or blanks. A ValueError says what is wrong with which of them, and repeats none."""
    urls = re.split(r"[,\s]+", text.strip()) if text.strip() else []
    if len(urls) > MAX_DESTINATIONS:
        raise ValueError(f"{len(urls)} destinations are more than {MAX_DESTINATIONS}")
    found: dict[str, Destination] = {}
    for number, url in enumerate(filter(None, urls), start=1):
        try:
            destination = _destination(url)
        except ValueError as error:
            raise ValueError(f"destination {number} {error}") from None
        if destination.name in found:
            raise ValueError(f"destination {number} is there twice")
        found[destination.name] = destination
    return tuple(found.values())


def _destination(url: str) -> Destination:
    if "#" in url:
        raise ValueError("has a # in it: write %23")
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if not parts.hostname:
        raise ValueError("names no host")
    make, transport = SCHEMES[parts.scheme]
    destination = make(parts, transport, _parameters(parts))
    if len(destination.name) > MAX_NAME:
        raise ValueError(f"is longer than {MAX_NAME} characters")
    return destination


def _parameters(parts: SplitResult) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if len(dict(pairs)) < len(pairs):
        raise ValueError("has a parameter twice")
    return dict(pairs)


def _influx(parts: SplitResult, transport: str, parameters: dict[str, str]) -> Destination:
    """InfluxDB 2's write address where a bucket is named, InfluxDB 1's otherwise."""
    if parameters.keys() - {"db", "rp", "org", "bucket", "token"}:
        raise ValueError("has a parameter that is none of db, rp, org, bucket, token")
    return (_influx_2 if "bucket" in parameters else _influx_1)(parts, transport, parameters)


def _influx_1(parts: SplitResult, transport: str, parameters: dict[str, str]) -> Destination:
    folder = parts.path.rstrip("/").removesuffix("/write")
    database = parameters.get("db", "")
    if not database:
        folder, _, last = folder.rpartition("/")
        database = unquote(last) or "sysmon"
    shown: dict[str, str] = {"rp": parameters["rp"]} if "rp" in parameters else {}
    query = {"db": database, **shown, "precision": "s"}
    base = f"{transport}://{_place(parts)}{folder}"
    return Destination(
        _name(parts, f"{folder}/{quote(database, safe='')}", shown),
        Format.LINE_PROTOCOL,
        f"{base}/write?{urlencode(query)}",
        *_authorization(parts, parameters, "Token"),
        database=database,
        create_address=f"{base}/query",
    )


def _influx_2(parts: SplitResult, transport: str, parameters: dict[str, str]) -> Destination:
    folder = parts.path.rstrip("/").removesuffix("/api/v2/write")
    shown: dict[str, str] = {name: parameters[name] for name in ("org", "bucket") if name in parameters}
    address = f"{transport}://{_place(parts)}{folder}/api/v2/write?{urlencode({**shown, 'precision': 's'})}"
    name = _name(parts, folder, shown)
    return Destination(name, Format.LINE_PROTOCOL, address, *_authorization(parts, parameters, "Token"))


def _remote_write(parts: SplitResult, transport: str, parameters: dict[str, str]) -> Destination:
    """Whatever the query holds beside the token is sent along, and may be secret as well: it is not shown."""
    path = parts.path if parts.path not in {"", "/"} else "/api/v1/write"
    authorization, secrets = _authorization(parts, parameters, "Bearer")
    others = {name: value for name, value in parameters.items() if name != "token"}
    address = f"{transport}://{_place(parts)}{path}" + (f"?{urlencode(others)}" if others else "")
    secrets += tuple(filter(None, others.values()))
    return Destination(_name(parts, path, {}), Format.REMOTE_WRITE, address, authorization, secrets)


def _authorization(parts: SplitResult, parameters: Mapping[str, str], word: str) -> tuple[str, tuple[str, ...]]:
    """The header of that name, and what in it is secret."""
    user, password = (unquote(part or "") for part in (parts.username, parts.password))
    token = parameters.get("token") or ("" if user else password)
    if token:
        if not (token.isascii() and token.isprintable()):
            raise ValueError("has a token that is not printable ASCII")
        return f"{word} {token}", (token,)
    if user:
        basic = b64encode(f"{user}:{password}".encode()).decode()
        return f"Basic {basic}", tuple(filter(None, (basic, password)))
    return "", ()


def _place(parts: SplitResult) -> str:
    """Host and port without who asks."""
    return parts.netloc.rpartition("@")[2]


def _name(parts: SplitResult, path: str, shown: Mapping[str, str]) -> str:
    return f"{parts.scheme}://{_place(parts)}{path}" + (f"?{urlencode(shown)}" if shown else "")


_Maker = Callable[[SplitResult, str, dict[str, str]], Destination]
SCHEMES: dict[str, tuple[_Maker, str]] = {
    "influx": (_influx, "http"),
    "influx+http": (_influx, "http"),
    "influx+https": (_influx, "https"),
    "remote-write": (_remote_write, "http"),
    "remote-write+http": (_remote_write, "http"),
    "remote-write+https": (_remote_write, "https"),
    "prom+http": (_remote_write, "http"),
    "prom+https": (_remote_write, "https"),
}
