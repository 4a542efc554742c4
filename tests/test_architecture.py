"""The data goes one way: which part may import what from which, and who may write."""

import ast
import re
from collections.abc import Callable, Iterator

from django.conf import global_settings

from tests.source import Module, modules

ANY = "*"
# What a part may import from `metrics` beside itself: whole parts, or one name of them.
MAY_IMPORT = {
    "collectors": "",
    "tiers": "formatting.moments",
    "conf": "access.addresses.parse_networks collectors.exclusions forwarding.destinations.parse_destinations",
    "schedules": "conf",
    "checks": "conf models.Host schedules.shares_cluster tiers access.permissions.is_open_by_settings",
    "models": "tiers",
    "recording": "collectors models tiers conf formatting"
    " storage.damage_report storage.file_identity storage.locks storage.recovery",
    "retention": "collectors.hiding models tiers conf",
    "simulation": "collectors models tiers conf recording retention",
    "storage": "models conf",
    "history": "models tiers conf storage.commit_watch",
    "status": "history models tiers conf recording.heartbeat storage.damage storage.incidents",
    "access": "conf models.ApiToken models.tokens recording.heartbeat",
    "formatting": "models",
    "api": "access history status conf formatting recording.heartbeat storage models.Host",
    "dashboard": "api conf",
    "exporters": "api history status tiers models.Host models.fields models.sql",
    "forwarding": "exporters history models conf",
    "admin": "access.tokens models tiers formatting conf schedules.is_job schedules.shares_cluster",
    "templatetags": "access.first_user formatting models",
    "supervision": "access.proxies.sender_of access.url_prefix.take_off_prefix"
    " recording.heartbeat schedules storage conf formatting models.JobFailure",
    "tasks": ANY,
    "management": ANY,
    "apps": ANY,
    "urls": "",
}
# In time for the settings, which Django reads before it knows a model.
WITHOUT_DJANGO = {"collectors", "recording.heartbeat", "formatting.moments", "access.addresses"}
# `access` and `supervision` know no samples, see above.
WRITERS = {"recording", "retention", "simulation", "access", "forwarding", "storage", "supervision"}
WRITES = {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete", "save", "_raw_delete"}


def offences(find: Callable[[str, Module], list[str]]) -> dict[str, list[str]]:
    """What `find` finds in each module of the app, given the part that it belongs to."""
    found = {m.name: find(m.name.split(".")[1], m) for m in modules("metrics") if m.name != "metrics"}
    return {name: offence for name, offence in found.items() if offence}


def imported(part: str, module: Module) -> list[str]:
    """What a module imports from other parts, without `metrics.`; the version is that of all of them."""
    names = (name.removeprefix("metrics.") for name in module.imports() if name.startswith("metrics."))
    return [name for name in names if name.partition(".")[0] not in {part, "__version__"}]


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


def settings_read(tree: ast.AST) -> Iterator[str]:
    """The settings that are no settings of Django's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings":
            name: object = node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node).startswith("getattr(settings, "):
            name = getattr(node.args[1], "value", "a setting whose name is made")
        else:
            continue
        if isinstance(name, str) and name.isupper() and not hasattr(global_settings, name) and name != "ROOT_URLCONF":
            yield name


def test_settings_of_the_program_are_read_in_one_place():
    found = offences(lambda part, module: [] if part in {"conf", "tiers"} else list(settings_read(module.tree)))
    # django-q2's own, which no job reads.
    assert found == {"metrics.checks": ["Q_CLUSTER"]}


def test_every_part_is_in_the_table():
    assert offences(lambda part, _module: [] if part in MAY_IMPORT else ["is in no line of MAY_IMPORT"]) == {}


def test_what_knows_no_django_imports_none():
    def find(part: str, module: Module) -> list[str]:
        is_without = part in WITHOUT_DJANGO or module.name.removeprefix("metrics.") in WITHOUT_DJANGO
        names = module.imports() if is_without else ()
        return [name for name in names if name.partition(".")[0] in {"django", "rest_framework", "django_q"}]

    assert offences(find) == {}


def test_only_recording_roll_up_and_retention_write_what_is_stored():
    def find(part: str, module: Module) -> list[str]:
        knows_models = any(name.startswith("models") for name in imported(part, module))
        return list(writes(module.tree)) if knows_models and part not in WRITERS else []

    assert offences(find) == {}


def test_no_entry_of_the_table_is_unused():
    used: dict[str, list[str]] = {}
    for module in modules("metrics"):
        part = module.name.split(".")[1] if module.name != "metrics" else ""
        used.setdefault(part, []).extend(imported(part, module))
    spare = {
        f"{part}: {entry}"
        for part, allowed in MAY_IMPORT.items()
        for entry in allowed.split()
        if allowed != ANY and not any(is_allowed(name, entry) for name in used[part])
    }
    assert spare == set()


def test_the_app_knows_nothing_of_the_project():
    found = {m.name: [name for name in m.imports() if name.startswith("sysmon_project")] for m in modules("metrics")}
    assert {name: names for name, names in found.items() if names} == {}


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
