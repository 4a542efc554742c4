"""The program's own source, parsed once, for the tests that hold it to its rules."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Module:
    """A module of the program; `name` is how it is imported."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    def imports(self) -> Iterator[str]:
        """Every name that is imported anywhere in the module, as `package.module.name`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path}: a relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """The modules of packages, without migrations, which Django writes."""
    paths = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
    return tuple(_module(path) for path in paths if "migrations" not in path.parts)


def _module(path: Path) -> Module:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    text = path.read_text("utf-8")
    return Module(name, path, text, ast.parse(text))
