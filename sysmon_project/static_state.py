"""The state of the static files, which their address names."""

import hashlib
from collections.abc import Iterator
from pathlib import Path


def state_of(*roots: Path) -> str:
    """Twelve digits that change with every byte of these files and of those in these folders."""
    digest = hashlib.sha256()
    for file in _files(roots):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _files(roots: tuple[Path, ...]) -> Iterator[Path]:
    for root in roots:
        yield from sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
