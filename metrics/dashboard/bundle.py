"""Joins a script with the modules that it imports, and a style sheet with those that it imports, into one file.

The sources stay small files with one job each, and a browser asks for one: over HTTP/1.1, with six requests at a time,
thirty small files cost five more rounds, each as long as the line is slow. Only the forms of `import` and `export` that
the sources use are known; a test says so of every one of them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+\.js)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
UNKNOWN = re.compile(r"^(?:import|export)\b.*$|(?:await|=>|=|return) import\(", re.MULTILINE)
# Comments on lines of their own: a quarter of the compressed script, which no browser needs.
COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*)\n", re.MULTILINE)
STYLE_IMPORT = re.compile(r'^@import "([\w-]+\.css)";$', re.MULTILINE)


def join_script(entry: Path) -> str:
    """The module and all that it imports as one module: each in a function of its own, what is imported first.

    Raises ValueError where a module has a form that is not known, or where modules import each other in a circle.
    """
    names = list(_in_order(entry, ()))
    parts = [_as_function(entry.with_name(name)) for name in dict.fromkeys(names)]
    return "\n".join(["const modules = {};", *parts])


def join_style(entry: Path) -> str:
    """The style sheet with the text of those that it imports in their places."""
    return STYLE_IMPORT.sub(lambda found: entry.with_name(found[1]).read_text("utf-8"), entry.read_text("utf-8"))


def _in_order(file: Path, above: tuple[str, ...]) -> Iterator[str]:
    if file.name in above:
        raise ValueError(f"modules import each other: {' > '.join((*above, file.name))}")
    for _names, name in IMPORT.findall(file.read_text("utf-8")):
        yield from _in_order(file.with_name(name), (*above, file.name))
    yield file.name


def _as_function(file: Path) -> str:
    source = COMMENT.sub("", file.read_text("utf-8"))
    exported = [name for _whole, name in EXPORT.findall(source)]
    body = IMPORT.sub(lambda found: _taken(found[1], found[2]), EXPORT.sub(r"\1", source))
    if unknown := UNKNOWN.search(body):
        raise ValueError(f"{file.name} has a form that cannot be joined: {unknown[0]}")
    return f'modules["{file.name}"] = await (async () => {{\n{body}\nreturn {{ {", ".join(exported)} }};\n}})();'


def _taken(names: str, file: str) -> str:
    return f'const {{ {names.replace(" as ", ": ")} }} = modules["{file}"];'
