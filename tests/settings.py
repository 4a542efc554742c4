"""The program's own settings, with a data directory that is thrown away and nothing of the user's environment."""

import atexit
import os
import shutil
import tempfile

for name in [name for name in os.environ if name.startswith("SYSMON_") or name in {"DATABASE_URL", "REDIS_URL"}]:
    if not name.startswith("SYSMON_TEST_"):
        del os.environ[name]
_data_dir = tempfile.mkdtemp(prefix="sysmon-tests-")
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)
os.environ.update(
    SYSMON_DATA_DIR=_data_dir,
    SYSMON_HOSTNAME="test-host",
    SYSMON_TIME_ZONE="UTC",
    DATABASE_URL=os.environ.get("SYSMON_TEST_DATABASE_URL", ""),
)

_umask = os.umask(0o022)
from sysmon_project.settings import *  # noqa: E402, F403
from sysmon_project.settings import DATABASES, LOGGING  # noqa: E402

# The servers of the tests run as other users, and read what the tests write.
os.umask(_umask)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["root"]["level"] = "ERROR"  # type: ignore[index]
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # As Django does by itself; pytest-django takes only Django's own backend for that of SQLite.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
