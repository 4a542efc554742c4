"""The scripts fit together: their types, which stand in comments, are checked."""

import subprocess
from pathlib import Path

from tests.skips import needs

ROOT = Path(__file__).resolve().parents[2]


def check(settings):
    """What TypeScript's compiler says of the scripts that a file of settings names."""
    done = subprocess.run([needs("tsc"), "-p", str(settings)], capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_scripts_are_what_they_say_that_they_are():
    assert check(ROOT / "jsconfig.json") == ""


def test_a_wrong_type_is_found(tmp_path):
    script = tmp_path / "wrong.js"
    script.write_text(
        "/** @param {number} seconds */\nexport const twice = (seconds) => 2 * seconds;\ntwice('a minute');\n"
    )
    settings = (ROOT / "jsconfig.json").read_text()
    (tmp_path / "jsconfig.json").write_text(settings.replace("metrics/static/metrics/js/*.js", "*.js"))
    assert "wrong.js(3,7): error TS2345" in check(tmp_path / "jsconfig.json")
