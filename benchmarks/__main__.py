"""`python -m benchmarks [GROUP …]`: every group of figures in a process of its own, and one table of all."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure, show

# The variables that a benchmark takes over from whoever starts it.
KEPT = {"SYSMON_HOSTNAME", "SYSMON_BENCH_ROUNDS", "SYSMON_BENCH_YARDSTICK"}
ROOT = Path(__file__).resolve().parent.parent
ON_THE_YEAR = ("size", "queries", "ticks", "rollup", "scale")
# On data directories of their own.
AGAINST_THE_YARDSTICK = ("throughput", "watching", "endurance", "start")
GROUPS = (*ON_THE_YEAR, "growth", "decade", "page", *AGAINST_THE_YARDSTICK)
# Few raw points: they are only there at the end, and would be taken for growth.
SHORT_SPANS = {"SYSMON_TIERS": "1m=2d,5m=2d,15m=8d,1h=8d,6h=8d,1d=8d", "SYSMON_MAX_POINTS": "15"}
TEN_YEARS = {"SYSMON_TIERS": "15m=10y,1h=10y,6h=10y"}


def main(wanted: list[str]) -> int:
    """Prepare the files, measure, show."""
    if unknown := set(wanted) - set(GROUPS):
        sys.exit(f"{', '.join(sorted(unknown))}: there are {', '.join(GROUPS)}")
    # In their own order, however they were named: some write into the year, and its size is that before.
    groups = [group for group in GROUPS if group in wanted or not wanted]
    with tempfile.TemporaryDirectory(prefix="sysmon-bench-") as directory:
        figures = [figure for group in groups for figure in measure(group, Path(directory))]
    return 0 if show(figures) else 1


def measure(group: str, directory: Path) -> Iterator[Figure]:
    """Run one group on its own file."""
    sys.stderr.write(f"{group} …\n")
    if group == "growth":
        environment = variables(directory / "growth", **SHORT_SPANS)
    elif group == "decade":
        shutil.copytree(year_old(directory), directory / "decade")
        environment = variables(directory / "decade", **TEN_YEARS)
    else:
        environment = variables(year_old(directory) if group in ON_THE_YEAR else directory)
    command = [sys.executable, "-m", f"benchmarks.{group}"]
    output = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return (Figure(**json.loads(line)) for line in output.splitlines())


def year_old(directory: Path) -> Path:
    """A data directory with a year in it: simulated, or a copy of the one that SYSMON_BENCH_YEAR names."""
    year = directory / "year"
    if year.exists():
        return year
    year.mkdir(mode=0o700)
    if given := os.environ.get("SYSMON_BENCH_YEAR"):
        copy_database(Path(given), year)
        return year
    command = [sys.executable, "manage.py", "simulate", "--days", "365"]
    subprocess.run(command, cwd=ROOT, env=variables(year), stdout=sys.stderr, check=True)
    return year


def copy_database(source: Path, target: Path) -> None:
    """Copy the file of a data directory page by page, also while it is in use."""
    name = "sysmon.sqlite3"
    with closing(sqlite3.connect(source / name)) as old, closing(sqlite3.connect(target / name)) as new:
        old.backup(new)
    if (key := source / "secret_key").exists():
        shutil.copy2(key, target)


def variables(data_directory: Path, **more: str) -> dict[str, str]:
    """The environment without the user's own settings, but for the host's name."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SYSMON_") or k in KEPT}
    return {**kept, "DATABASE_URL": "", "SYSMON_DATA_DIR": str(data_directory), **more}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
