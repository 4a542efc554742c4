"""The rules of the house that no linter knows."""

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.source import ROOT, modules

PROGRAM = ("metrics", "sysmon_project")
MAX_FUNCTION, MAX_MODULE = 40, 400
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "services", "core", "manager", "misc", "common"}


def lengths() -> dict[str, int]:
    """Lines of every function of the program."""
    return {
        f"{module.name}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for module in modules(*PROGRAM)
        for node in module.functions()
    }


def test_functions_are_short():
    assert statistics.median(lengths().values()) <= 15
    assert {name: lines for name, lines in lengths().items() if lines > MAX_FUNCTION} == {}


def test_modules_are_short():
    lines = {module.name: module.text.count("\n") for module in modules(*PROGRAM)}
    assert {name: count for name, count in lines.items() if count > MAX_MODULE} == {}


def test_a_module_is_named_after_what_it_is():
    words = {module.name: set(re.split(r"[._]", module.name)) for module in modules(*PROGRAM)}
    assert {
        name: found & NAMES_THAT_SAY_NOTHING for name, found in words.items() if found & NAMES_THAT_SAY_NOTHING
    } == {}


def test_there_is_one_broad_except():
    found = [module.name for module in modules(*PROGRAM) for _handler in broad_excepts(module.tree)]
    assert found == ["metrics.recording.runner"]


def broad_excepts(tree: ast.AST) -> Iterator[ast.AST]:
    """`except:`, `except Exception:` and `suppress(Exception)`, also among others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or names_everything(node.type)):
            yield node
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "suppress":
            yield from (argument for argument in node.args if names_everything(argument))


def names_everything(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id in {"Exception", "BaseException"} for part in ast.walk(node))


def test_a_broad_except_is_noticed():
    for source in ("try: 1\nexcept: 2", "try: 1\nexcept (OSError, Exception): 2", "with suppress(Exception): 1"):
        assert len(list(broad_excepts(ast.parse(source)))) == 1
    assert list(broad_excepts(ast.parse("try: 1\nexcept OSError: 2"))) == []


def requirements(file: str) -> list[str]:
    """The lines that name a package."""
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in (ROOT / file).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("-r")]


def test_every_requirement_is_pinned():
    lines = requirements("requirements.txt") + requirements("requirements-dev.txt")
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_what_the_program_imports_is_required():
    required = {normalised(line.partition("==")[0]) for line in requirements("requirements.txt")}
    distributions = packages_distributions()
    imported = {name.partition(".")[0] for module in modules(*PROGRAM) for name in module.imports()}
    foreign = imported - sys.stdlib_module_names - set(PROGRAM)
    assert [name for name in foreign if not required & set(map(normalised, distributions.get(name, [])))] == []


def normalised(distribution: str) -> str:
    """As package indexes compare names."""
    return distribution.lower().replace("_", "-")


def test_every_make_target_says_what_it_does():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    described = re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE)
    assert sorted(phony) == sorted(described)
