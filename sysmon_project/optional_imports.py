"""Loads packages without what they would load only because it is installed: megabytes that nobody uses."""

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

# What REST framework looks for: fields of PostgreSQL's own types, a client for tests, colours and Markdown in pages.
OPTIONAL_IN_REST_FRAMEWORK = ("psycopg", "psycopg2", "requests", "pygments", "markdown")


def load_rest_framework() -> None:
    """REST framework's module that looks for what is installed."""
    load_without("rest_framework.compat", OPTIONAL_IN_REST_FRAMEWORK)


def load_without(module: str, unused: Iterable[str]) -> None:
    """Load a module as if these packages were not there; those that are loaded already stay."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in unused if name not in modules]
    # None makes an import fail, as that of a package that is not installed.
    modules.update(dict.fromkeys(hidden))
    try:
        import_module(module)
    finally:
        for name in hidden:
            del modules[name]
