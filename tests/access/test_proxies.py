"""Whose word counts about where a request came from."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from metrics.access.addresses import parse_networks
from metrics.access.proxies import TrustedProxyMiddleware, sender_of


def meta_after(sender, **headers):
    seen = {}

    def respond(request):
        seen.update(request.META)
        return HttpResponse()

    TrustedProxyMiddleware(respond)(RequestFactory().get("/", REMOTE_ADDR=sender, headers=headers))
    return seen


def test_a_trusted_proxy_is_believed(settings):
    settings.SYSMON_TRUSTED_PROXIES = parse_networks("10.0.0.0/8")
    meta = meta_after("10.1.2.3", x_forwarded_proto="https", x_forwarded_for="192.0.2.7")
    assert (meta["HTTP_X_FORWARDED_PROTO"], meta["HTTP_X_FORWARDED_FOR"]) == ("https", "192.0.2.7")


@pytest.mark.parametrize("sender", ["192.0.2.1", "", "not an address", "::1"])
def test_others_are_not_believed_but_their_headers_stay(settings, sender):
    settings.SYSMON_TRUSTED_PROXIES = parse_networks("10.0.0.0/8")
    meta = meta_after(sender, x_forwarded_proto="https", x_forwarded_for="127.0.0.1")
    assert (meta["HTTP_X_FORWARDED_PROTO"], meta["HTTP_X_FORWARDED_FOR"]) == ("http", sender)


def test_a_request_without_such_headers_gets_none(settings):
    settings.SYSMON_TRUSTED_PROXIES = []
    assert not any(name.startswith("HTTP_X_FORWARDED") for name in meta_after("192.0.2.1"))


def test_behind_tls_a_trusted_proxy_is_not_redirected_for_ever(db, client, settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SYSMON_TRUSTED_PROXIES = parse_networks("127.0.0.1")
    headers = {"host": "localhost", "x-forwarded-proto": "https"}
    assert client.get("/admin/login/", headers=headers).status_code != 301
    settings.SYSMON_TRUSTED_PROXIES = []
    assert client.get("/admin/login/", headers=headers).status_code == 301


@pytest.mark.parametrize("text", ["10.0.0.1,192.168.0.0/16", "", " ::1 , 10.0.0.1/8 "])
def test_addresses_and_networks_are_read(text):
    assert len(parse_networks(text)) == len([part for part in text.split(",") if part.strip()])


@pytest.mark.parametrize("text", ["proxy.example.org", "10.0.0.0/33", "10.0.0.1;10.0.0.2"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="addresses or networks"):
        parse_networks(text)


@pytest.mark.parametrize(
    ("address", "forwarded", "sender"),
    [
        ("192.0.2.1", None, "192.0.2.1/32"),
        ("2001:db8::1", None, "2001:db8::/64"),
        ("2001:db8::2", None, "2001:db8::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1/32"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1/32"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7/32"),
        ("10.0.0.1", "6.6.6.6, 2001:db8::3", "2001:db8::/64"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7/32"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("10.0.0.1", "x" * 100, "x" * 64),
        ("", None, ""),
    ],
)
def test_who_counts_as_one_sender(settings, address, forwarded, sender):
    settings.SYSMON_TRUSTED_PROXIES = parse_networks("10.0.0.1")
    environ = {"REMOTE_ADDR": address} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    assert sender_of(environ) == sender
