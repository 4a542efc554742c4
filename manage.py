#!/usr/bin/env python
"""sysmon's command line: `python manage.py up` starts everything, `help` lists the rest."""

import importlib
import io
import os
import sys

# Of address space; `up` takes 114 MB of it before it starts its processes.
LEAST_KILOBYTES = 150_000


def main() -> None:
    """Load the settings first, so that a wrong one is one line and not a traceback, then run the command.

    What the system refuses to give (memory, threads, processes, files) is one line as well; `--traceback` shows where.
    """
    try:
        if sys.argv[1:] == ["version"] or "--version" in sys.argv[1:]:
            print_version()
        else:
            check_memory()
            accept_any_text(sys.stdout)
            run()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read has seen enough; what is left in the buffer goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (MemoryError, OSError, RuntimeError, ImportError, SystemError) as error:
        reason = refusal(error)
        if reason is None or "--traceback" in sys.argv:
            raise
        sys.exit(f"sysmon: {reason}")


def print_version() -> None:
    """Ours before those of what it runs on: Django itself would name only its own."""
    import platform

    import django

    from metrics import __version__

    print(f"sysmon {__version__} (Django {django.get_version()}, Python {platform.python_version()})")


def accept_any_text(stream: object) -> None:
    """Have a terminal that knows fewer characters than there are show a question mark for the others, as `ps` does."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def check_memory() -> None:
    """Raise MemoryError where the libraries cannot all be loaded: some of them then end the process without a word that
    could be caught."""
    try:
        import resource
    except ModuleNotFoundError:
        # Windows has no such limit.
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST_KILOBYTES * 1024:
        raise MemoryError


def run() -> None:
    """Run the command, or end with one line where a setting or the database cannot be used."""
    module = os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sysmon_project.settings")
    from django.core.exceptions import ImproperlyConfigured

    try:
        importlib.import_module(module)
        from django.core.management import execute_from_command_line
        from django.db import DatabaseError

        try:
            execute_from_command_line(sys.argv)
        except DatabaseError as error:
            from metrics.storage.unusable import in_words

            sys.exit(f"sysmon: the database cannot be used: {in_words(error)}")
    except ImproperlyConfigured as error:
        sys.exit(f"sysmon: {' '.join(str(error).split())}")


def refusal(error: BaseException) -> str | None:
    """What the system has refused, as text; None for what is a fault of the program.

    Where memory ends, Python itself does not always say so: a library is not loaded, or an error is lost on its way.
    """
    text = " ".join(str(error).split())
    is_out_of_memory = isinstance(error, MemoryError) or "failed to map segment" in text
    if is_out_of_memory or (isinstance(error, SystemError) and "without exception set" in text):
        return "there is not enough memory to start; is it limited (ulimit -v)?"
    if isinstance(error, ImportError) and "cannot open shared object file" in text:
        return text
    if isinstance(error, RuntimeError) and "start new thread" in text:
        return "the system starts no more threads; are they, or memory, limited (ulimit -u, ulimit -v)?"
    if isinstance(error, OSError):
        return " ".join(f"{error.strerror or text}{f': {error.filename}' if error.filename else ''}".split())
    return None


if __name__ == "__main__":
    main()
