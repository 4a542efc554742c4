"""What `up` does for the web server before it is forked."""

import pytest

from metrics.history import freshness
from metrics.supervision.web import answer_once


@pytest.mark.parametrize("hosts", [["127.0.0.1"], ["*"], [".example.com"], ["[::1]"]])
@pytest.mark.parametrize("https", [False, True])
def test_a_request_is_answered_whatever_hosts_are_let_in_and_behind_tls(db, settings, caplog, hosts, https):
    settings.ALLOWED_HOSTS, settings.SYSMON_HTTPS, settings.SECURE_SSL_REDIRECT = hosts, https, https
    assert answer_once().startswith(("200", "503"))
    assert not caplog.records


def test_it_leaves_no_connection_behind_that_a_fork_would_share(db, monkeypatch):
    watch = freshness.CommitWatch()
    monkeypatch.setattr(freshness, "_watch", watch)
    answer_once()
    assert watch._own is None
