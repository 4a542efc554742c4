"""Which file a `sqlite:///…` address names. A path by itself is never read as an address."""

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

IN_MEMORY = ":memory:"
SCHEME = re.compile(r"sqlite:", re.IGNORECASE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether a text is an address, `SCHEME://…`, and no path."""
    return ADDRESS.match(text) is not None


def is_sqlite_address(text: str) -> bool:
    """Whether a text is the address of a file of SQLite."""
    return SCHEME.match(text) is not None


def sqlite_file(address: str, base: Path) -> Path | str:
    """The file that an address names: `sqlite:////srv/a%20b.sqlite3` is /srv/a b.sqlite3, `sqlite:///b.sqlite3` a file
    in `base`. The text `:memory:` for a database without a file. A ValueError, whose text is for the user, for one that
    names none.
    """
    rest = SCHEME.sub("", address, count=1)
    if rest in {"//", "///", f"//{IN_MEMORY}", f"///{IN_MEMORY}"}:
        return IN_MEMORY
    if not rest.startswith("///"):
        raise ValueError("must be sqlite:///FILE, with a fourth slash where FILE begins with one")
    if re.search(r"[?#]", rest):
        raise ValueError("takes no options; in a name write %3F for ? and %23 for #")
    # By bytes: a name need not be text.
    name = unquote_to_bytes(os.fsencode(rest.removeprefix("///")))
    if b"\0" in name:
        raise ValueError("must name a file")
    return base / os.fsdecode(name)
