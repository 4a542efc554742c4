"""What `make check` says about vulnerable packages, without asking anybody."""

import json

from tests.audit import verdict

GOOD = {"name": "django", "version": "5.2.19", "vulns": []}
BAD = {"name": "pyyaml", "version": "5.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.4"]}]}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}


def verdict_on(*packages):
    return verdict("requirements.txt", json.dumps({"dependencies": packages}))


def test_packages_without_a_vulnerability_are_good():
    assert verdict_on(GOOD) == (True, ["requirements.txt: 1 of 1 packages audited"])


def test_a_vulnerability_fails_and_says_what_helps():
    is_good, lines = verdict_on(GOOD, BAD)
    assert not is_good
    assert lines[0] == "requirements.txt: pyyaml 5.1: PYSEC-1, fixed in 5.4"


def test_what_was_not_audited_is_said_and_does_not_fail():
    is_good, lines = verdict_on(GOOD, UNKNOWN)
    assert is_good
    assert lines == ["requirements.txt: 1 of 2 packages audited; NOT AUDITED, not in the list: ours"]


def test_a_list_that_does_not_answer_is_said_and_does_not_fail():
    for answer in ("", "Traceback", "<html>"):
        is_good, lines = verdict("requirements.txt", answer)
        assert is_good
        assert "NOT AUDITED" in lines[0]
