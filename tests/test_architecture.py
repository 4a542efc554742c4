"""The data goes one way: which part may import what from which, and who may write."""

import ast
import re
from collections.abc import Callable, Iterator

from tests.source import Module, modules

ANY = "*"
# What a part may import from `metrics` beside itself: whole parts, or one name of them.
MAY_IMPORT = {
    "collectors": "",
    "models": "tiers",
    "tiers": "",
    "conf": "",
    "times": "",
    "formats": "",
    "lifeline": "",
    "storage": "conf",
    "first_user": "",
    "schedules": "conf",
    "tokens": "models.ApiToken models.tokens",
    "recording": "collectors models tiers conf lifeline",
    "rollup": "models tiers conf",
    "simulation": "collectors models tiers conf recording rollup retention",
    "retention": "models tiers conf",
    "copying": "models",
    "stored_commands": "collectors models conf",
    "upkeep": "models conf rollup retention stored_commands",
    "history": "models tiers conf lifeline",
    "api": "history conf times formats lifeline models.Host models.ApiToken tokens",
    "dashboard": "history conf times models.Host api",
    "exporters": "history conf times tiers models.Host models.fields api",
    "forwarding": "history exporters models conf",
    "alerts": "history models conf",
    "tables": "formats models",
    "admin": "models tiers times formats conf tokens schedules.is_job",
    "templatetags": "first_user models formats",
    "supervision": "lifeline schedules storage conf formats models.JobFailure",
    "tasks": ANY,
    "management": ANY,
    "apps": ANY,
}
WITHOUT_DJANGO = {"collectors", "times", "lifeline"}
# `tokens` and `supervision` know no samples, see above.
WRITERS = {
    "recording",
    "rollup",
    "retention",
    "simulation",
    "alerts",
    "tokens",
    "forwarding",
    "upkeep",
    "copying",
    "supervision",
    "stored_commands",
}
WRITES = {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete", "save", "_raw_delete"}


def offences(find: Callable[[str, Module], list[str]]) -> dict[str, list[str]]:
    """What `find` finds in each module of the app, given the part that it belongs to."""
    found = {m.name: find(m.name.split(".")[1], m) for m in modules("metrics") if m.name != "metrics"}
    return {name: offence for name, offence in found.items() if offence}


def imported(part: str, module: Module) -> list[str]:
    """What a module imports from other parts, without `metrics.`."""
    names = (name.removeprefix("metrics.") for name in module.imports() if name.startswith("metrics."))
    return [name for name in names if name.partition(".")[0] != part]


def is_allowed(name: str, allowed: str) -> bool:
    return allowed == ANY or any(f"{name}.".startswith(f"{entry}.") for entry in allowed.split())


def writes(tree: ast.AST) -> Iterator[str]:
    """Calls that write through Django's models, and SQL that writes; a dict's `update` takes an argument by place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in WRITES or (name == "update" and not node.args):
                yield f"line {node.lineno}: {name}()"
        elif isinstance(node, ast.Constant) and re.search(r"INSERT INTO|UPDATE .* SET|DELETE FROM", str(node.value)):
            yield f"line {node.lineno}: {node.value}"


def test_a_part_imports_only_what_the_table_allows():
    def find(part: str, module: Module) -> list[str]:
        return [name for name in imported(part, module) if not is_allowed(name, MAY_IMPORT.get(part, ""))]

    assert offences(find) == {}


def test_every_part_is_in_the_table():
    assert offences(lambda part, _module: [] if part in MAY_IMPORT else ["is in no line of MAY_IMPORT"]) == {}


def test_what_knows_no_django_imports_none():
    def find(part: str, module: Module) -> list[str]:
        names = module.imports() if part in WITHOUT_DJANGO else ()
        return [name for name in names if name.partition(".")[0] in {"django", "rest_framework", "django_q"}]

    assert offences(find) == {}


def test_only_recording_roll_up_and_retention_write_what_is_stored():
    def find(part: str, module: Module) -> list[str]:
        knows_models = any(name.startswith("models") for name in imported(part, module))
        return list(writes(module.tree)) if knows_models and part not in WRITERS else []

    assert offences(find) == {}


def test_a_forbidden_import_is_noticed():
    module = Module("metrics.history.x", None, "", ast.parse("def f():\n    from metrics.recording import window"))
    names = imported("history", module)
    assert names == ["recording.window"]
    assert not is_allowed(names[0], MAY_IMPORT["history"])
    assert is_allowed("models.Host", MAY_IMPORT["api"])
    assert not is_allowed("models.HostGroup", MAY_IMPORT["api"])


def test_a_write_is_noticed():
    source = 'Tick.objects.create(); rows.update(a=1); points.update(other); run("DELETE FROM x"); "SELECT 1"'
    assert sorted(writes(ast.parse(source))) == ["line 1: DELETE FROM x", "line 1: create()", "line 1: update()"]
