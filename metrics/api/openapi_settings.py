"""How drf-spectacular is to make the OpenAPI document. Without Django: the project's settings are read with it."""

from typing import Any

from metrics import __version__

DOCUMENT_SETTINGS: dict[str, Any] = {
    "TITLE": "sysmon",
    "DESCRIPTION": "The flight recorder of a host: what psutil measured, now and at any moment before.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
