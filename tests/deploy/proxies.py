"""Real reverse proxies in front of a real `up`: with as little configuration as they take, and as the page says."""

import http.client
import json
import re
import socket
import ssl
import subprocess
from collections.abc import Mapping
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.programs import Program
from tests.skips import needs
from tests.source import ROOT
from tests.supervision.running import Up

NAME = "sysmon.example.org"
PAGE = ROOT / "docs" / "deploying.md"

# What Debian's own main files hold around a site, with everything in one directory.
NGINX = """
pid {directory}/nginx.pid;
error_log stderr;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {{site}}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s
{{site}}
"""
CADDY = """
{{
    admin off
    default_bind 127.0.0.1
    http_port {other_port}
    https_port {port}
    local_certs
    skip_install_trust
}}
{{site}}
"""
APACHE = """
ServerRoot {directory}
ServerName localhost
PidFile {directory}/apache.pid
ErrorLog {directory}/error.log
Listen 127.0.0.1:{other_port}
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
{{site}}
"""
AROUND = {"nginx": NGINX, "haproxy": HAPROXY, "caddy": CADDY, "apache": APACHE}
PROGRAMS = {"nginx", "haproxy", "caddy", "apache2"}
COMMANDS = {
    "nginx": ("nginx", "-p", "{directory}", "-c", "{directory}/configuration"),
    "haproxy": ("haproxy", "-f", "{directory}/configuration"),
    "caddy": (
        "env",
        "HOME={directory}",
        "XDG_DATA_HOME={directory}",
        "XDG_CONFIG_HOME={directory}",
        "caddy",
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        "{directory}/configuration",
    ),
    "apache": ("apache2", "-DFOREGROUND", "-f", "{directory}/configuration"),
}


class Proxy(Program):
    """One that listens at `port`, and for plain HTTP at `other_port`, where the site uses it."""

    def __init__(self, directory: Path, maker: str, site: str, places: Mapping[str, str]) -> None:
        needs(next(part for part in COMMANDS[maker] if part in PROGRAMS))
        super().__init__(directory, "", *COMMANDS[maker])
        for place, own in {**places, "{port}": str(self.port), "{other_port}": str(self.places["other_port"])}.items():
            site = site.replace(place, own)
        around = AROUND[maker].format(**self.places)
        (directory / "configuration").write_text(around.replace("{site}", site))

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, path: str, form: Mapping[str, str] | None = None, *, tls: bool = False, **headers: str) -> "Answer":
        """What a client on another machine is answered that knows the proxy's name."""
        return ask(self.port, path, form, tls=tls, headers=headers)


class Answer:
    """Status, headers and body."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()
        self.cookies = {
            name: morsel.value
            for line in self.headers.get_all("Set-Cookie", [])
            for name, morsel in SimpleCookie(line).items()
        }

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def ask(
    port: int,
    path: str,
    form: Mapping[str, str] | None = None,
    *,
    tls: bool = False,
    headers: Mapping[str, str] | None = None,
    version: str = "HTTP/1.1",
    sender: str = "127.0.0.1",
) -> Answer:
    """Ask a port of this machine, from one of its addresses; names of headers are sent as they are, in their order."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(sender, 0))
    connection._http_vsn_str = version  # type: ignore[attr-defined]
    connection.connect()
    sent = {"Host": NAME, **(headers or {})}
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection.sock = context.wrap_socket(connection.sock, server_hostname=sent["Host"])
    body = None if form is None else urlencode(form)
    if body is not None:
        # Between the two whatever else is sent: granian takes them out, and so changes the order of the rest.
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent, "Content-Length": str(len(body))}
    connection.putrequest("GET" if body is None else "POST", path, skip_host=True, skip_accept_encoding=True)
    for name, value in sent.items():
        connection.putheader(name, value)
    connection.endheaders(body.encode() if body else None)
    try:
        return Answer(connection.getresponse())
    finally:
        connection.close()


def documented(language: str) -> str:
    """The example of the page that is written in this language."""
    [example] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return example


def documented_settings() -> dict[str, str]:
    """The settings that the page gives for behind a proxy."""
    return dict(line.split("=", 1) for line in documented("ini").splitlines())


def documented_proxy(directory: Path, maker: str, up: Up) -> Proxy:
    """A proxy as the page shows it: nothing but ports and files is another."""
    site = documented(maker)
    places = {"127.0.0.1:8000": f"127.0.0.1:{up.port}", **PLACES[maker], **certificate()}
    used = {place: own for place, own in places.items() if place in site}
    assert f"127.0.0.1:{up.port}" in used.values()
    assert PLACES[maker].keys() <= used.keys()
    return Proxy(directory, maker, site, used)


PLACES = {
    "nginx": {"listen 80;": "listen 127.0.0.1:{other_port};", "listen 443 ssl;": "listen 127.0.0.1:{port} ssl;"},
    "haproxy": {"bind :80\n": "bind 127.0.0.1:{other_port}\n", "bind :443 ": "bind 127.0.0.1:{port} "},
    "caddy": {},
    "apache": {"*:80>": "127.0.0.1:{other_port}>", "*:443>": "127.0.0.1:{port}>"},
}


@cache
def certificate() -> dict[str, str]:
    """Documented files, and those of a certificate of our own in their place."""
    import tempfile

    directory = Path(tempfile.mkdtemp(prefix="sysmon-certificate-"))
    key, pem = directory / "key", directory / "pem"
    subprocess.run(
        [
            *(needs("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(key), "-out", str(pem)),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    both = directory / "both"
    both.write_text(pem.read_text() + key.read_text())
    return {
        "/etc/ssl/certs/sysmon.pem": str(pem),
        "/etc/ssl/private/sysmon.key": str(key),
        "/etc/haproxy/sysmon.pem": str(both),
    }
