"""What is stored is data: nothing of the program, nor of Django as it is set up, makes code of it."""

import ast

from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.utils.module_loading import import_string

from metrics.schedules import Job
from tests.source import modules

UNPICKLERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "picklefield"}
EVALUATORS = {"eval", "exec", "compile", "__import__"}
# Who imports by a dotted path, and where that is from: never from a row.
IMPORTERS = {
    "metrics.supervision.worker": "the jobs in schedules.py",
    "metrics.supervision.web": "the settings",
    "metrics.supervision.granian_server": "a table in the module",
    "metrics.storage.versions": "the settings, the package of migrations",
    "metrics.collectors.base": "the modules of the package",
    "metrics.forwarding.shipping": "a table in the module",
    "sysmon_project.optional_imports": "the caller",
}


def called(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_no_module_imports_what_unpickles():
    found = {module.name: UNPICKLERS & {name.partition(".")[0] for name in module.imports()}
             for module in modules("metrics", "sysmon_project")}  # fmt: skip
    assert {name: names for name, names in found.items() if names} == {}


def test_no_module_evaluates_text():
    plain = {
        module.name: EVALUATORS & {n.func.id for n in ast.walk(module.tree)
                                   if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        for module in modules("metrics", "sysmon_project")
    }  # fmt: skip
    assert {name: names for name, names in plain.items() if names} == {}


def test_few_modules_import_by_name():
    found = {
        module.name
        for module in modules("metrics", "sysmon_project")
        if {"import_string", "import_module", "locate"} & set(called(module.tree))
    }
    assert found == set(IMPORTERS)


def test_sessions_are_json_and_the_cache_stays_in_this_process_or_is_json():
    assert import_string(settings.SESSION_SERIALIZER) is JSONSerializer
    assert settings.CACHES["default"]["BACKEND"].endswith("LocMemCache")


def test_a_job_is_a_dotted_path_of_the_program():
    from metrics.schedules import FORWARD, JOBS

    for job in (*JOBS, FORWARD):
        assert isinstance(job, Job)
        assert job.func.startswith("metrics.tasks.")
        assert callable(import_string(job.func))
