"""Static files straight from where the packages keep them: nothing is collected by hand or at the start.

All of them lie below one address that names their state (`/static/3f2a9c1b07d4/…`), so that a browser may keep them
for ever. The page's modules are joined into one, and what compresses well is compressed: both is done once, into the
data directory, when the server starts for the first time with that state.
"""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from metrics import conf
from metrics.dashboard.bundle import join_script, join_style

# Of WhiteNoise: how it finds a file, and what it keeps of one, are private to it.
WRITTEN_FOR = "6.12.0"
# Each is sent as one file together with what it imports.
JOINED: dict[str, Callable[[Path], str]] = {
    "metrics/js/main.js": join_script,
    "metrics/js/admin-chart.js": join_script,
    "metrics/dashboard.css": join_style,
}
COMPRESSED_TYPES = {".css", ".js", ".json", ".svg"}
# Below this the headers weigh more than what is saved; above it, compressing would delay the start.
MIN_BYTES, MAX_BYTES = 1_024, 200_000


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, which serves what the finders find, with files that it may send joined or compressed."""

    def __init__(self, get_response: Any = None) -> None:
        self.made_root = conf.data_directory() / "static"
        self.made = self.made_root / settings.STATIC_URL.strip("/").rpartition("/")[2]
        super().__init__(get_response)  # type: ignore[no-untyped-call]
        self._forget_other_states()

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        """The file, or what was made of it where that is worth it. While developing it is the file itself."""
        if self.autorefresh:
            itself: StaticFile = super().get_static_file(path, url, stat_cache=stat_cache)  # type: ignore[no-untyped-call]
            return itself
        name = url.removeprefix(self.static_prefix)
        served = self._joined(Path(path), name) or Path(path)
        smaller = self._compressed(served, name)
        plain: StaticFile = super().get_static_file(str(served), url)  # type: ignore[no-untyped-call]
        if smaller is None:
            return plain
        headers = [(key, value) for key, value in plain.alternatives[-1][2] if key != "Content-Length"]
        return StaticFile(str(served), headers, encodings={"gzip": str(smaller)})  # type: ignore[no-untyped-call]

    def _joined(self, file: Path, name: str) -> Path | None:
        join = JOINED.get(name)
        if join is None:
            return None
        target = self.made / name
        return target if target.exists() or _write(target, join(file).encode()) else None

    def _compressed(self, file: Path, name: str) -> Path | None:
        if file.suffix not in COMPRESSED_TYPES or not MIN_BYTES <= file.stat().st_size <= MAX_BYTES:
            return None
        target = self.made / f"{name}.gz"
        return target if target.exists() or _write(target, gzip.compress(file.read_bytes(), mtime=0)) else None

    def _forget_other_states(self) -> None:
        if self.made_root.is_dir():
            for folder in self.made_root.iterdir():
                if folder != self.made:
                    shutil.rmtree(folder, ignore_errors=True)


def _write(target: Path, content: bytes) -> bool:
    """Whole or not at all: two processes may do it at once. False where the disk takes nothing."""
    part = target.with_name(f"{target.name}.{id(content)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(target)
    except OSError:
        return False
    return True
