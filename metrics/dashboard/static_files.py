"""Static files straight from where the packages keep them: nothing is collected by hand or at the start.

All of them lie below one address that names their state (`/static/3f2a9c1b07d4/…`), so that a browser may keep them
for ever, and the ES modules, which import each other by relative names, need no rewriting. What compresses well is
compressed once, into the data directory, when the server starts for the first time with that state.
"""

import gzip
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

COMPRESSED_TYPES = {".css", ".js", ".json", ".svg"}
# Below this the headers weigh more than what is saved; above it, compressing would delay the start.
SMALLEST_BYTES, LARGEST_BYTES = 1_024, 200_000


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, which serves what the finders find, with files that it may send compressed."""

    def __init__(self, get_response: Any = None) -> None:
        self.compressed_root = Path(settings.SYSMON_DATA_DIR) / "static"
        self.compressed = self.compressed_root / settings.STATIC_URL.strip("/").rpartition("/")[2]
        super().__init__(get_response)  # type: ignore[no-untyped-call]
        self._forget_other_states()

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        """A file that lies compressed in the data directory, where that is worth it."""
        plain: StaticFile = super().get_static_file(path, url, stat_cache=stat_cache)  # type: ignore[no-untyped-call]
        smaller = self._compressed(Path(path), url) if not self.autorefresh else None
        if smaller is None:
            return plain
        headers = [(name, value) for name, value in plain.alternatives[-1][2] if name != "Content-Length"]
        return StaticFile(path, headers, encodings={"gzip": str(smaller)})  # type: ignore[no-untyped-call]

    def _compressed(self, file: Path, url: str) -> Path | None:
        if file.suffix not in COMPRESSED_TYPES or not SMALLEST_BYTES <= file.stat().st_size <= LARGEST_BYTES:
            return None
        target = self.compressed / (url.removeprefix(self.static_prefix) + ".gz")
        if not target.exists() and not _write_compressed(file, target):
            return None
        return target

    def _forget_other_states(self) -> None:
        if self.compressed_root.is_dir():
            for folder in self.compressed_root.iterdir():
                if folder != self.compressed:
                    shutil.rmtree(folder, ignore_errors=True)


def _write_compressed(file: Path, target: Path) -> bool:
    """Whole or not at all: two processes may do it at once. False where the disk takes nothing."""
    part = target.with_suffix(f".{id(target)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
        part.replace(target)
    except OSError:
        return False
    return True
