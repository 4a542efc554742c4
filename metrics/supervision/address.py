"""The address that the web server listens on: is it free, does it answer, what is it called."""

import errno
import http.client
import ipaddress
import socket

from metrics import conf

ANSWER_TIMEOUT_SECONDS = 2.0


class AddressTaken(Exception):
    """The web server cannot listen there; the text is for the user."""


def url() -> str:
    """What the user opens in a browser."""
    host = _reachable_host()
    scheme = "https" if conf.has_https() else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{conf.port()}{conf.url_prefix()}/"


def check_is_free() -> None:
    """Raise AddressTaken where the server could not listen."""
    host, port = conf.bind_address(), conf.port()
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise AddressTaken(
            f"cannot listen on {host} port {port} (SYSMON_HOST, SYSMON_PORT): {_reason(error)}"
        ) from None


def answers() -> bool:
    """Whether something speaks HTTP there, whatever it says."""
    connection = http.client.HTTPConnection(_reachable_host(), conf.port(), timeout=ANSWER_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/api/v1/health")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _reachable_host() -> str:
    """The address to connect to: a wildcard is every address, loopback among them."""
    host = conf.bind_address().strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return host


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program uses this port; set SYSMON_PORT to another one"
    if error.errno == errno.EACCES:
        return "this user may not; ports below 1024 are the administrator's"
    return error.strerror or str(error)
