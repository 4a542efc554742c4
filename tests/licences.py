"""The licences of what is installed with sysmon: `make licences` writes docs/licences.md, `make check` compares it."""

import json
import re
import subprocess
import sys

from tests.source import ROOT

PAGE = ROOT / "docs/licences.md"
# What a page without a row begins its table with.
START = "| package | version | licence |\n| --- | --- | --- |\n"


def required() -> dict[str, str]:
    """The packages of requirements.txt, with their versions."""
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))


def rows() -> dict[str, str]:
    """A row of the table for each required package that this platform needs, in the order of requirements.txt."""
    command = [sys.executable, "-m", "piplicenses", "--format", "json", "--from", "mixed", "--packages", *required()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {normalised(row["Name"]): row for row in json.loads(done.stdout)}
    installed = {name: found[normalised(name)] for name in required() if normalised(name) in found}
    return {name: f"| `{name}` | {row['Version']} | {row['License']} |\n" for name, row in installed.items()}


def normalised(name: str) -> str:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def page_with(page: str, table: dict[str, str]) -> str:
    """The page with these rows; the row of a package that only another platform needs stays while its version does."""
    before, _start, rest = page.partition(START)
    after = re.sub(r"\A(?:\|.*\n)*\n", "", rest)
    old = dict(re.findall(r"^\| `([\w.-]+)` \| ([\w.]+ \| .*)$", rest, re.MULTILINE))
    kept = {
        name: f"| `{name}` | {old[name]}\n"
        for name, version in required().items()
        if name not in table and old.get(name, "").startswith(f"{version} ")
    }
    known = table | kept
    lines = (known[name] for name in required() if name in known)
    return f"{before}{START}{''.join(lines)}\n{after}"


def main(*arguments: str) -> None:
    """Write the page; with `--check` only say whether it would change, and exit with 1 where it would."""
    page = PAGE.read_text("utf-8")
    made = page_with(page, rows())
    if "--check" not in arguments:
        PAGE.write_text(made, "utf-8")
    elif made != page:
        sys.exit("docs/licences.md is not what is installed: run `make licences`, and read what has changed")


if __name__ == "__main__":
    main(*sys.argv[1:])
