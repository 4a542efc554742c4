"""Ask the public list of vulnerabilities about every pinned package; `make check` runs this.

A list that does not answer, or does not know the packages, is said plainly and is no failure: a check has to work
offline too. A vulnerability is one.
"""

import json
import subprocess
import sys
from typing import Any

from tests.source import ROOT

FILES = ("requirements.txt", "requirements-dev.txt")
SECONDS = 120


def asked(file: str) -> str:
    """What pip-audit says in JSON; nothing where it had no answer."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(ROOT / file), "--no-deps", "--disable-pip"]
    options = ["--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def verdict(file: str, answer: str) -> tuple[bool, list[str]]:
    """Whether nothing bad was found, and the lines that say what was."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except ValueError:
        return True, [f"{file}: NOT AUDITED, the list of vulnerabilities does not answer"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    lines = [
        f"{file}: {package['name']} {package['version']}: {found['id']}, fixed in {', '.join(found['fix_versions'])}"
        for package in packages
        for found in package.get("vulns", [])
    ]
    audited = f"{file}: {len(packages) - len(unknown)} of {len(packages)} packages audited"
    not_known = f"; NOT AUDITED, not in the list: {', '.join(unknown)}" if unknown else ""
    return not lines, [*lines, audited + not_known]


def main() -> None:
    """Say it, and exit with 1 where a package is vulnerable."""
    verdicts = [verdict(file, asked(file)) for file in FILES]
    for _is_good, lines in verdicts:
        print(*lines, sep="\n")
    sys.exit(not all(is_good for is_good, _lines in verdicts))


if __name__ == "__main__":
    main()
