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
class Carrier:
    """A package that ships a file, where it lies in there, and the SHA-256 of the one that was looked at."""

    package: str
    path: str
    sha256: str

    def find(self) -> Path | None:
        """Where it lies; None where the package or the file is not there. The package is not imported."""
        spec = find_spec(self.package)
        folders = spec.submodule_search_locations if spec else None
        files = (Path(folder) / self.path for folder in folders or ())
        return next((file for file in files if file.is_file()), None)

    def is_genuine(self, file: Path) -> bool:
        """Whether a file is the one that was looked at."""
        return sha256_of(file) == self.sha256


@dataclass(frozen=True, slots=True)
class VendoredFile:
    """The name under which a file is published, and the packages that ship it, the preferred one first."""

    name: str
    carriers: tuple[Carrier, ...]

    def find(self) -> Path | None:
        """The file of the first carrier that has the genuine one; None where none has."""
        found = ((carrier, carrier.find()) for carrier in self.carriers)
        return next((file for carrier, file in found if file and carrier.is_genuine(file)), None)


# uPlot by Leon Sorokin (MIT). youplot carries 1.6.31, the same bytes as in npm's package. It is young, so there is a
# second one, with 1.6.18, for an index that does not have it any more: docs/decisions.md.
FALLBACK, FALLBACK_FOLDER = "metaflow_extensions", "card_uplot/plugins/cards/uplot/uplot"
VENDORED = (
    VendoredFile(
        "uplot/uPlot.iife.min.js",
        (
            Carrier(
                "youplot",
                "vendor/uplot.iife.min.js",
                "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
            ),
            Carrier(
                FALLBACK,
                f"{FALLBACK_FOLDER}/uPlot.iife.min.js",
                "addc030d2f1268dbee42ef31f7173b624b87443277163b04651490705dce7397",
            ),
        ),
    ),
    VendoredFile(
        "uplot/uPlot.min.css",
        (
            Carrier(
                "youplot", "vendor/uplot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"
            ),
            Carrier(
                FALLBACK,
                f"{FALLBACK_FOLDER}/uPlot.min.css",
                "37d952f00df006ceab033267e05f050cedd8d6906467cc86525dee795dcfa6a9",
            ),
        ),
    ),
)


@cache
def sha256_of(file: Path) -> str:
    """The checksum of a file, in hexadecimal digits; read once a process."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


class VendoredFinder(BaseFinder):
    """Finds the files of VENDORED, and no other file of their packages."""

    files: tuple[VendoredFile, ...] = VENDORED

    def check(self, **_kwargs: Any) -> list[CheckMessage]:
        """An error for each file that is missing or altered."""
        return [error for file in self.files if (error := _error_about(file))]

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
            if real := file.find():
                yield file, real


class OneFileStorage(FileSystemStorage):
    """A storage with one file, whatever it is called."""

    prefix = ""

    def __init__(self, file: Path) -> None:
        super().__init__(location=file.parent)
        self.file = file

    def path(self, _name: str) -> str:
        return str(self.file)


def _error_about(file: VendoredFile) -> Error | None:
    if file.find():
        return None
    altered = [str(real) for carrier in file.carriers if (real := carrier.find())]
    if altered:
        return Error(
            f"{altered[0]} is not the file that sysmon was made with, so it is not published.",
            hint="Install the version of the package that requirements.txt pins.",
            id="metrics.E002",
        )
    preferred = file.carriers[0]
    return Error(
        f"{preferred.package} does not provide {preferred.path}, without which the page draws no charts.",
        hint="Install what requirements.txt lists.",
        id="metrics.E001",
    )
