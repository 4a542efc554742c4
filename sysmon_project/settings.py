"""Django's settings of sysmon. What a user may set comes from the environment or `.env`; docs/settings.md lists it."""

import logging
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

from metrics.access.addresses import allowed_hosts, parse_networks
from metrics.access.url_prefix import parse_prefix
from metrics.api.openapi_settings import DOCUMENT_SETTINGS
from metrics.collectors.exclusions import EXCLUDED_DISKS, EXCLUDED_INTERFACES, EXCLUDED_MOUNTS, parse_patterns
from metrics.forwarding.destinations import parse_destinations
from metrics.storage.permissions import use_private_umask
from metrics.tiers import DEFAULT_TIERS, parse_tiers
from sysmon_project.databases import database_settings
from sysmon_project.env import Env
from sysmon_project.secret_key import data_directory, generated_secret_key
from sysmon_project.static_state import state_of
from sysmon_project.time_zone import machine_time_zone

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(BASE_DIR)
use_private_umask()

# What a user may set ---------------------------------------------------------------------------------------------
SYSMON_INTERVAL = env.integer("SYSMON_INTERVAL", 5, minimum=1, maximum=60)
SYSMON_MAX_POINTS = env.integer("SYSMON_MAX_POINTS", 3600, minimum=1, maximum=10_000_000)
SYSMON_TIERS = env.parsed("SYSMON_TIERS", DEFAULT_TIERS, parse_tiers)
SYSMON_DATA_DIR = data_directory(env.path("SYSMON_DATA_DIR", "./data"))
SYSMON_HOST = env.text("SYSMON_HOST", "127.0.0.1")
SYSMON_PORT = env.integer("SYSMON_PORT", 8000, minimum=1, maximum=65535)
SYSMON_WEB_PROCESSES = env.integer("SYSMON_WEB_PROCESSES", 1, minimum=1, maximum=64)
SYSMON_HOSTNAME = env.host_name("SYSMON_HOSTNAME", socket.gethostname())
SYSMON_COMMANDS = env.choice("SYSMON_COMMANDS", "masked", ("safe", "masked", "names"))
SYSMON_EXCLUDE_INTERFACES = env.parsed(
    "SYSMON_EXCLUDE_INTERFACES", EXCLUDED_INTERFACES, partial(parse_patterns, "interfaces")
)
SYSMON_EXCLUDE_MOUNTS = env.parsed("SYSMON_EXCLUDE_MOUNTS", EXCLUDED_MOUNTS, partial(parse_patterns, "mounts"))
SYSMON_EXCLUDE_DISKS = env.parsed("SYSMON_EXCLUDE_DISKS", EXCLUDED_DISKS, partial(parse_patterns, "disks"))
SYSMON_API_ACCESS = env.choice("SYSMON_API_ACCESS", "auto", ("auto", "public", "authenticated"))
SYSMON_HTTPS = env.boolean("SYSMON_HTTPS", False)
SYSMON_URL_PREFIX = parse_prefix(env.parsed("SYSMON_URL_PREFIX", "", parse_prefix))
SYSMON_TRUSTED_PROXIES = parse_networks(env.parsed("SYSMON_TRUSTED_PROXIES", "", parse_networks))
SYSMON_RATE_ANON = env.rate("SYSMON_RATE_ANON")
SYSMON_RATE_USER = env.rate("SYSMON_RATE_USER")
SYSMON_RATE_LOGIN = env.rate("SYSMON_RATE_LOGIN", "5/min")
SYSMON_FORWARD_URL = env.secret("SYSMON_FORWARD_URL", parse=parse_destinations)
DATABASE_URL = env.url("DATABASE_URL", ("sqlite", "postgres", "postgresql"))
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))

DEBUG = env.boolean("SYSMON_DEBUG", False)
SECRET_KEY = env.text("SYSMON_SECRET_KEY") or generated_secret_key(SYSMON_DATA_DIR)
IS_SECRET_KEY_GENERATED = not env.text("SYSMON_SECRET_KEY")
ALLOWED_HOSTS = env.hosts("SYSMON_ALLOWED_HOSTS") or allowed_hosts(SYSMON_HOST)
CORS_ALLOWED_ORIGINS = env.origins("SYSMON_CORS_ORIGINS")
CSRF_TRUSTED_ORIGINS = env.origins("SYSMON_CSRF_ORIGINS")
TIME_ZONE = env.time_zone("SYSMON_TIME_ZONE") or machine_time_zone()

# The application -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "sysmon_project.apps.SysmonConfig",
    "sysmon_project.apps.SectionedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # django-q2, for the program's own jobs only.
    "sysmon_project.own_jobs.OwnJobsConfig",
]

MIDDLEWARE = [
    "metrics.api.compression.CompressionMiddleware",
    "metrics.api.conditional.ConditionalMiddleware",
    "metrics.access.permissions.ProxyNoticeMiddleware",
    "metrics.access.proxies.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "metrics.dashboard.static_files.StaticFilesMiddleware",
    "metrics.dashboard.policy.ContentSecurityPolicyMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "metrics.access.sign_in.SignInThrottleMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "sysmon_project.urls"
WSGI_APPLICATION = "sysmon_project.wsgi.application"
APPEND_SLASH = False
# Every address that Django makes begins with it.
FORCE_SCRIPT_NAME = SYSMON_URL_PREFIX or None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LANGUAGE_CODE = "en"
# Not "ko": Django REST framework has its words under ko_KR, from where Django finds those of "ko" too.
LANGUAGES = [("en", "English"), ("ko-kr", "한국어")]
LANGUAGE_COOKIE_NAME = "sysmon_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"

UNCACHED_LOADERS = ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "sysmon_project" / "templates"],
        "APP_DIRS": not DEBUG,
        "OPTIONS": {
            # Read anew for each page, which the loaders that APP_DIRS stands for do only with Django's own server.
            **({"loaders": UNCACHED_LOADERS} if DEBUG else {}),
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Storage ---------------------------------------------------------------------------------------------------------
SQLITE_FILE = SYSMON_DATA_DIR / "sysmon.sqlite3"
# What the rate limits have counted: a file of its own, which may be lost.
ATTEMPTS_FILE = SYSMON_DATA_DIR / "attempts.sqlite3"
DATABASES = {"default": database_settings(DATABASE_URL, SQLITE_FILE, BASE_DIR, SYSMON_HOSTNAME)}

CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if REDIS_URL:
    from metrics.supervision.redis_options import CACHE_OPTIONS

    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": CACHE_OPTIONS,
    }

