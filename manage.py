#!/usr/bin/env python
"""sysmon's command line: `python manage.py up` starts everything, `help` lists the rest."""

import importlib
import os
import sys

from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    """Load the settings first, so that a wrong one is one line and not a traceback, then run the command."""
    module = os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sysmon_project.settings")
    try:
        importlib.import_module(module)
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"sysmon: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
