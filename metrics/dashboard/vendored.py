"""Files of installed packages that are published as static files: uPlot, which draws the charts.

No file of another project lies in the repository, and no package is published as a whole: a few files are, each with
the checksum of the one that was looked at. What differs, or is missing, is not published and fails `manage.py check`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage


@dataclass(frozen=True, slots=True)
class VendoredFile:
    """A file of a package, the name under which it is published, and its SHA-256."""

    name: str
    package: str
    path: str
    sha256: str

    def find(self) -> Path | None:
        """Where it lies; None where the package or the file is not there. The package is not imported."""
        spec = find_spec(self.package)
        folders = spec.submodule_search_locations if spec else None
        file = Path(next(iter(folders))) / self.path if folders else None
        return file if file and file.is_file() else None


# uPlot 1.6.31 by Leon Sorokin (MIT), the same bytes as in npm's package; youplot is the carrier of the two files.
VENDORED = (
    VendoredFile(
        "uplot/uPlot.iife.min.js",
        "youplot",
        "vendor/uplot.iife.min.js",
        "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
    ),
    VendoredFile(
        "uplot/uPlot.min.css",
        "youplot",
        "vendor/uplot.min.css",
        "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    ),
)


@cache
def is_genuine(path: Path, sha256: str) -> bool:
    """Whether a file is the one that was looked at; asked once a process."""
    return hashlib.sha256(path.read_bytes()).hexdigest() == sha256


class VendoredFinder(BaseFinder):
    """Finds the files of VENDORED, and no other file of their packages."""

    files: tuple[VendoredFile, ...] = VENDORED

    def check(self, **_kwargs: Any) -> list[CheckMessage]:
        """An error for each file that is missing or altered."""
        return [error for file in self.files if (error := _complaint(file))]

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        """The file published under this name."""
        found = [str(real) for file, real in self._genuine() if file.name == path]
        return found if find_all else next(iter(found), [])

    def list(self, _ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        """Every file by its name, each with a storage that holds nothing else."""
        for file, real in self._genuine():
            yield file.name, OneFileStorage(real)

    def _genuine(self) -> Iterator[tuple[VendoredFile, Path]]:
        for file in self.files:
            real = file.find()
            if real is not None and is_genuine(real, file.sha256):
                yield file, real


class OneFileStorage(FileSystemStorage):
    """A storage with one file, whatever it is called."""

    prefix = ""

    def __init__(self, file: Path) -> None:
        super().__init__(location=file.parent)
        self.file = file

    def path(self, _name: str) -> str:
        return str(self.file)


def _complaint(file: VendoredFile) -> Error | None:
    real = file.find()
    if real is None:
        return Error(
            f"{file.package} does not provide {file.path}, without which the page draws no charts.",
            hint="Install what requirements.txt lists.",
            id="metrics.E001",
        )
    if not is_genuine(real, file.sha256):
        return Error(
            f"{real} is not the file that sysmon was made with, so it is not published.",
            hint="Install the version of the package that requirements.txt pins.",
            id="metrics.E002",
        )
    return None