# The schedule of django-q2; metrics/schedules.py says what runs, metrics/recording/run.py why a run outlives a timeout.
Q_CLUSTER: dict[str, Any] = {
    "name": "sysmon",
    "cluster_name": SYSMON_HOSTNAME,
    "workers": 2,
    "queue_limit": 4,
    # Seconds between two looks at the workers. `up` notices by itself, within two seconds, that nobody records.
    "guard_cycle": 5,
    "catch_up": False,
    "ack_failures": True,
    "max_attempts": 1,
    # A recording run is ended by its successor or by the supervisor, never by django-q2.
    "timeout": 86_400,
    "retry": 86_460,
    "recycle": 100_000,
    # Successes are not saved; failures are, by metrics/supervision/job_failures.py.
    "save_limit": -1,
    "log_level": "WARNING",
    **(
        {"broker_class": "metrics.supervision.redis_queue.RedisQueue"}
        if REDIS_URL
        # Without a pause of django-q2's own between two looks: this queue waits by itself.
        else {"broker_class": "metrics.supervision.database_queue.DatabaseQueue", "orm": "default", "poll": 0}
    ),
}

# Static files ----------------------------------------------------------------------------------------------------
# Files are served from where the packages keep them: nothing has to be collected before a start. Their address
# changes with our files and with the versions of the packages, so that browsers may keep what they have loaded. While
# developing the address stays, and browsers ask each time: what was edited is there with the next reload.
STATIC_SOURCES = (
    "requirements.txt",
    "metrics/static",
    "metrics/dashboard/static_files.py",
    "metrics/dashboard/bundle.py",
)
STATIC_STATE = "debug" if DEBUG else state_of(*(BASE_DIR / part for part in STATIC_SOURCES))
STATIC_URL = f"{SYSMON_URL_PREFIX}/static/{STATIC_STATE}/"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "metrics.dashboard.vendored.VendoredFinder",
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = "^/static/[0-9a-f]{12}/"
WHITENOISE_ALLOW_ALL_ORIGINS = False

# The API ---------------------------------------------------------------------------------------------------------
# Who may ask, in which formats, how often: the views of the app say so themselves (metrics/api/base.py).
# For `manage.py spectacular`, which writes docs/openapi.yml.
SPECTACULAR_SETTINGS = DOCUMENT_SETTINGS

CORS_URLS_REGEX = r"^/(api/|openapi\.json).*$"
CORS_ALLOW_METHODS = ("GET", "HEAD", "OPTIONS", "POST")

# Safety ----------------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = SYSMON_URL_PREFIX or "/"
SESSION_COOKIE_NAME = "sysmon_session"
CSRF_COOKIE_NAME = "sysmon_csrf"
# Forms carry their token; no script reads it from the cookie.
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = SYSMON_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if SYSMON_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SYSMON_HTTPS
# Without TLS in front, these four checks ask for what would lock the user out: HSTS, a redirect to an address that
# does not answer, cookies that are never sent back.
SILENCED_SYSTEM_CHECKS = [] if SYSMON_HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

# Log -------------------------------------------------------------------------------------------------------------
logging.captureWarnings(True)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "sysmon_project.log.LineFormatter", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "filters": {
        "worth_a_line": {
            "()": "django.utils.log.CallbackFilter",
            "callback": "ext://sysmon_project.log.is_worth_a_line",
        },
        "in_one_line": {
            "()": "django.utils.log.CallbackFilter",
            "callback": "ext://sysmon_project.log.in_one_line",
        },
        "with_its_reason": {
            "()": "django.utils.log.CallbackFilter",
            "callback": "ext://sysmon_project.log.with_its_reason",
        },
    },
    "handlers": {
        "console": {
            "class": "sysmon_project.log.Console",
            "formatter": "line",
            "filters": ["in_one_line"],
            # What records, stores, forwards and watches over the processes. What else there is may be said because of a
            # request, and of that there are few lines a minute.
            "never_left_out": [
                *("metrics.collectors", "metrics.recording", "metrics.retention", "metrics.storage"),
                *("metrics.forwarding", "metrics.supervision", "metrics.management", "metrics.tiers", "django-q"),
            ],
            # Tasks that anybody put into a queue.
            "few_a_minute": ["metrics.supervision.own_jobs"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "metrics": {"level": "INFO"},
        # Without the handlers that Django gives it by itself.
        "django": {},
        "django.request": {"filters": ["worth_a_line"]},
        "django-q": {
            "level": Q_CLUSTER["log_level"],
            "handlers": ["console"],
            "filters": ["with_its_reason"],
            "propagate": False,
        },
    },
}

for line in env.unknown_names:
    print(f"sysmon: {line}", file=sys.stderr)
